"""`ganglion explain`: what it prints and writes, and what it refuses."""

import json

import numpy as np
import pytest

import ganglion as gg

from .conftest import N, table, write


def words(text):
    return " ".join(text.split())


def test_explain_a_row(ganglion, saved, tmp_path):
    model, data = saved
    page = tmp_path / "page.html"
    ran = ganglion("explain", model, data, "--row", "3", "--html", page)
    assert (ran.code, words(ran.err)) == (0, f"saved {page}")
    assert "base and values add up to the output" in words(ran.out)
    assert "all coalitions; left out: the values of background rows" in words(ran.out)
    assert max(map(len, ran.out.splitlines())) <= 80
    assert "<svg" in page.read_text()


def test_explain_json_says_what_python_says(ganglion, saved):
    model, data = saved
    ran = json.loads(ganglion("explain", model, data, "-r", "3", "-r", "5", "--json").out)
    X = gg.read(data).drop(["rich"])
    found = gg.explain(gg.load(model), X.take([3, 5]), background=X)
    for each, one in zip(ran["explanations"], found, strict=True):
        np.testing.assert_allclose([f["value"] for f in each["features"]], one.values, atol=1e-9)
        assert each["prediction"] == pytest.approx(one.prediction)
        assert each["gap"] < 1e-5


def test_explain_all_rows_against_others(ganglion, saved, tmp_path):
    model, data = saved
    other = write(tmp_path / "other.csv", table(20, seed=4))
    ran = ganglion("explain", model, data, "--background", other, "--method", "permutation")
    assert ran.code == 0
    assert words(ran.out).startswith(f"{N} samples, the predicted class of each, permutation")


def test_refusals(ganglion, saved):
    model, data = saved
    ran = ganglion("explain", model, data, "--row", "99999")
    assert (ran.code, ran.out) == (2, "")
    assert f"there is no row 99999: {data} has {N} rows" in words(ran.err)
    ran = ganglion("explain", model, data, "--method", "shapp")
    assert ran.code == 2
    assert "no method of explanation is called 'shapp'" in words(ran.err)
    ran = ganglion("explain", model, data, "--row", "1", "--output", "poor")
    assert ran.code == 1
    assert "the model has no output 'poor'" in words(ran.err)
