"""onnxruntime-web, which exported pages carry: where it lies on this machine, and the three files that a page needs."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from ganglion.errors import MissingExtra

PLACE = "GANGLION_ONNXRUNTIME_WEB"
_PACKAGE = "onnxruntime-web"
_LIBRARY, _LOADER, _WASM = "ort.wasm.min.js", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"


@dataclass(frozen=True, slots=True)
class WebRuntime:
    """The runtime of a page.

    Attributes
    ----------
    version : str
    library : str
        The script that a page asks.
    loader, wasm : bytes
        What the script starts, and what that runs.
    """

    version: str
    library: str
    loader: bytes
    wasm: bytes


def find_web_runtime() -> WebRuntime:
    """Return onnxruntime-web, from the folder in GANGLION_ONNXRUNTIME_WEB, or node_modules here or in a folder above.

    Raises
    ------
    MissingExtra
        If it is in none of these, or is not whole.
    """
    here = Path.cwd()
    places = [Path(os.environ[PLACE]).expanduser()] if os.environ.get(PLACE) else []
    places += [folder / "node_modules" / _PACKAGE for folder in (here, *here.parents)]
    for folder in places:
        if (folder / "package.json").is_file():
            return _read(folder)
    named = f"{places[0]} (from {PLACE})" if os.environ.get(PLACE) else f"{here} or a folder above it"
    raise MissingExtra(
        f"a page carries the npm package {_PACKAGE}, which is not in {named}. Install it (`npm install {_PACKAGE}`) "
        f"or set {PLACE} to its folder."
    )


def _read(folder: Path) -> WebRuntime:
    try:
        version = str(json.loads((folder / "package.json").read_text(encoding="utf-8"))["version"])
        library, loader, wasm = ((folder / "dist" / name).read_bytes() for name in (_LIBRARY, _LOADER, _WASM))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise MissingExtra(
            f"{folder} is not the whole npm package {_PACKAGE} ({error}). Install it again: `npm install {_PACKAGE}`."
        ) from error
    text = library.decode("utf-8")
    if "</script" in text.lower():
        raise MissingExtra(f"{folder / 'dist' / _LIBRARY} cannot stand in a page. Use version 1.30 of {_PACKAGE}.")
    return WebRuntime(version, text, loader, wasm)
