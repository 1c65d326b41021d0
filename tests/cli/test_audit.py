"""`ganglion audit`, and `train --sensitive`: the audit on the screen, as JSON, on a page, in report and model card."""

import json
import zipfile

import pytest

import ganglion as gg


@pytest.fixture
def model(ganglion, people):
    settings = ("--set", "hidden=4", "--set", "epochs=5", "--no-baselines", "--quiet", "--sensitive", "job")
    ran = ganglion("train", people, "-t", "rich", "-o", "m.ganglion", "--report", "report.html", "--json", *settings)
    assert ran.code == 0, ran.err
    return ran


def test_audit(ganglion, people, model, tmp_path):
    ran = ganglion("audit", "m.ganglion", people, "--sensitive", "job,age", "--html", "page.html")
    assert ran.code == 0, ran.err
    assert "by job × age" in ran.out
    assert "disparate impact" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80
    assert "by job" in (tmp_path / "page.html").read_text()
    found = json.loads(ganglion("audit", "m.ganglion", people, "--sensitive", "job", "--json").out)
    fitted = gg.load("m.ganglion")
    data = gg.read(people, target="rich")
    ours = gg.audit(fitted, data, sensitive="job").to_dict()
    assert found["sections"] == json.loads(json.dumps(ours["sections"]))


def test_report_and_model_file_carry_the_audit(ganglion, people, model, tmp_path):
    assert json.loads(model.out)["audit"]["sections"][0]["by"] == "job"
    assert "How groups were compared" in (tmp_path / "report.html").read_text()
    with zipfile.ZipFile("m.ganglion") as file:
        (card,) = (file.read(name).decode() for name in file.namelist() if name.endswith(".md"))
    assert "## Groups of people" in card
    assert "not checked for bias" not in card
    assert gg.load("m.ganglion").audit_["sections"][0]["by"] == "job"


def test_evaluate_carries_an_audit(ganglion, people, model, tmp_path):
    ran = ganglion("evaluate", "m.ganglion", people, "--sensitive", "job", "--report", "e.html", "--json")
    assert ran.code == 0, ran.err
    found = json.loads(ganglion("audit", "m.ganglion", people, "--sensitive", "job", "--json").out)
    assert json.loads(ran.out)["audit"]["sections"] == found["sections"]
    page = (tmp_path / "e.html").read_text()
    assert "How groups were compared" in page
    assert page.count("<main") == 1
    told = ganglion("evaluate", "m.ganglion", people, "--train", people, "--groups", "job").out
    assert "too good" in told


def test_what_is_refused(ganglion, people, model):
    ran = ganglion("audit", "m.ganglion", people, "--sensitive", "jop")
    assert ran.code == 1
    assert "Did you mean 'job'" in " ".join(ran.err.split())
    assert ganglion("audit", "m.ganglion", people).code == 2
    assert ganglion("audit", "m.ganglion", people, "--sensitive", "job", "--positive", "poor").code == 2
