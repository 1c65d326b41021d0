"""The Open Inference Protocol 2: answers as its description has them, and what the model says in Python."""

import json
import math
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from tests.serving.asking import ask, frame, get, post, rows_of, service_of

import ganglion as gg
from ganglion.deployment.serving.settings import Limits, Settings

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
    assert server["extensions"] == ["binary_tensor_data"]
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


def test_no_rows_are_refused(table_service):
    none = {"inputs": [each | {"shape": [0], "data": []} for each in request_of(frame(1))["inputs"]]}
    assert "no row came" in post(table_service, "/v2/models/mixed/infer", json=none).json()["error"]


def raw_of(datatype, data):
    """Return the bytes of a tensor as the extension has them, written value by value."""
    if datatype == "BYTES":
        return b"".join(struct.pack("<I", len(each.encode())) + each.encode() for each in data)
    code = {"FP64": "d", "FP32": "f", "BOOL": "?", "INT16": "h"}[datatype]
    return struct.pack(f"<{len(data)}{code}", *(math.nan if each is None else each for each in data))


def binary_of(request):
    """Return a request as JSON and the data behind it, and the header that says where they begin."""
    raw = [raw_of(each["datatype"], each["data"]) for each in request["inputs"]]
    inputs = [
        {name: part for name, part in each.items() if name != "data"} | {"parameters": {"binary_data_size": len(data)}}
        for each, data in zip(request["inputs"], raw, strict=True)
    ]
    head = json.dumps(request | {"inputs": inputs}).encode()
    headers = {"inference-header-content-length": str(len(head)), "content-type": "application/octet-stream"}
    return {"content": head + b"".join(raw), "headers": headers}


def test_tensors_as_bytes_are_answered_as_those_in_json(table_service):
    path, table = "/v2/models/mixed/infer", frame(12, seed=4).assign(color=["grün", "red", ""] * 4)
    expected = post(table_service, path, json=request_of(table)).json()
    answer = post(table_service, path, **binary_of(request_of(table)))
    assert answer.json() == expected
    asked = {"outputs": [{"name": "probabilities", "parameters": {"binary_data": True}}, {"name": "prediction"}]}
    answer = post(table_service, path, **binary_of(request_of(table, **asked)))
    start = int(answer.headers["inference-header-content-length"])
    shares, labels = json.loads(answer.content[:start])["outputs"]
    assert labels == expected["outputs"][0]
    assert shares == {
        **{name: expected["outputs"][1][name] for name in ("name", "datatype", "shape")},
        "parameters": {"binary_data_size": 12 * 2 * 8},
    }
    assert np.frombuffer(answer.content[start:], "<f8").tolist() == expected["outputs"][1]["data"]


def test_all_outputs_come_as_bytes_where_the_request_wants_it(table_service):
    request = request_of(frame(3), parameters={"binary_data_output": True})
    answer = post(table_service, "/v2/models/mixed/infer", json=request)
    assert answer.headers["content-type"] == "application/octet-stream"
    start = int(answer.headers["inference-header-content-length"])
    labels, shares = json.loads(answer.content[:start])["outputs"]
    plain = post(table_service, "/v2/models/mixed/infer", json=request_of(frame(3))).json()["outputs"]
    size = labels["parameters"]["binary_data_size"]
    assert answer.content[start : start + size] == raw_of("BYTES", plain[0]["data"])
    assert len(answer.content) == start + size + shares["parameters"]["binary_data_size"]


@pytest.mark.parametrize(
    ("content", "header", "says"),
    [
        (b"{}", "-1", "the body has 2 bytes"),
        (b"{}", "3", "the body has 2 bytes"),
        (b"{}", "²", "the body has 2 bytes"),
        (b"{}", "9" * 40, "the body has 2 bytes"),
        (b"{}rest", "2", "4 bytes stand behind the tensors"),
        (b"[1]", "3", '"inputs"'),
        (b'{"inputs": [1]}', "15", '"name"'),
    ],
)
def test_headers_that_do_not_fit_the_body_are_refused(table_service, content, header, says):
    headers = {"inference-header-content-length": header.encode("latin-1")}
    answer = post(table_service, "/v2/models/mixed/infer", content=content, headers=headers)
    assert answer.status_code == 422
    assert says in answer.json()["error"]


@pytest.mark.parametrize(
    ("datatype", "size", "raw", "says"),
    [
        ("FP64", 16, bytes(15), "more bytes than the body has"),
        ("FP64", 15, bytes(15), "15 bytes came of the datatype 'FP64'"),
        ("FP64", -8, b"", "a whole number of bytes"),
        ("FP64", 16.0, bytes(16), "a whole number of bytes"),
        ("FP128", 16, bytes(16), "of the datatype 'FP128'; known are BYTES"),
        ("BOOL", 2, b"\0\2", "0 or 1"),
        ("BYTES", 8, b"\3\0\0\0abc\1", "one is longer than the rest"),
        ("BYTES", 8, b"\xff\xff\xff\xffabcd", "one is longer than the rest"),
        ("BYTES", 6, b"\2\0\0\0\xff\xfe", "text 0 of BYTES is no UTF-8"),
        ("FP64", 16, struct.pack("<2d", 1, math.inf), "the number inf"),
    ],
)
def test_bytes_that_are_no_tensor_are_refused(table_service, datatype, size, raw, says):
    tensor = {"name": "weight", "shape": [2], "datatype": datatype, "parameters": {"binary_data_size": size}}
    others = [each for each in request_of(frame(2))["inputs"] if each["name"] != "weight"]
    head = json.dumps({"inputs": [*others, tensor]}).encode()
    headers = {"inference-header-content-length": str(len(head))}
    answer = post(table_service, "/v2/models/mixed/infer", content=head + raw, headers=headers)
    assert answer.status_code == 422, answer.text
    assert says in answer.json()["error"]


def test_bytes_of_too_many_values_are_refused_before_they_are_read(mixed):
    few = service_of({"mixed": mixed}, Settings(limits=Limits(values=1000)))
    tensor = {"name": "weight", "shape": [1500], "datatype": "BOOL", "parameters": {"binary_data_size": 1500}}
    head = json.dumps({"inputs": [tensor]}).encode()
    headers = {"inference-header-content-length": str(len(head))}
    answer = post(few, "/v2/models/mixed/infer", content=head + bytes(1500), headers=headers)
    assert (answer.status_code, answer.json()["allowed"]) == (413, 1000)


# The protocol's own description. What it says of each object stands below in short: required fields and types, as in
# specification/protocol/open_inference_rest.yaml of github.com/kserve/open-inference-protocol (commit 18d5991). Set
# GANGLION_OIP_OPENAPI to a copy of that file to check against it instead.

TEXT, WHOLE, THING = {"type": "string"}, {"type": "integer"}, {"type": "object"}
DATATYPES = {
    "BOOL": bool,
    "BYTES": str,
    **dict.fromkeys(["FP16", "FP32", "FP64"], (int, float)),
    **dict.fromkeys([f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)], int),
}


def list_of(items):
    return {"type": "array", "items": items}


def part(name):
    return {"$ref": f"#/components/schemas/{name}"}


def thing(required, **properties):
    return {"type": "object", "required": required.split(), "properties": properties}


TENSOR = {"name": TEXT, "shape": list_of(WHOLE), "datatype": TEXT}
DATA = {"parameters": part("parameters"), "data": part("tensor_data")}
IN_SHORT = {
    "metadata_server_response": thing("name version extensions", name=TEXT, version=TEXT, extensions=list_of(TEXT)),
    "metadata_server_error_response": thing("error", error=TEXT),
    "metadata_model_response": thing(
        "name platform",
        name=TEXT,
        versions=list_of(TEXT),
        platform=TEXT,
        inputs=list_of(part("metadata_tensor")),
        outputs=list_of(part("metadata_tensor")),
    ),
    "metadata_tensor": thing("name datatype shape", **TENSOR),
    "metadata_model_error_response": thing("error", error=TEXT),
    "inference_request": thing(
        "inputs",
        id=TEXT,
        parameters=part("parameters"),
        inputs=list_of(part("request_input")),
        outputs=list_of(part("request_output")),
    ),
    "parameters": THING,
    "request_input": thing("name shape datatype data", **TENSOR, **DATA),
    "tensor_data": list_of({"anyOf": [part("tensor_data"), {"type": "number"}, TEXT, {"type": "boolean"}]}),
    "request_output": thing("name", name=TEXT, parameters=part("parameters")),
    "response_output": thing("name shape datatype data", **TENSOR, **DATA),
    "inference_response": thing(
        "model_name outputs",
        model_name=TEXT,
        model_version=TEXT,
        id=TEXT,
        parameters=part("parameters"),
        outputs=list_of(part("response_output")),
    ),
    "inference_error_response": thing("", error=TEXT),
}
TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "object": dict, "array": list}


@pytest.fixture(scope="module")
def schemas():
    given = os.environ.get("GANGLION_OIP_OPENAPI")
    if not given:
        return IN_SHORT
    yaml = pytest.importorskip("yaml")
    return yaml.safe_load(Path(given).read_text(encoding="utf-8"))["components"]["schemas"]


def faults(value, schema, schemas, where="answer"):
    """Return what of a value is not as a schema of OpenAPI has it: of its words, those that the protocol uses."""
    if "$ref" in schema:
        return faults(value, schemas[schema["$ref"].rpartition("/")[2]], schemas, where)
    if "anyOf" in schema:
        return [] if any(not faults(value, each, schemas) for each in schema["anyOf"]) else [f"{where}: {value!r}"]
    kind = TYPES[schema["type"]]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        return [f"{where} is {value!r}, no {schema['type']}"]
    if kind is list:
        return [
            each for i, part_ in enumerate(value) for each in faults(part_, schema["items"], schemas, f"{where}[{i}]")
        ]
    if kind is not dict:
        return []
    found = [f"{where} has no {name}" for name in schema.get("required", ()) if name not in value]
    known = schema.get("properties", {})
    return found + [
        each
        for name, part_ in value.items()
        if name in known
        for each in faults(part_, known[name], schemas, f"{where}.{name}")
    ]


def check(answer, name, schemas, status=200):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert faults(answer.json(), schemas[name], schemas) == []
    return answer.json()


def test_the_checker_finds_faults():
    right = {"model_name": "m", "outputs": [{"name": "y", "shape": [1], "datatype": "BOOL", "data": [True, ["x"]]}]}
    assert faults(right, part("inference_response"), IN_SHORT) == []
    assert faults({}, part("inference_response"), IN_SHORT) == ["answer has no model_name", "answer has no outputs"]
    wrong = {"model_name": 1, "outputs": [{"name": "y", "shape": [1.5], "datatype": "BOOL", "data": [None]}]}
    assert [each.partition(" is ")[0] for each in faults(wrong, part("inference_response"), IN_SHORT)] == [
        "answer.model_name",
        "answer.outputs[0].shape[0]",
        "answer.outputs[0].data[0]: None",
    ]


@pytest.fixture(scope="module")
def every_kind(mixed, numbers, pictures):
    """Return a service of models with labels of text, numbers and truth, and with numbers as answers."""
    table = frame()
    truth = gg.MLPClassifier(hidden=(2,), epochs=1, random_state=0).fit(table, table["weight"] > 0)
    return service_of({"mixed": mixed, "numbers": numbers, "pictures": pictures, "truth": truth})


def tensor(name, kind, data, *shape):
    return {"name": name, "datatype": kind, "shape": list(shape), "data": data}


def inputs_of(model, kind):
    """Return tensors for a model, whose numbers are of a datatype."""
    if model == "numbers":
        return [tensor("x", kind, [1, 2, 3, 4, 5, 6], 2, 3)]
    if model == "pictures":
        return [tensor("image", "UINT8", [7] * 360, 1, 12, 10, 3)]
    given = request_of(frame(2, seed=3))["inputs"]
    return [tensor(each["name"], kind, [0, 1], 2) if each["datatype"] == "FP64" else each for each in given]


@pytest.mark.parametrize("version", ["", "/versions/1"])
@pytest.mark.parametrize("model", ["mixed", "numbers", "pictures", "truth"])
def test_metadata_are_as_the_protocol_describes_them(every_kind, schemas, model, version):
    check(get(every_kind, "/v2/"), "metadata_server_response", schemas)
    path = f"/v2/models/{model}{version}"
    said = check(get(every_kind, path), "metadata_model_response", schemas)
    assert {each["datatype"] for each in said["inputs"] + said["outputs"]} <= set(DATATYPES)
    assert get(every_kind, f"{path}/ready").status_code == 200
    check(get(every_kind, f"/v2/models/other{version}"), "metadata_model_error_response", schemas, 404)


@pytest.mark.parametrize(
    ("model", "kind"),
    [("mixed", each) for each in DATATYPES if each not in ("BOOL", "BYTES")]
    + [("numbers", "FP32"), ("numbers", "INT64"), ("pictures", "UINT8"), ("truth", "FP64")],
)
def test_answers_are_as_the_protocol_describes_them(every_kind, schemas, model, kind):
    asked = {"id": "7", "parameters": {}, "inputs": inputs_of(model, kind)}
    assert faults(asked, schemas["inference_request"], schemas) == []
    path = f"/v2/models/{model}"
    said = check(post(every_kind, f"{path}/infer", json=asked), "inference_response", schemas)
    promised = {each["name"]: each for each in get(every_kind, path).json()["outputs"]}
    assert {each["name"] for each in said["outputs"]} == set(promised)
    for each in said["outputs"]:
        assert each["datatype"] == promised[each["name"]]["datatype"]
        shape = promised[each["name"]]["shape"]
        assert len(shape) == len(each["shape"])
        assert all(one in (-1, other) for one, other in zip(shape, each["shape"], strict=True))
        assert len(each["data"]) == math.prod(each["shape"])
        assert all(isinstance(value, DATATYPES[each["datatype"]]) for value in each["data"])


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"inputs": []}', b'{"inputs": [{"name": "size"}]}'])
def test_errors_are_as_the_protocol_describes_them(every_kind, schemas, body):
    answer = post(every_kind, "/v2/models/mixed/infer", content=body)
    assert check(answer, "inference_error_response", schemas, 422)["error"]
    check(post(every_kind, "/v2/models/other/infer", content=body), "inference_error_response", schemas, 404)


def test_our_openapi_promises_what_the_protocol_requires(every_kind, schemas):
    ours = get(every_kind, "/openapi.json").json()["components"]["schemas"]
    pairs = {
        "server": "metadata_server_response",
        "model": "metadata_model_response",
        "request": "inference_request",
        "response": "inference_response",
        "tensor": "response_output",
        "error": "metadata_model_error_response",
    }
    for name, theirs in pairs.items():
        assert set(schemas[theirs]["required"]) <= set(ours[name]["required"])
        assert set(ours[name]["properties"]) <= set(schemas[theirs]["properties"])
