"""The Open Inference Protocol 2: answers as its description has them, and what the model says in Python."""

import numpy as np
import pytest
from tests.serving.asking import ask, frame, get, post, rows_of, service_of

KINDS = {"color": "BYTES", "size": "FP64", "when": "BYTES", "loud": "BOOL", "weight": "FP64"}


def request_of(table, **more):
    rows = rows_of(table)
    inputs = [
        {"name": name, "shape": [len(rows)], "datatype": kind, "data": [row[name] for row in rows]}
        for name, kind in KINDS.items()
    ]
    return {"inputs": inputs, **more}


def test_metadata(table_service):
    server = get(table_service, "/v2").json()
    assert server["name"] == "ganglion"
    assert server["extensions"] == []
    assert get(table_service, "/v2/").json() == server
    model = get(table_service, "/v2/models/mixed").json()
    assert model["versions"] == ["1"]
    assert {each["name"]: each["datatype"] for each in model["inputs"]} == KINDS
    assert all(each["shape"] == [-1] for each in model["inputs"])
    assert model["outputs"] == [
        {"name": "prediction", "datatype": "BYTES", "shape": [-1]},
        {"name": "probabilities", "datatype": "FP64", "shape": [-1, 2]},
    ]
    assert get(table_service, "/v2/models/mixed/versions/1").json() == model


def test_health(table_service):
    paths = ["/v2/health/live", "/v2/health/ready", "/v2/models/mixed/ready", "/v2/models/mixed/versions/1/ready"]
    assert [get(table_service, path).status_code for path in paths] == [200] * 4
    assert get(table_service, "/v2/models/other/ready").status_code == 404
    table_service.draining = True
    assert get(table_service, "/v2/health/live").status_code == 200
    assert get(table_service, "/v2/health/ready").status_code == 400


@pytest.mark.parametrize("path", ["/v2/models/mixed/infer", "/v2/models/mixed/versions/1/infer"])
def test_tensors_get_the_models_own_answer(mixed, table_service, path):
    table = frame(7, seed=4)
    said = post(table_service, path, json=request_of(table, id="42", parameters={"x": 1})).json()
    assert (said["model_name"], said["model_version"], said["id"]) == ("mixed", "1", "42")
    prediction, shares = said["outputs"]
    assert prediction == {
        "name": "prediction",
        "datatype": "BYTES",
        "shape": [7],
        "data": mixed.predict(table).tolist(),
    }
    assert (shares["datatype"], shares["shape"]) == ("FP64", [7, 2])
    np.testing.assert_allclose(np.reshape(shares["data"], (7, 2)), mixed.predict_proba(table), atol=1e-6)


def test_outputs_may_be_chosen(table_service):
    said = post(table_service, "/v2/models/mixed/infer", json=request_of(frame(2), outputs=[{"name": "probabilities"}]))
    assert [each["name"] for each in said.json()["outputs"]] == ["probabilities"]
    for odd in ([{"name": "other"}], [{}], "x", [{"name": "prediction"}] * 2):
        assert post(table_service, "/v2/models/mixed/infer", json=request_of(frame(2), outputs=odd)).status_code == 422


def test_a_block_flat_or_nested(numbers):
    service = service_of({"n": numbers})
    X = np.random.default_rng(1).normal(size=(4, 3))
    forms = [X.tolist(), X.ravel().tolist()]
    answers = ask(
        service,
        *(
            (
                "POST",
                "/v2/models/n/infer",
                {"json": {"inputs": [{"name": "x", "shape": [4, 3], "datatype": "FP32", "data": form}]}},
            )
            for form in forms
        ),
    )
    for answer in answers:
        (output,) = answer.json()["outputs"]
        assert output["datatype"] == "FP64"
        np.testing.assert_allclose(output["data"], numbers.predict(X), rtol=1e-6)


def test_pictures_as_tensors(pictures):
    pixels = np.random.default_rng(1).integers(0, 255, (2, 12, 10, 3), dtype=np.uint8)
    tensor = {"name": "image", "shape": [2, 12, 10, 3], "datatype": "UINT8", "data": pixels.ravel().tolist()}
    said = post(service_of({"p": pictures}), "/v2/models/p/infer", json={"inputs": [tensor]}).json()
    shares = np.reshape(said["outputs"][1]["data"], (2, 2))
    np.testing.assert_allclose(shares, pictures.predict_proba(pixels), atol=1e-6)


def changed(name="weight", **parts):
    request = request_of(frame(2))
    tensor = next(each for each in request["inputs"] if each["name"] == name)
    tensor |= parts
    return request


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ([], '"inputs"'),
        ({"inputs": 3}, '"inputs"'),
        ({"inputs": [3]}, '"name"'),
        ({"inputs": []}, "'color' is not in both"),
        ({"inputs": request_of(frame(2))["inputs"] * 2}, "twice"),
        (changed(name="color", data=["a"]), "'color': 1 values for the shape [2]"),
        (changed(shape=[2, 2], data=[1, 2, 3, 4]), "allowed is [n] or [n, 1]"),
        (changed(shape=[]), "2 values for the shape []"),
        (changed(shape=[], data=[1]), "[n] or [n, 1]"),
        (changed(shape=[-1]), "whole numbers"),
        (changed(shape="2"), "whole numbers"),
        (changed(shape=[2**31]), "whole numbers"),
        (changed(datatype="FP128"), "the text 'FP128' came; allowed is FP64, FP32"),
        (changed(datatype=["FP32"]), "the datatype a list of 1"),
        (changed(datatype="INT64", data=[1, 1.5]), "the number 1.5 as value 1 came; allowed is values of INT64"),
        (changed(datatype="UINT8", data=[1, 256]), "0 to 255"),
        (changed(datatype="INT8", data=[1, -129]), "-128 to 127"),
        (changed(datatype="FP64", data=["1", "2"]), "the text '1' as value 0"),
        (changed(data=None), "null came"),
        (changed(data=[[1], 2]), "a list of 1 as value 0"),
        (changed(name="loud", data=[1, 0]), "values of BOOL"),
        (changed(name="when", data=["x", "y"]), "a date as text"),
        ({"inputs": request_of(frame(2))["inputs"][:-1] + request_of(frame(3))["inputs"][-1:]}, "same number of rows"),
        (request_of(frame(2), id=3), '"id" is a text'),
    ],
)
def test_what_is_no_request_is_refused(table_service, request_, says):
    answer = post(table_service, "/v2/models/mixed/infer", json=request_)
    assert answer.status_code == 422, answer.text
    assert says in answer.json()["error"]


def test_no_rows_and_binary_tensors_are_refused(table_service):
    none = {"inputs": [each | {"shape": [0], "data": []} for each in request_of(frame(1))["inputs"]]}
    assert "no row came" in post(table_service, "/v2/models/mixed/infer", json=none).json()["error"]
    binary = post(table_service, "/v2/models/mixed/infer", json=none, headers={"inference-header-content-length": "10"})
    assert binary.status_code == 415
