"""The same model behind LitServe, with its batches: `python -m benchmarks.claims._serving_litserve PORT`."""

from __future__ import annotations

import sys
from typing import Any

import litserve


class Api(litserve.LitAPI):
    """One row a request; LitServe hands over those of up to two milliseconds together."""

    def setup(self, device: str) -> None:
        from benchmarks.claims._serving_torch import answers  # in the worker, where the model lives

        self._answers = answers

    def decode_request(self, request):  # unannotated, or FastAPI looks for it in the address
        return request

    def batch(self, inputs: list[Any]) -> Any:
        return list(inputs)

    def predict(self, x: Any, **_: Any) -> Any:
        return self._answers(x)

    def unbatch(self, output: Any) -> Any:
        return output

    def encode_response(self, output: Any, **_: Any) -> Any:
        return output


if __name__ == "__main__":
    api = Api(max_batch_size=64, batch_timeout=0.002)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1", port=int(sys.argv[1]), num_api_servers=1, generate_client_file=False, log_level="error"
    )
