"""Exported models behind the same paths give the same answers; what cannot leave is answered by PyTorch."""

import json
import re
import shutil
import subprocess
import sys
import urllib.request

import numpy as np
import pytest
from tests.serving.asking import ask, frame, get, post, rows_of

import ganglion as gg
from ganglion.deployment.serving.exporting import _kept
from ganglion.deployment.serving.onnx_backend import OnnxBackend
from ganglion.deployment.serving.server import service_of


@pytest.fixture(scope="module")
def path(mixed, tmp_path_factory):
    path = tmp_path_factory.mktemp("onnx") / "mixed.ganglion"
    mixed.save(path)
    return path


@pytest.fixture(scope="module")
def file(path):
    """Return the exported file."""
    service_of(str(path))
    return shutil.copy(_kept(path), path.with_suffix(".onnx"))


@pytest.fixture(scope="module")
def alone(file):
    """Return a service that has the exported file alone."""
    return service_of(str(file))


WITHOUT_TORCH = """
import sys
sys.modules['torch'] = sys.modules['sklearn'] = None
sys.argv = ['ganglion', 'serve', sys.argv[1], '--port', '0']
from ganglion.cli.main import run
run()
"""


def test_an_exported_file_is_served_without_torch(mixed, file):
    table = frame(5, seed=8)
    table.loc[1, "size"] = np.nan
    with subprocess.Popen(
        [sys.executable, "-c", WITHOUT_TORCH, str(file)], stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        told = ""
        while not (found := re.search(r"http://127\.0\.0\.1:(\d+)", told)):
            line = server.stderr.readline()
            assert line, told
            told += line.strip()
        for path, kind, body in (
            ("predict", "application/json", json.dumps(rows_of(table))),
            ("predict", "text/csv", table.to_csv(index=False)),
            ("openapi.json", "", ""),
            ("docs", "", ""),
            ("metrics", "", ""),
        ):
            url = f"http://127.0.0.1:{found[1]}/{path}"
            asked = urllib.request.Request(url, body.encode() or None, {"content-type": kind})
            with urllib.request.urlopen(asked, timeout=20) as answer:
                said = answer.read()
            if path == "predict":
                np.testing.assert_allclose(json.loads(said)["probabilities"], mixed.predict_proba(table), atol=1e-5)
        server.terminate()
        assert server.wait(20) == 0


def test_a_model_file_is_exported_once_and_answers_the_same(mixed, path):
    service = service_of(str(path))
    (health,) = get(service, "/health").json()["models"]
    assert (health["engine"], health["note"]) == ("onnxruntime", "")
    table = frame(40, seed=6).assign(color=["red", "mauve"] * 20)
    answer = post(service, "/predict", json=rows_of(table)).json()
    assert answer["predictions"] == mixed.predict(table).tolist()
    np.testing.assert_allclose(answer["probabilities"], mixed.predict_proba(table), atol=1e-5)
    assert post(service, "/explain", json=rows_of(table[:1])).status_code == 200
    again = service_of(str(path))  # from the cache, or this would take seconds
    assert isinstance(again.shelf.find().backend, OnnxBackend)


def test_an_exported_file_is_served_by_itself(mixed, alone):
    table = frame(30, seed=7)
    answers = ask(alone, *(("POST", "/predict", {"json": row}) for row in rows_of(table)))
    assert [answer.json()["predictions"][0] for answer in answers] == mixed.predict(table).tolist()
    inputs = get(alone, "/v2/models/mixed").json()
    assert inputs["platform"] == "onnxruntime_onnx"
    assert [each["name"] for each in inputs["inputs"]] == list(table.columns)
    refused = post(alone, "/explain", json=rows_of(table[:1]))
    assert refused.status_code == 422
    assert "cannot be explained" in refused.json()["error"]
    wrong = post(alone, "/predict", json=rows_of(table.assign(weight="x"))[:1])
    assert (wrong.status_code, wrong.json()["column"]) == (422, "weight")
    assert get(alone, "/docs").status_code == 200
    assert alone.shelf.find().backend.summary == mixed.summary_


@pytest.mark.parametrize("kind", ["numbers", "pictures", "texts"])
def test_other_inputs_of_exported_files(kind, request, tmp_path):
    model = request.getfixturevalue(kind)
    gg.export(model, tmp_path / "m.onnx")
    service = service_of(str(tmp_path / "m.onnx"))
    if kind == "pictures":
        pixels = np.random.default_rng(1).integers(0, 255, (2, 12, 10, 3), dtype=np.uint8)
        tensor = {"name": "image", "shape": [2, 12, 10, 3], "datatype": "UINT8", "data": pixels.ravel().tolist()}
        said = post(service, "/v2/models/m/infer", json={"inputs": [tensor]}).json()["outputs"][0]["data"]
        assert said == model.predict(pixels).tolist()
        return
    rows = [[1.0, 2.0, 3.0], [0.0, -1.0, 2.0]] if kind == "numbers" else ["a good film", "a bad day"]
    said = post(service, "/predict", json=rows).json()["predictions"]
    expected = model.predict(np.array(rows) if kind == "numbers" else rows).tolist()
    assert said == (pytest.approx(expected, rel=1e-4) if kind == "numbers" else expected)


def test_what_cannot_leave_is_answered_by_torch(mixed):
    model = gg.MLPClassifier(hidden=(4,), epochs=1, random_state=0).fit(frame(), frame()["weight"] > 0.1)
    model.set_params(precision="bfloat16")
    service = service_of({"m": model})
    (health,) = get(service, "/health").json()["models"]
    assert health["engine"] == "torch"
    assert "bfloat16" in health["note"]
    assert post(service, "/predict", json=rows_of(frame(2))).status_code == 200
