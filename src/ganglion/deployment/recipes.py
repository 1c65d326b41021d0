"""Folders that put a model to work: a container with its server, and a repository for Triton and KServe.

    container   Containerfile, a unit for systemd, the exported model, and a README with the lines that start it
    triton      NAME/config.pbtxt and NAME/1/model.onnx, as Triton reads them, and kserve.yaml: for many machines

The folder's last name says which: `ganglion export MODEL --to deploy/container`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganglion.deployment.exported import Exported
from ganglion.deployment.kinds import KINDS
from ganglion.deployment.onnx_export import onnx_bytes
from ganglion.deployment.onnx_model import OnnxModel
from ganglion.deployment.signature import Shape, Signature
from ganglion.errors import SaveFailed
from ganglion.storage import atomic_write
from ganglion.version import __version__

NAME = "model"
_TYPES = {"float64": "FP64", "float32": "FP32", "int64": "INT64", "uint8": "UINT8", "bool": "BOOL", "string": "STRING"}
_MOST_ROWS = 256

CONTAINERFILE = f"""# Build: podman build -t {NAME} .      Run: see README.md
FROM python:3.12-slim
RUN pip install --no-cache-dir "ganglion[serve]=={__version__}" \\
 && useradd --system --uid 10001 --no-create-home ganglion
COPY {NAME}.onnx /srv/{NAME}.onnx
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["python", "-c", \\
 "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/v2/health/ready', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["ganglion", "serve", "/srv/{NAME}.onnx", "--host", "0.0.0.0", "--port", "8000"]
"""
UNIT = f"""[Unit]
Description=Ganglion: {NAME} behind HTTP
After=network.target

[Service]
ExecStart=/opt/ganglion/bin/ganglion serve /srv/{NAME}/{NAME}.onnx --host 127.0.0.1 --port 8000 \\
    --log /var/lib/ganglion/{NAME}.jsonl
# another address than 127.0.0.1 needs a token: a line GANGLION_TOKEN=... in this file, mode 600
EnvironmentFile=-/etc/ganglion/token
Restart=on-failure
TimeoutStopSec=40
DynamicUser=yes
StateDirectory=ganglion
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
UMask=0077
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
CapabilityBoundingSet=
MemoryMax=4G

[Install]
WantedBy=multi-user.target
"""
CONTAINER_README = f"""# {NAME} in a container

    podman build -t {NAME} .
    podman run --rm -p 127.0.0.1:8000:8000 --read-only --tmpfs /tmp --cap-drop ALL \\
        -e GANGLION_TOKEN="$(python -c 'import secrets; print(secrets.token_urlsafe())')" {NAME}

docker takes the same lines, with `-f Containerfile`. Each request brings `Authorization: Bearer TOKEN`; /docs shows how
to ask. Without a container: copy `{NAME}.onnx` to /srv/{NAME}, install ganglion[serve] in /opt/ganglion, and start
`{NAME}.service` with systemd.
"""
TRITON_README = f"""# {NAME} for Triton and KServe

    docker run --rm -p 8000:8000 -v "$PWD:/models" TRITON_IMAGE \\
        tritonserver --model-repository=/models

Triton answers the Open Inference Protocol under /v2/models/{NAME}, as `ganglion serve` does. For KServe, put this
folder where its storage reads, name that in `kserve.yaml`, and apply it. Take Triton where one machine is not
enough, or where models of several frameworks share GPUs; checks of each value, explanations and drift are
`ganglion serve`'s alone.
"""
KSERVE = f"""apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: {NAME}
spec:
  predictor:
    model:
      modelFormat:
        name: triton
      protocolVersion: v2
      storageUri: pvc://models/{NAME}
"""


def export_container(model: Any, path: Path, rows: Any = None) -> Exported:
    """Write a folder from which a container of a model is built; see `export`.

    Parameters
    ----------
    model : Estimator
    path : Path
        The folder; it is made, and files of the same names in it are replaced.
    rows : X, optional
        Further rows to compare answers on.
    """
    raw, parity = onnx_bytes(model, rows, tasks=KINDS)
    folder = Path(path)
    texts = {"Containerfile": CONTAINERFILE, f"{NAME}.service": UNIT, "README.md": CONTAINER_README}
    size = _write(folder, {f"{NAME}.onnx": raw, **{name: text.encode() for name, text in texts.items()}})
    return Exported(str(folder), "container", size, parity)


def export_triton(model: Any, path: Path, rows: Any = None) -> Exported:
    """Write a folder that Triton serves, a model repository; see `export`.

    Parameters
    ----------
    model : Estimator
    path : Path
        The folder; it is made, and files of the same names in it are replaced.
    rows : X, optional
        Further rows to compare answers on.
    """
    raw, parity = onnx_bytes(model, rows, tasks=KINDS)
    folder = Path(path)
    config = config_pbtxt(OnnxModel(raw).signature)
    files = {
        f"{NAME}/1/model.onnx": raw,
        f"{NAME}/config.pbtxt": config.encode(),
        "kserve.yaml": KSERVE.encode(),
        "README.md": TRITON_README.encode(),
    }
    return Exported(str(folder), "triton", _write(folder, files), parity)


def config_pbtxt(signature: Signature) -> str:
    """Return what Triton must know of an exported model: its inputs, its outputs, and that rows may be put together.

    Parameters
    ----------
    signature : Signature
    """
    inputs = ",\n".join(_tensor(each.name, each.dtype, each.shape) for each in signature.inputs)
    outputs = ",\n".join(_tensor(each.name, each.dtype, each.shape) for each in signature.outputs)
    return (
        f'name: "{NAME}"\nbackend: "onnxruntime"\nmax_batch_size: {_MOST_ROWS}\n'
        f"input [\n{inputs}\n]\noutput [\n{outputs}\n]\n"
        "dynamic_batching {\n  max_queue_delay_microseconds: 2000\n}\n"
    )


def _tensor(name: str, dtype: str, shape: Shape) -> str:
    """Return one input or output; the axis of rows is Triton's own, and a single number a row has no other."""
    rest = [size if isinstance(size, int) else -1 for size in shape[1:]]
    dims = ", ".join(map(str, rest or [1]))
    scalar = "" if rest else "\n    reshape { shape: [ ] }"
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'  {{\n    name: "{quoted}"\n    data_type: TYPE_{_TYPES[dtype]}\n    dims: [ {dims} ]{scalar}\n  }}'


def _write(folder: Path, files: Mapping[str, bytes]) -> int:
    """Write files into a folder, each whole or not at all; return how many bytes they have together."""
    for name, content in files.items():
        place = folder / name
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SaveFailed(f"could not make the folder {place.parent}: {error.strerror or error}.") from error
        with atomic_write(place) as file:
            file.write(content)
    return sum(map(len, files.values()))
