from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from ganglion.errors import SaveFailed
from ganglion.evaluation.evaluate import evaluate
from ganglion.evaluation.plots import top_confusions

EVIL = '<script>alert("x")</script>&\''


def flatten(images):
    return images.reshape(len(images), -1)


@pytest.fixture(scope="module")
def table_report():
    rng = np.random.default_rng(0)
    data = pd.DataFrame({EVIL: rng.normal(size=120), "b": rng.normal(size=120)})
    y = np.where(data[EVIL] + rng.normal(size=120) > 0, EVIL, "<b>other</b>")
    model = LogisticRegression().fit(data, y)
    return evaluate(model, data, y, n_bootstrap=40, notes=[f"note {EVIL}"])


@pytest.fixture(scope="module")
def image_report():
    images, y = load_digits(return_X_y=True)
    images = images.reshape(-1, 8, 8).astype(np.uint8)[:400]
    model = make_pipeline(FunctionTransformer(flatten), LogisticRegression(max_iter=20, tol=10)).fit(
        images[:40], y[:40]
    )
    return evaluate(model, images[200:], y[200:400], train=(images[:40], y[:40]), n_bootstrap=40)


@pytest.fixture(scope="module")
def number_report():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 2))
    return evaluate(LinearRegression().fit(X, X[:, 0]), X, X[:, 0] + 0.1 * rng.normal(size=120), n_bootstrap=40)


REPORTS = ["table_report", "image_report", "number_report"]


@pytest.mark.parametrize("name", REPORTS)
def test_the_page_fetches_nothing_and_runs_nothing(name, request):
    page = request.getfixturevalue(name).to_html()
    assert "http://" not in page
    assert "https://" not in page
    assert "<script" not in page
    assert EVIL not in page
    assert "<b>other</b>" not in page
    assert not re.search(r"\son\w+=", page)


@pytest.mark.parametrize("name", REPORTS)
def test_every_chart_is_well_formed_xml_with_a_title(name, request):
    charts = request.getfixturevalue(name).plot()
    assert "comparison" in charts
    for chart in charts.values():
        root = ET.fromstring(chart.svg)
        assert root.attrib["role"] == "img"
        assert root[0].tag.endswith("title")
        assert not re.search(r"\b(nan|inf)\b", chart.body)


def test_charts_suit_the_task(table_report, number_report):
    assert set(table_report.plot()) == {"comparison", "confusion", "calibration"}
    assert set(number_report.plot()) == {"comparison", "predictions", "errors"}


@pytest.mark.parametrize("name", REPORTS)
def test_json_round_trip(name, request, tmp_path):
    report = request.getfixturevalue(name)
    written = report.to_json(tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text("utf-8")) == report.to_dict() == json.loads(written)
    assert report.to_dict()["verdict"] == report.verdict


def test_files_are_written_whole_or_not_at_all(number_report, tmp_path):
    number_report.to_html(tmp_path / "r.html")
    number_report.plot().save(tmp_path / "charts.html")
    number_report.plot()["errors"].save(tmp_path / "errors.svg")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["charts.html", "errors.svg", "r.html"]
    with pytest.raises(SaveFailed):
        number_report.to_html(tmp_path / "nowhere" / "r.html")


def test_the_printed_report_names_everything(table_report):
    text = str(table_report)
    for words in (
        "Verdict",
        "LogisticRegression",
        "majority class",
        "ROC AUC",
        "Most confident mistakes",
        "out of fold",
    ):
        assert words in text
    assert "Report(LogisticRegression, binary" in repr(table_report)
    assert '<main class="gg-report">' in table_report._repr_html_()


def test_mistakes_are_the_most_confident_ones(table_report):
    sure = [each.probability for each in table_report.mistakes]
    assert sure == sorted(sure, reverse=True)
    assert all(each.truth != each.prediction for each in table_report.mistakes)
    assert set(table_report.mistakes[0].features) == {EVIL, "b"}


def test_images_are_shown(image_report):
    assert all('href="data:image/png;base64,' in each.picture.svg for each in image_report.mistakes)
    assert image_report.plot()["mistake_1"] is image_report.mistakes[0].picture
    assert "picture" not in image_report.to_dict()["mistakes"][0]


def test_largest_errors_come_first(number_report):
    sizes = [abs(each.error) for each in number_report.mistakes]
    assert sizes == sorted(sizes, reverse=True)


def test_many_classes_show_the_commonest_confusions():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 2)), np.arange(200) % 40
    report = evaluate(LogisticRegression().fit(X, y), X, y, n_bootstrap=40, baselines=False)
    assert "confusion" not in report.plot()
    assert "Commonest confusions" in report.to_html()
    counts = [count for _, _, count, _ in top_confusions(report)]
    assert counts == sorted(counts, reverse=True)
