"""`ganglion counterfactual`: the same answers as Python, what must stay, and what it refuses."""

import json

import pytest

import ganglion as gg


def words(text):
    return " ".join(text.split())


@pytest.fixture
def row(saved):
    _model, data = saved
    return gg.read(data).drop(["rich"]).take([3])


def test_it_says_what_python_says_and_writes_a_page(ganglion, saved, row, tmp_path):
    model, data = saved
    ran = json.loads(ganglion("counterfactual", model, data, "--row", "3", "--json").out)
    found = gg.counterfactual(gg.load(model), row, background=gg.read(data).drop(["rich"]))
    assert ran == json.loads(json.dumps(found.to_dict()))
    page = tmp_path / "page.html"
    ran = ganglion("counterfactual", model, data, "--row", "3", "--html", page)
    assert (ran.code, words(ran.err)) == (0, f"saved {page}")
    assert words(ran.out).startswith("From ")
    assert "<svg" in page.read_text()
    assert max(map(len, ran.out.splitlines())) <= 80


def test_what_is_kept_stays(ganglion, saved, row):
    model, data = saved
    first = json.loads(ganglion("counterfactual", model, data, "-r", "3", "--json").out)
    name = first["answers"][0]["changes"][0]["feature"]
    kept = json.loads(ganglion("counterfactual", model, data, "-r", "3", "--keep", name, "-k", "9", "--json").out)
    assert name not in kept["may_change"]
    assert all(name != change["feature"] for each in kept["answers"] for change in each["changes"])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--row", "99999"], "there is no row 99999"),
        (["--row", "3", "--keep", "nothing"], "no column is called 'nothing'"),
        (["--row", "3", "--range", "age"], "say NAME=LOW:HIGH"),
        (["--row", "3", "--target", "maybe"], "no class is called 'maybe'"),
    ],
)
def test_refusals(ganglion, saved, given, said):
    model, data = saved
    ran = ganglion("counterfactual", model, data, *given)
    assert ran.code
    assert said in words(ran.err)
