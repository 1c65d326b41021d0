"""What the server offers as OpenAPI 3.1, made from the models' signatures: each body and answer is described."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganglion.deployment.serving.binary_tensors import KIND
from ganglion.deployment.serving.explaining import MOST_ROWS
from ganglion.deployment.serving.schemas import answer_of, rows_of
from ganglion.deployment.serving.served import Served
from ganglion.deployment.serving.settings import Settings
from ganglion.deployment.serving.shelf import Shelf
from ganglion.deployment.serving.wanted import FILES, example_rows, takes_numbers
from ganglion.deployment.signature import ROWS, Signature
from ganglion.version import __version__

_ERRORS = {
    "400": "The request was broken off.",
    "401": "The token is missing or wrong.",
    "403": "The request came by a foreign name, or from a foreign page.",
    "404": "There is no such path or model.",
    "405": "The path takes another method.",
    "408": "The request did not come in time.",
    "413": "The request is too large.",
    "415": "The body is of a type that the model does not read.",
    "422": "The body will not do: the column, what came and what is allowed are told.",
    "503": "Too many requests wait already: try again after Retry-After seconds.",
    "504": "The answer did not come in time.",
}
_REF = "#/components/schemas/"


def openapi_of(shelf: Shelf, settings: Settings) -> dict[str, Any]:
    """Return the description of a server as OpenAPI has it.

    Parameters
    ----------
    shelf : Shelf
        The models, whose newest versions are described.
    settings : Settings
    """
    served = [shelf.find(name) for name in shelf.names]
    paths = {**_general(), **{path: item for each in served for path, item in _of_model(each, shelf, settings).items()}}
    if len(served) == 1:
        paths |= {f"/{verb}": _post(served[0], verb, settings) for verb in verbs(served[0].signature)}
    found: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Ganglion",
            "version": __version__,
            "description": "Models that were trained with Ganglion: plain requests, and the Open Inference Protocol 2.",
        },
        "paths": paths,
        "components": {"schemas": {**_schemas(), **_of_signatures(served)}},
    }
    if settings.token:
        found["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        found["security"] = [{"token": []}]
    return found


def verbs(signature: Signature) -> tuple[str, ...]:
    """Return what a model may be asked for."""
    return ("predict", "explain") if signature.task in ROWS else ("predict",)


def _general() -> dict[str, Any]:
    health = {"type": "object", "required": ["status", "models"], "properties": {"status": {"type": "string"}}}
    yes = {"type": "object", "additionalProperties": {"type": "boolean"}}
    return {
        "/health": _get("How the server and each model are", health),
        "/metrics": _get("What was counted, for Prometheus", {"type": "string"}, "text/plain"),
        "/drift": _get("Counts of what came lately beside training", {"type": "object", "required": ["models"]}),
        "/docs": _get("A page that says how to ask", {"type": "string"}, "text/html"),
        "/openapi.json": _get("This description", {"type": "object"}),
        "/v2": _get("What the server is", {"$ref": f"{_REF}server"}),
        "/v2/health/live": _get("Whether the server lives", yes),
        "/v2/health/ready": _get("Whether the server takes requests", yes),
    }


def _of_model(served: Served, shelf: Shelf, settings: Settings) -> dict[str, Any]:
    version = {
        "name": "version",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "enum": list(shelf.versions(served.name))},
    }
    found = {
        f"/{verb}/{served.name}{place}": _post(served, verb, settings)
        for verb in verbs(served.signature)
        for place in ("", "/versions/{version}")
    }
    ready = {"type": "object", "required": ["name", "ready"], "properties": {"ready": {"type": "boolean"}}}
    for path in (f"/v2/models/{served.name}", f"/v2/models/{served.name}/versions/{{version}}"):
        found |= {
            path: _get("What the model takes and gives", {"$ref": f"{_REF}model"}),
            f"{path}/ready": _get("Whether the model is there", ready),
            f"{path}/infer": {"post": _infer()},
        }
    return {path: {**item, "parameters": [version]} if "{version}" in path else item for path, item in found.items()}


def _get(summary: str, schema: Mapping[str, Any], kind: str = "application/json") -> dict[str, Any]:
    return {"get": {"summary": summary, "responses": _responses(schema, kind)}}


def _responses(schema: Mapping[str, Any], kind: str = "application/json") -> dict[str, Any]:
    error = {"application/json": {"schema": {"$ref": f"{_REF}error"}}}
    return {
        "200": {"description": "The answer.", "content": {kind: {"schema": schema}}},
        **{status: {"description": text, "content": error} for status, text in _ERRORS.items()},
    }


def _infer() -> dict[str, Any]:
    responses = _responses({"$ref": f"{_REF}response"})
    responses["200"]["content"][KIND.decode()] = {"schema": {"type": "string", "format": "binary"}}
    return {
        "summary": "What the model says of tensors",
        "description": "With the header Inference-Header-Content-Length, data of tensors may stand behind the JSON as "
        "bytes, and come so where it asks for that: the protocol's extension binary_tensor_data.",
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"$ref": f"{_REF}request"}}}},
        "responses": responses,
    }


def _post(served: Served, verb: str, settings: Settings) -> dict[str, Any]:
    summary = {"predict": "What the model says of each row", "explain": "Why it says so"}[verb]
    answer = f"{served.name}-answer" if verb == "predict" else "explained"
    body = {"required": True, "content": _content(served, "rows" if verb == "predict" else "few-rows")}
    responses = _responses({"$ref": f"{_REF}{answer}"})
    if served.signature.task == "segmentation":  # asked for by the header Accept
        responses["200"]["content"]["image/png"] = {"schema": {"type": "string", "format": "binary"}}
    return {"post": {"summary": summary, "requestBody": body, "responses": responses}}


def _content(served: Served, rows: str) -> dict[str, Any]:
    form = {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {"type": "string", "format": "binary"}},
            }
        }
    }
    signature = served.signature
    if signature.modality in FILES:
        binary = {"schema": {"type": "string", "format": "binary"}}
        form = {**dict.fromkeys(FILES[signature.modality], binary), **form}
        if not takes_numbers(signature):
            return form
    middles = served.backend.summary.middles if served.backend.summary else {}
    text = {"schema": {"type": "string"}}
    found: dict[str, Any] = {
        "application/json": {
            "schema": {"$ref": f"{_REF}{served.name}-{rows}"},
            "example": example_rows(signature, middles),
        }
    }
    if signature.modality == "sequence":
        return found
    return {**found, **form} if signature.modality in FILES else {**found, "text/csv": text, **form}


def _of_signatures(served: list[Served]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in served:
        found[f"{each.name}-answer"] = answer_of(each.signature)
        if each.signature.modality not in FILES or takes_numbers(each.signature):
            found[f"{each.name}-rows"] = rows_of(each.signature)
            if each.signature.task in ROWS:
                found[f"{each.name}-few-rows"] = rows_of(each.signature, MOST_ROWS)
    return found


def _schemas() -> dict[str, Any]:
    text = {"type": "string"}
    shape = {"type": "array", "items": {"type": "integer", "minimum": 0}}
    data = {"type": "array"}
    described = {"type": "object", "required": ["name", "datatype", "shape"]}
    tensor = {
        "type": "object",
        "required": ["name", "shape", "datatype", "data"],
        "properties": {"name": text, "shape": shape, "datatype": text, "data": data, "parameters": {"type": "object"}},
    }
    listed = {"type": "array", "items": {"$ref": f"{_REF}tensor"}}
    wanted = {"type": "array", "items": {"type": "object", "required": ["name"], "properties": {"name": text}}}
    explanation = {"type": "object", "required": ["output", "prediction", "base", "features"]}
    return {
        "error": {"type": "object", "required": ["error"], "properties": {"error": text}},
        "server": _object(name=text, version=text, extensions={"type": "array", "items": text}),
        "model": _object(
            name=text,
            platform=text,
            versions={"type": "array", "items": text},
            inputs={"type": "array", "items": described},
            outputs={"type": "array", "items": described},
        ),
        "tensor": tensor,
        "request": {
            "type": "object",
            "required": ["inputs"],
            "properties": {"id": text, "inputs": listed, "outputs": wanted, "parameters": {"type": "object"}},
        },
        "response": _object(model_name=text, model_version=text, outputs=listed),
        "explained": _object(model=text, version=text, explanations={"type": "array", "items": explanation}),
    }


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}
