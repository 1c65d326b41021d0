"""The paths of the Open Inference Protocol, version 2 (REST), which KServe, Triton and their clients speak.

https://github.com/kserve/open-inference-protocol. Data are JSON, or bytes behind it (`binary_tensors`).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ganglion.deployment.said import Answers
from ganglion.deployment.serving.answers import Reply, json_reply
from ganglion.deployment.serving.asking import aside
from ganglion.deployment.serving.binary_tensors import HEADER, NAME, binary_reply, read_binary
from ganglion.deployment.serving.json_text import parse_json
from ganglion.deployment.serving.refused import Refused
from ganglion.deployment.serving.routes import Handler, Outcome, Question, Request
from ganglion.deployment.serving.served import Asked, Served
from ganglion.deployment.serving.settings import Limits
from ganglion.deployment.serving.tensors import columns_of_tensors, described, tensors_of
from ganglion.version import __version__

if TYPE_CHECKING:
    from ganglion.deployment.serving.service import Service


def table(service: Service) -> dict[tuple[str, str], Handler]:
    """Return the table of the protocol's paths."""
    protocol = Protocol(service)
    found: dict[tuple[str, str], Handler] = {
        ("GET", "/v2"): protocol.server,
        ("GET", "/v2/"): protocol.server,
        ("GET", "/v2/health/live"): protocol.live,
        ("GET", "/v2/health/ready"): protocol.ready,
    }
    for model in ("/v2/models/{name}", "/v2/models/{name}/versions/{version}"):
        found |= {
            ("GET", model): protocol.model,
            ("GET", f"{model}/ready"): protocol.model_ready,
            ("POST", f"{model}/infer"): protocol.infer,
        }
    return found


class Protocol:
    """The handlers of the protocol."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def server(self, request: Request) -> Reply:
        """Answer what the server is."""
        return json_reply({"name": "ganglion", "version": __version__, "extensions": [NAME]})

    def live(self, request: Request) -> Reply:
        """Answer that the server lives."""
        return json_reply({"live": True})

    def ready(self, request: Request) -> Reply:
        """Answer whether new requests should come here: not any more once it is about to stop."""
        ready = not self._service.draining
        return json_reply({"ready": ready}, 200 if ready else 400)

    def model(self, request: Request) -> Reply:
        """Answer what a model takes and gives."""
        served = self._served(request)
        inputs, outputs = described(served.signature)
        return json_reply(
            {
                "name": served.name,
                "versions": list(self._service.shelf.versions(served.name)),
                "platform": served.backend.platform,
                "inputs": inputs,
                "outputs": outputs,
            }
        )

    def model_ready(self, request: Request) -> Reply:
        """Answer that a model is there."""
        return json_reply({"name": self._served(request).name, "ready": True})

    def infer(self, request: Request) -> Outcome:
        """Answer what a model says of tensors."""
        served = self._served(request)
        header = request.headers.get(HEADER)
        reading = partial(_read, request.body, header, served.backend, self._service.settings.limits)

        def question(read: tuple[dict[str, Any], Asked]) -> Question:
            content, asked = read
            return Question(served, asked, partial(_inferred, content))

        return aside(request, reading, question)

    def _served(self, request: Request) -> Served:
        return self._service.shelf.find(request.arguments["name"], request.arguments.get("version"))


def _inferred(content: dict[str, Any], served: Served, asked: Asked, answer: Answers) -> Reply:
    said: dict[str, Any] = {"model_name": served.name, "model_version": served.version}
    if "id" in content:
        said["id"] = content["id"]
    tensors = tensors_of(answer, content.get("outputs"), asked.backend.signature)
    return binary_reply(said, tensors, content) or json_reply({**said, "outputs": tensors})


def _read(body: bytes, header: bytes | None, backend: Any, limits: Limits) -> tuple[dict[str, Any], Asked]:
    content = parse_json(body, limits) if header is None else read_binary(body, header, limits)
    columns = columns_of_tensors(content, backend.signature, limits)
    if not isinstance(content.get("id", ""), str):
        raise Refused(422, '"id" is a text.')
    return content, Asked(backend, columns=columns)
