"""Explanations add up to what the model says, and background rows look like the training data."""

import numpy as np
import pytest
from tests.serving.asking import frame, get, post, rows_of, service_of

import ganglion as gg
from ganglion.deployment.describing import signature_of
from ganglion.deployment.serving.explanations import made_rows


def test_values_add_up_to_the_prediction(mixed, table_service):
    rows = rows_of(frame(2, seed=5))
    answer = post(table_service, "/explain", json=rows)
    assert answer.status_code == 200, answer.text
    shares = mixed.predict_proba(frame(2, seed=5))
    for explanation, share in zip(answer.json()["explanations"], shares, strict=True):
        assert explanation["prediction"] == pytest.approx(share.max(), abs=1e-5)
        total = explanation["base"] + sum(each["value"] for each in explanation["features"])
        assert total == pytest.approx(explanation["prediction"], abs=1e-4)
        assert [each["feature"] for each in explanation["features"]] == list(frame().columns)


def test_background_rows_are_distributed_as_in_training(mixed):
    made = made_rows(mixed.summary_, signature_of(mixed), 400)
    table = frame()
    assert np.isnan(made["size"]).mean() == pytest.approx(table["size"].isna().mean(), abs=0.01)
    assert np.mean(made["color"] == "red") == pytest.approx((table["color"] == "red").mean(), abs=0.01)
    assert np.nanmean(made["weight"]) == pytest.approx(table["weight"].mean(), abs=0.1)
    assert np.nanstd(made["weight"]) == pytest.approx(table["weight"].std(), rel=0.2)
    assert made_rows(None, signature_of(mixed)) is None


def test_texts_and_blocks_are_explained(texts, numbers):
    service = service_of({"t": texts, "n": numbers})
    (words,) = post(service, "/explain/t", json=["a good film"]).json()["explanations"]
    assert [each["feature"] for each in words["features"]] == ["a", "good", "film"]
    (row,) = post(service, "/explain/n/versions/1", json=[[1, 2, 3]]).json()["explanations"]
    assert row["prediction"] == pytest.approx(float(numbers.predict([[1.0, 2, 3]])[0]), rel=1e-5)


def test_what_cannot_be_explained_is_said(mixed, table_service):
    assert post(table_service, "/explain", json=rows_of(frame(21))).status_code == 422
    assert post(table_service, "/explain", json=[{}]).status_code == 422
    old = gg.MLPClassifier(hidden=(2,), epochs=1, random_state=0).fit(frame(), frame()["weight"] > 0.1)
    old.summary_ = None  # as of a file of an older version
    answer = post(service_of({"old": old}), "/explain", json=rows_of(frame(1)))
    assert answer.status_code == 422
    assert "holds no summary" in answer.json()["error"]
    assert post(service_of({"old": old}), "/explain", json=rows_of(frame(10))).status_code == 200


def test_the_page_and_the_description_name_every_column(table_service):
    page = get(table_service, "/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for name in frame().columns:
        assert f">{name}</th>" in page.text
    for outside in ("src=", "@import", "<script", "href='http", 'href="http'):
        assert outside not in page.text
    assert get(table_service, "/").text == page.text


def test_the_examples_of_the_description_are_answered(mixed, texts, numbers):
    service = service_of({"mixed": mixed, "t": texts, "n": numbers})
    described = get(service, "/openapi.json").json()
    asked = 0
    for path, item in described["paths"].items():
        for method, operation in item.items():
            if method == "get" and "{" not in path:
                assert get(service, path).status_code == 200
            if method == "post" and "{" not in path and "infer" not in path:
                example = operation["requestBody"]["content"]["application/json"]["example"]
                assert post(service, path, json=example).status_code == 200, path
                asked += 1
    assert asked == 6
