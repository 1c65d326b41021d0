"""`ganglion monitor` as a user types it: the verdict, the page, and the exit code of an alarm."""

import json

import numpy as np
import pytest
from tests.serving.asking import post, service_of
from typer.testing import CliRunner

import ganglion as gg
from ganglion.cli.main import app
from ganglion.deployment.serving.settings import Settings


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """Return the logs of a server that was asked of rows like those of training, and of others."""
    folder = tmp_path_factory.mktemp("logs")
    X = np.random.default_rng(0).normal(size=(1000, 2))
    model = gg.MLPRegressor(hidden=(4,), epochs=5, random_state=0).fit(X, X @ [1.0, 2.0])
    for name, shift in (("same", 0.0), ("other", 2.0)):
        service = service_of({"m": model}, Settings(log=str(folder / name)))
        post(service, "/predict", json=(np.random.default_rng(1).normal(size=(500, 2)) + shift).tolist())
        service.log()
    return folder


@pytest.mark.parametrize(
    ("name", "code", "says"), [("same", 0, "look like those of"), ("other", 3, "are not like those")]
)
def test_the_exit_code_is_the_alarm(logs, name, code, says, tmp_path):
    ran = CliRunner().invoke(app, ["monitor", str(logs / name), "--html", str(tmp_path / "page.html")])
    assert ran.exit_code == code, ran.output
    assert says in ran.output
    page = (tmp_path / "page.html").read_text()
    assert says in page
    assert "http" not in page.replace("http://www.w3.org", "")


def test_json_is_for_machines(logs):
    ran = CliRunner().invoke(app, ["monitor", str(logs / "other"), "--json"])
    (found,) = json.loads(ran.stdout)
    assert found["outcome"] == "drift"
    assert found["model"] == "m version 1"
