"""`ganglion compress`: from a model file and a table to a smaller model file."""

import json

import pytest

import ganglion as gg


@pytest.fixture(autouse=True)
def _few_rounds(monkeypatch):
    monkeypatch.setattr("ganglion.compression.timing.MOST", 100)


@pytest.fixture
def trained(ganglion, people):
    ran = ganglion("train", people, "--target", "rich", "--set", "hidden=24", "--set", "epochs=4", "-q")
    assert ran.code == 0, ran.err
    (model,) = people.parent.glob("*.ganglion")
    return model


def test_a_smaller_model_and_a_page(ganglion, people, trained):
    ran = ganglion(
        *("compress", trained, people, "--budget", "9 points", "--steps", "shrink,int8", "--epochs", "3"),
        *("--test", people, "--save", "small.ganglion", "--report", "page.html"),
    )
    assert ran.code == 0, ran.err
    assert "Verdict" in ran.out
    assert "made 50 % units + int8" in ran.err
    small = gg.load("small.ganglion")
    assert small.target_name_ == "rich"
    assert small.compression_
    assert "Compression of MLPClassifier" in (people.parent / "page.html").read_text()


def test_json(ganglion, people, trained):
    ran = ganglion("compress", trained, people, "--steps", "bfloat16", "--test", people, "--json")
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    assert [each["name"] for each in found["variants"]] == ["original", "bfloat16"]
    assert not found["notes"]


def test_a_budget_that_cannot_be_read_is_refused_before_work_starts(ganglion, people):
    ran = ganglion("compress", "absent.ganglion", people, "--budget", "tiny")
    assert ran.code != 0
    assert "give what may be lost" in ran.err
