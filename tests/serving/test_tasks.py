"""Answers beyond labels and numbers of rows: both engines say of each form what the model says in Python."""

import html
import io
import json
import os
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.serving.asking import ask, get, post
from tests.serving.faults import faults_of

import ganglion as gg
from ganglion.checks.data import several_series, squares, tagged, waves
from ganglion.deployment.said import ragged
from ganglion.deployment.serving import onnx_backend
from ganglion.deployment.serving.server import service_of
from ganglion.deployment.serving.settings import Limits, Settings
from ganglion.errors import GanglionWarning, InvalidModel

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
# an export takes seconds: what goes the way of others, or is compared in tests/deployment, is exported in thorough runs
PYTORCH_ALONE = () if THOROUGH else ("steps", "codes", "boxes", "long")
TINY = {"epochs": 1, "random_state": 0}


def squares_in_bytes(n):
    pixels, boxes = squares(n=n, sides=(24, 20))
    low, high = pixels.min(), pixels.max()
    return ((pixels - low) * (255 / (high - low))).astype(np.uint8), boxes


def made():
    """Return a small fitted model of each task, under its name."""
    rng = np.random.default_rng(0)
    stack = rng.integers(0, 255, (12, 16, 12), dtype=np.uint8)
    series, _ = several_series()
    long, lengths = rng.normal(size=(40, 9, 2)), rng.integers(1, 10, 40)
    table = pd.DataFrame({"a": rng.normal(size=60), "b": rng.choice(["x", "y"], 60)})
    ahead = {"horizon": 3, "window": 12, "steps": 3, "target": "one", "known": "other"}
    squared, boxes = squares_in_bytes(20)
    words, tags = tagged(n=30)
    steps, risen = waves(n=20)
    return {
        "masks": gg.SegmentationCNN(depth=1, channels=2, **TINY).fit(stack, (stack > 128).astype(np.uint8)),
        "boxes": gg.DetectionCNN(channels=4, score_threshold=0.01, **{**TINY, "epochs": 4}).fit(squared, boxes),
        "words": gg.RNNTagger(width=8, **TINY).fit(words, tags),
        "steps": gg.RNNTagger(width=8, **TINY).fit(list(steps), list(risen)),
        "ahead": gg.Forecaster(random_state=0, **ahead).fit(series),
        "odd": gg.Autoencoder(hidden=(4,), latent=2, contamination=0.2, **TINY).fit(table),
        "codes": gg.VAE(hidden=(4,), latent=2, **TINY).fit(table),
        "long": gg.RNNClassifier(width=4, **TINY).fit([x[:n] for x, n in zip(long, lengths, strict=True)], lengths > 5),
    }


@pytest.fixture(scope="module")
def models():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GanglionWarning)
        return made()


@pytest.fixture(scope="module")
def engines(models, tmp_path_factory):
    """Return a service of the exported files alone, and one of the estimators on PyTorch."""
    folder = tmp_path_factory.mktemp("tasks")
    files = {name: str(folder / f"{name}.onnx") for name in models if name not in PYTORCH_ALONE}
    for name, file in files.items():
        gg.export(models[name], file)
    alone = service_of(files)
    return {"onnx": alone, "torch": service_of(models, Settings(engine="torch"))}


@pytest.fixture(params=["onnx", "torch"])
def service(engines, request):
    return engines[request.param]


def of(engines, engine, name):
    """Return the service of an engine that has a model: of some that is PyTorch alone."""
    return engines["torch" if name in PYTORCH_ALONE else engine]


def said_by(service, name, **form):
    """Return what is answered, after it was compared with the description of the answer."""
    answer = post(service, f"/predict/{name}", **form)
    assert answer.status_code == 200, answer.text
    described = get(service, "/openapi.json").json()["components"]["schemas"]
    assert faults_of(answer.json(), described[f"{name}-answer"]) == []
    return answer.json()


def png(pixels):
    raw = io.BytesIO()
    Image.fromarray(pixels).save(raw, "PNG")
    return raw.getvalue()


def sent(pixels, **headers):
    return {"content": png(pixels), "headers": {"content-type": "image/png", **headers}}


@pytest.mark.parametrize("sides", [(16, 12), (9, 31)])
def test_masks_have_the_size_of_the_picture(models, service, sides):
    pixels = np.random.default_rng(1).integers(0, 255, sides, dtype=np.uint8)
    expected = models["masks"].predict(pixels[None])[0]
    said = said_by(service, "masks", **sent(pixels))
    (mask,) = said["predictions"]
    np.testing.assert_array_equal(np.repeat(mask["labels"], mask["lengths"]).reshape(mask["shape"]), expected)
    assert mask["shares"] == pytest.approx([(expected == label).mean() for label in said["classes"]])
    picture = post(service, "/predict/masks", **sent(pixels, accept="image/png"))
    assert picture.headers["content-type"] == "image/png"
    np.testing.assert_array_equal(np.array(Image.open(io.BytesIO(picture.content))), expected)


def test_pictures_of_several_sizes_come_in_one_form(models, service):
    rng = np.random.default_rng(2)
    pixels = [rng.integers(0, 255, sides, dtype=np.uint8) for sides in ((8, 8), (10, 7))]
    files = [("file", (f"{i}.png", png(each))) for i, each in enumerate(pixels)]
    masks = said_by(service, "masks", files=files)["predictions"]
    for mask, each in zip(masks, pixels, strict=True):
        whole = np.repeat(mask["labels"], mask["lengths"]).reshape(each.shape)
        np.testing.assert_array_equal(whole, models["masks"].predict(each[None])[0])
    refused = post(service, "/predict/masks", files=files, headers={"accept": "image/png"})
    assert (refused.status_code, "2 pictures came" in refused.json()["error"]) == (422, True)


def test_pixels_are_limited_together(models):
    small = service_of({"m": models["masks"]}, Settings(engine="torch", limits=Limits(own_pixels=100)))
    pixels = np.zeros((8, 8), dtype=np.uint8)
    assert post(small, "/predict", **sent(pixels)).status_code == 200
    files = [("file", (f"{i}.png", png(pixels))) for i in range(2)]
    answer = post(small, "/predict", files=files)
    assert (answer.status_code, answer.json()["allowed"]) == (413, 36)


@pytest.mark.parametrize("engine", ["onnx", "torch"] if THOROUGH else ["torch"])
@pytest.mark.parametrize("scale", [1, 2])
def test_boxes_stand_in_pixels_of_the_picture(models, engines, engine, scale):
    service = engines[engine]
    pixels = squares_in_bytes(3)[0][1]
    large = np.array(Image.fromarray(pixels).resize((20 * scale, 24 * scale), Image.Resampling.NEAREST))
    (expected,) = models["boxes"].predict([Image.fromarray(large)])
    assert len(expected)
    (objects,) = said_by(service, "boxes", **sent(large))["predictions"]
    assert [each["label"] for each in objects] == expected.labels.tolist()
    np.testing.assert_allclose([each["score"] for each in objects], expected.scores, atol=1e-5)
    np.testing.assert_allclose([each["box"] for each in objects], expected.boxes * scale, atol=1e-3)


def test_words_get_labels_whether_cut_or_not(models, service):
    texts = [["Walking", "x", "1984"], ["x"]]
    shares = [each.max(axis=1) for each in models["words"].predict_proba(texts)]
    joined = [" ".join(words) for words in texts]
    csv = {"content": "\n".join(["tokens", *joined]), "headers": {"content-type": "text/csv"}}
    for form in ({"json": texts}, {"json": joined}, {"json": [{"tokens": words} for words in texts]}, csv):
        said = said_by(service, "words", **form)
        assert said["words"] == texts
        assert said["predictions"] == [list(each) for each in models["words"].predict(texts)]
        for own, share in zip(said["probabilities"], shares, strict=True):
            np.testing.assert_allclose(own, share, atol=1e-5)


def test_steps_of_sequences_get_labels(models, engines):
    X, _ = waves(n=3)
    said = said_by(engines["torch"], "steps", json=X.tolist())
    assert said["predictions"] == [list(each) for each in models["steps"].predict(list(X))]


@pytest.mark.parametrize("engine", ["onnx", "torch"] if THOROUGH else ["torch"])
def test_sequences_of_different_lengths(models, engines, engine):
    service = engines[engine]
    X = [np.random.default_rng(n).normal(size=(n, 2)) for n in (1, 7, 3)]
    said = said_by(service, "long", json=[each.tolist() for each in X])
    assert said["predictions"] == models["long"].predict(X).tolist()
    np.testing.assert_allclose(said["probabilities"], models["long"].predict_proba(X), atol=1e-5)
    answers = ask(service, *(("POST", "/predict/long", {"json": [each.tolist()]}) for each in X))  # in one batch
    assert [each.json()["predictions"][0] for each in answers] == said["predictions"]


def test_a_long_text_does_not_fill_up_all_others(models, engines, monkeypatch):
    monkeypatch.setattr(onnx_backend, "TOGETHER", 12)
    texts = [["x", "Walking", "1984"][n % 3 :] * n for n in (1, 6, 1, 2, 1)]  # of 2, 18, 2, 2 and 2 words
    backend = engines["onnx"].shelf.find("words").backend
    assert [places.tolist() for places in backend._groups(ragged(texts))] == [[0, 2, 3, 4], [1]]
    said = said_by(engines["onnx"], "words", json=texts)
    assert said["predictions"] == [list(each) for each in models["words"].predict(texts)]


def future(series):
    """Return series as rows: behind the last target of each what is known of three steps to come."""
    parts = []
    for name, part in series.groupby("place"):
        when = part["day"].iloc[-1] + pd.to_timedelta(np.arange(1, 4), unit="D")
        rows = pd.DataFrame({"place": name, "day": when, "one": np.nan, "other": [0.5, 1.0, 1.5]})
        parts += [part, rows]
    return pd.concat(parts, ignore_index=True)


def rows_of(series):
    return json.loads(series.assign(day=series["day"].dt.strftime("%Y-%m-%d")).to_json(orient="records"))


def test_forecasts_have_times_and_quantiles(models, service):
    series = future(several_series()[0])
    expected = models["ahead"].forecast(series)
    csv = {"content": series.to_csv(index=False), "headers": {"content-type": "text/csv"}}
    for form in ({"json": rows_of(series)}, csv):
        said = pd.DataFrame(said_by(service, "ahead", **form)["predictions"])
        columns = expected.columns()
        assert said["series"].tolist() == [str(each) for each in columns["series"]]
        assert said["time"].tolist() == [str(each) for each in columns["time"]]
        for name in ("one", *(f"one_{level:g}" for level in models["ahead"].quantiles)):
            np.testing.assert_allclose(said[name], columns[name], rtol=1e-5, atol=1e-5)


def test_histories_that_will_not_do(service):
    series = future(several_series()[0])
    for form, words in (
        ({"json": rows_of(series)[-4:]}, "up to its last target, but the model reads 12"),
        ({"json": [{**row, "one": "1"} for row in rows_of(series)]}, "column 'one', row 0: the text '1' came"),
        ({"json": [{k: v for k, v in row.items() if k != "day"} for row in rows_of(series)]}, "no column 'day'"),
        ({"json": rows_of(series[series["one"].notna()])}, "'other' is told for 0 steps"),
    ):
        answer = post(service, "/predict/ahead", **form)
        assert answer.status_code == 422
        assert words in answer.json()["error"]


def test_outliers_and_codes_of_rows(models, service, engines):
    table = pd.DataFrame({"a": [0.1, 50.0, -1.0], "b": ["x", "y", "x"]})
    said = said_by(service, "odd", json=table.to_dict("records"))
    assert said["predictions"] == models["odd"].predict(table).tolist()
    assert -1 in said["predictions"]
    np.testing.assert_allclose(said["scores"], models["odd"].decision_function(table), rtol=1e-5, atol=1e-5)
    for name, asked in (("odd", service), ("codes", engines["torch"])):
        codes = said_by(asked, name, content=table.to_csv(index=False), headers={"content-type": "text/csv"})["codes"]
        np.testing.assert_allclose(codes, models[name].transform(table), rtol=1e-5, atol=1e-5)


TENSORS = {
    "masks": [("image", "UINT8", np.arange(120, dtype=np.uint8).reshape(2, 6, 10, 1))],
    "boxes": [("image", "UINT8", squares_in_bytes(2)[0][..., None])],
    "words": [("tokens", "BYTES", np.array(["Walking x", "x"]))],
    "long": [("sequence", "FP64", np.ones((2, 4, 2))), ("sequence_length", "INT64", np.array([4, 2]))],
    "odd": [("a", "FP64", np.ones(2)), ("b", "BYTES", np.array(["x", "y"]))],
}


@pytest.mark.parametrize("engine", ["onnx", "torch"])
@pytest.mark.parametrize("name", TENSORS)
def test_all_outputs_come_as_tensors_of_the_promised_shapes(models, engines, engine, name):
    service = of(engines, engine, name)
    inputs = [
        {"name": column, "datatype": kind, "shape": list(values.shape), "data": values.ravel().tolist()}
        for column, kind, values in TENSORS[name]
    ]
    answer = post(service, f"/v2/models/{name}/infer", json={"inputs": inputs})
    assert answer.status_code == 200, answer.text
    promised = {each["name"]: each for each in get(service, f"/v2/models/{name}").json()["outputs"]}
    found = {each["name"]: each for each in answer.json()["outputs"]}
    assert set(found) == set(promised)
    for role, each in found.items():
        assert each["datatype"] == promised[role]["datatype"]
        assert len(each["data"]) == np.prod(each["shape"])
        assert all(n in (-1, m) for n, m in zip(promised[role]["shape"], each["shape"], strict=True))
    if name == "long":
        expected = models["long"].predict_proba([np.ones((4, 2)), np.ones((2, 2))])
        np.testing.assert_allclose(np.reshape(found["probabilities"]["data"], (2, -1)), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "form", "status", "words"),
    [
        ("masks", {"json": [[1]]}, 415, "the model takes a picture"),
        ("long", {"content": b"a,b", "headers": {"content-type": "text/csv"}}, 415, "a list of sequences"),
        ("long", {"json": [[]]}, 422, "column 'sequence', row 0: a list of 0 came"),
        ("long", {"json": [[[1, 2]], [[1]]]}, 422, "row 1: the step a list of 1 came; allowed is a list of steps"),
        ("long", {"json": [[[1, "2"]]]}, 422, "the step a list of 2"),
        ("long", {"json": [[[1, 1e999]]]}, 422, "Infinity"),
        ("long", {"json": [[[0, 0]] * 31]}, 413, "31 steps; 30 are allowed"),
        ("words", {"json": [["a", ""]]}, 422, "allowed is words that are not empty"),
        ("words", {"json": [["a"], "b"]}, 422, "in all rows alike"),
        ("words", {"json": ["a " * 60]}, 413, "120 letters; 100 are allowed"),
        ("words", {"json": [["a"] * 31]}, 413, "31 words; 30 are allowed"),
        ("words", {"json": []}, 422, '["some words", …]'),
    ],
)
def test_what_will_not_do_is_said(models, name, form, status, words):
    service = service_of({"m": models[name]}, Settings(engine="torch", limits=Limits(steps=30, letters=100)))
    if "json" in form:
        form = {"content": json.dumps(form["json"]).replace("Infinity", "1e999")}
    answer = post(service, "/predict", **form)
    assert answer.status_code == status, answer.text
    assert words.replace("Infinity", "too large") in answer.json()["error"]


def test_only_labels_and_numbers_of_rows_are_explained(engines):
    answer = post(engines["torch"], "/explain/odd", json=[{"a": 1.0, "b": "x"}])
    assert (answer.status_code, "of reconstruction are not explained" in answer.json()["error"]) == (422, True)
    assert "/explain/odd" not in get(engines["torch"], "/openapi.json").json()["paths"]


def test_the_examples_are_answered_and_the_page_shows_them(engines):
    service = engines["torch"]
    described, page = get(service, "/openapi.json").json()["paths"], get(service, "/docs").text
    for name in ("words", "steps", "ahead", "odd", "codes", "long"):
        content = described[f"/predict/{name}"]["post"]["requestBody"]["content"]["application/json"]
        answer = post(service, f"/predict/{name}", json=content["example"])
        assert answer.status_code == 200, answer.text
        assert f"/predict/{name}" in page
    assert "at least 12 of each series" in page
    assert "-F file=@rows.csv    # its first line: day,place,one,other" in page
    (asked,) = re.findall(r"/v2/models/long/infer -d &#x27;(.*?)&#x27;", page)
    assert post(service, "/v2/models/long/infer", content=html.unescape(asked)).status_code == 200
    assert "Accept: image/png" in page


def test_what_makes_new_data_is_not_served():
    gan = gg.GAN(hidden=(4,), **TINY).fit(np.random.default_rng(0).normal(size=(20, 2)))
    with pytest.raises(InvalidModel, match=r"GAN \(generation of table\) is not served: it makes new data.*sample\(\)"):
        service_of({"m": gan})
