"""Who may ask: foreign names, foreign pages and missing tokens are refused before a body is read."""

import pytest
from tests.serving.asking import ask, get, service_of

from ganglion.deployment.serving.guard import Guard
from ganglion.deployment.serving.refused import Refused
from ganglion.deployment.serving.settings import Limits, Settings
from ganglion.errors import InvalidParameter

TOKEN = "a-long-enough-token"
HOSTS = [
    *("evil.com", "127.0.0.1.evil.com", "localhost.evil.com", "evil.com:8000", "localhost@evil.com", "127.0.0.1:80:80"),
    *(
        "0.0.0.0",
        "[::2]",
        "[::1",
        "::1]",
        "10.0.0.1",
        "",
        " ",
        "127.0.0.2",
        "localhost:x",
        "localhost.",
        "LOCALHOST.evil",
    ),
    *("127.1", "2130706433", "0x7f000001", "[::ffff:7f00:1]", "локальный", "localhost\x00", "evil.com/localhost"),
]
ORIGINS = [
    *("http://evil.com", "https://evil.com", "null", "http://127.0.0.1.evil.com", "http://localhost:3000", "file://"),
    *("http://127.0.0.1:9999", "http://127.0.0.1@evil.com", "HTTP://EVIL.COM", "http://", "", "chrome-extension://abc"),
    *("http://127.0.0.1/", "127.0.0.1", "http://[::1]", "http://localhost", "https://127.0.0.1.", "http://10.0.0.1"),
]


def check(settings=None, path="/predict", **headers):
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    Guard(settings or Settings()).check(path, pairs)


@pytest.mark.parametrize("host", HOSTS)
def test_a_foreign_name_is_refused(host):
    with pytest.raises(Refused, match="Host") as caught:
        check(host=host)
    assert caught.value.status == 403


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_foreign_page_is_refused(origin):
    with pytest.raises(Refused, match="Origin") as caught:
        check(host="127.0.0.1", origin=origin)
    assert caught.value.status == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "localhost", "LocalHost:1", "[::1]", "[::1]:8000"])
def test_its_own_names_are_served(host):
    check(host=host)
    check(host=host, origin=f"http://{host}", sec_fetch_site="same-origin")


def test_no_host_or_two_are_refused():
    for headers in ([], [(b"host", b"localhost"), (b"host", b"localhost")]):
        with pytest.raises(Refused, match="Host"):
            Guard(Settings()).check("/predict", headers)


def test_a_link_from_elsewhere_may_open_a_page_but_a_script_may_not_ask():
    check(host="localhost", sec_fetch_site="cross-site", sec_fetch_mode="navigate")
    with pytest.raises(Refused, match="Sec-Fetch-Site"):
        check(host="localhost", sec_fetch_site="cross-site", sec_fetch_mode="no-cors")


def test_all_addresses_are_taken_where_it_listens_at_all_but_no_name():
    settings = Settings(host="0.0.0.0", token=TOKEN, names=("models.example.org",))
    for host in ("10.1.2.3:8000", "[2001:db8::1]:8000", "models.example.org"):
        check(settings, host=host, authorization=f"Bearer {TOKEN}")
    with pytest.raises(Refused, match="Host"):
        check(settings, host="evil.com", authorization=f"Bearer {TOKEN}")


@pytest.mark.parametrize(
    "given", [None, "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer é"]
)
def test_without_the_token_nothing_is_served(given):
    headers = {} if given is None else {"authorization": given}
    with pytest.raises(Refused, match="token") as caught:
        check(Settings(token=TOKEN), host="localhost", **headers)
    assert caught.value.status == 401
    check(Settings(token=TOKEN), host="localhost", authorization=f"bearer {TOKEN}")
    check(Settings(token=TOKEN), path="/v2/health/live", host="localhost", **headers)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org"])
def test_other_machines_may_not_ask_without_a_token(host):
    with pytest.raises(InvalidParameter, match="a token is needed"):
        Settings(host=host)


def test_settings_are_checked():
    with pytest.raises(InvalidParameter, match="16 or more"):
        Settings(token="short")
    with pytest.raises(InvalidParameter, match="port=70000"):
        Settings(port=70_000)
    with pytest.raises(InvalidParameter, match="rows=0"):
        Limits(rows=0)


def test_the_guard_stands_before_everything(mixed):
    service = service_of({"mixed": mixed}, Settings(token=TOKEN))
    headers = {"host": "evil.com", "authorization": f"Bearer {TOKEN}"}
    answers = ask(service, *(("POST", path, {"headers": headers}) for path in ("/predict", "/nothing", "/health")))
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert get(service, "/health").status_code == 401
    assert get(service, "/health", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
