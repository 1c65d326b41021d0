"""One model, one file: a zip of `manifest.json`, `weights.safetensors` and `README.md`, the model card.

Nothing is executed to load it, and nothing that it says of itself is believed before it is checked: the entries are
stored uncompressed and must add up to the file, names are a fixed list, the weights' checksum stands in the manifest.
Every write goes to a temporary sibling, is fsynced and renamed: what stood there before is whole until the end.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import struct
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from torch import Tensor

from ganglion.errors import InvalidModel, SaveFailed

FORMAT = 1
MANIFEST, WEIGHTS, CARD = "manifest.json", "weights.safetensors", "README.md"
_LIMITS = {MANIFEST: 64 * 2**20, WEIGHTS: 2**40, CARD: 2**20}


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file that appears under its name only when everything was written.

    Parameters
    ----------
    path : path-like
        The final name. Its folder must exist.

    Raises
    ------
    SaveFailed
        If the folder is missing or read-only, or the disk is full. What stood there before is untouched.
    """
    final = Path(path)
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(dir=final.parent, prefix=f".{final.name}.", delete=False) as file:
            temporary = Path(file.name)
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(final)
        _sync_folder(final.parent)
    except OSError as error:
        raise SaveFailed(
            f"could not write {final}: {error.strerror or error}. What stood there before is untouched. Free some "
            "space, or give a path in a folder that exists and can be written to."
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_model(path: str | os.PathLike[str], manifest: Mapping[str, Any], tensors: Mapping[str, Tensor], card: str):
    """Write a model file.

    Parameters
    ----------
    path : path-like
    manifest : mapping
        What JSON can hold; "format" and the weights' checksum are added.
    tensors : mapping of str to Tensor
    card : str
        The model card, Markdown.
    """
    from safetensors.torch import save

    weights = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
    whole = {"format": FORMAT, **manifest, "weights_sha256": hashlib.sha256(weights).hexdigest()}
    entries = {MANIFEST: json.dumps(whole, indent=1, allow_nan=False).encode(), CARD: card.encode(), WEIGHTS: weights}
    with atomic_write(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name, date_time=(2020, 1, 1, 0, 0, 0)), content)


def read_model(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read a model file: its manifest and its tensors.

    Raises
    ------
    InvalidModel
        If the file is missing, cut short, changed, foreign, or from a newer version.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    source = Path(path)
    entries = _entries(source)
    manifest = _manifest(source, entries[MANIFEST])
    if hashlib.sha256(entries[WEIGHTS]).hexdigest() != manifest.get("weights_sha256"):
        raise _damaged(source, "its weights do not match their checksum")
    try:
        return manifest, load(entries[WEIGHTS])
    except (SafetensorError, ValueError, KeyError, RuntimeError) as error:
        raise _damaged(source, f"its weights cannot be read: {error}") from error


def _entries(source: Path) -> dict[str, bytes]:
    if source.is_dir():
        raise InvalidModel(f"{source} is a folder, not a model file. Give the file that `save` wrote.")
    try:
        size = source.stat().st_size
        with zipfile.ZipFile(source) as archive:
            return {info.filename: _entry(archive, info, source, size) for info in archive.infolist()} | _required(
                source, archive.namelist()
            )
    except FileNotFoundError as error:
        raise InvalidModel(f"there is no model file {source}.") from error
    except (zipfile.BadZipFile, EOFError, NotImplementedError, struct.error, ValueError, OverflowError) as error:
        if isinstance(error, InvalidModel):
            raise
        raise _damaged(source, f"{error or type(error).__name__}") from error
    except OSError as error:
        raise InvalidModel(f"{source} cannot be read: {error.strerror or error}.") from error


def _required(source: Path, names: list[str]) -> dict[str, bytes]:
    missing = {MANIFEST, WEIGHTS} - set(names)
    if missing:
        raise InvalidModel(f"{source} is a zip, but no Ganglion model: it has no {', '.join(sorted(missing))}.")
    return {}


def _entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo, source: Path, size: int) -> bytes:
    if info.filename not in _LIMITS:
        raise InvalidModel(f"{source} holds {info.filename[:80]!r}, which no Ganglion model does; it is not opened.")
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 0x1:
        raise InvalidModel(f"{source}: {info.filename} is compressed or encrypted, which no Ganglion model is.")
    if info.file_size > min(size, _LIMITS[info.filename]) or info.file_size != info.compress_size:
        raise _damaged(source, f"{info.filename} claims {info.file_size:,} bytes of a file of {size:,}")
    with archive.open(info) as entry:
        return entry.read(info.file_size + 1)


def _manifest(source: Path, raw: bytes) -> dict[str, Any]:
    try:
        manifest = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise _damaged(source, f"its manifest is no JSON ({error})") from error
    if not isinstance(manifest, dict) or type(manifest.get("format")) is not int:
        raise _damaged(source, "its manifest names no format")
    if manifest["format"] > FORMAT:
        raise InvalidModel(
            f"{source} has format {manifest['format']}, this version of Ganglion reads up to {FORMAT}. It was written "
            f"by Ganglion {str(manifest.get('ganglion'))[:20]}: install that version or a newer one."
        )
    if manifest["format"] < 1:
        raise _damaged(source, f"format {manifest['format']} never was")
    return manifest


def _damaged(source: Path, why: str) -> InvalidModel:
    return InvalidModel(f"{source} is no whole Ganglion model file: {why}. Copy it again, or train and save it again.")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
