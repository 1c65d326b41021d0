"""One model, one file: a zip of `manifest.json`, `weights.safetensors` and `README.md`, the model card.

Nothing is executed to load it, and nothing that it says of itself is believed before it is checked: the entries are
stored uncompressed and cannot claim more than the file holds, names are a fixed list, the weights' checksum stands in
the manifest. Every write goes to a temporary sibling, is fsynced and renamed: what stood there before is whole until
the end.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ganglion.errors import InvalidModel, SaveFailed, UnsupportedType

if TYPE_CHECKING:  # pages and pictures are written without loading torch
    from torch import Tensor

FORMAT = 1
MANIFEST, WEIGHTS, CARD = "manifest.json", "weights.safetensors", "README.md"
_LIMITS = {MANIFEST: 64 * 2**20, WEIGHTS: 2**40, CARD: 2**20}
_ENCRYPTED = 0x1
# whatever a damaged zip makes the standard library raise: BadZipFile and struct.error, ValueError and its kin for texts
# and offsets, NotImplementedError for unknown versions, RuntimeError for passwords
_ZIP_ERRORS = (zipfile.error, ValueError, ArithmeticError, LookupError, TypeError, EOFError, RuntimeError)
_ADVICE = {
    errno.ENOENT: "Create the folder first, or give a path in one that exists.",
    errno.ENOTDIR: "A part of the path is a file; give a path in a folder.",
    errno.EISDIR: "It is a folder; give the name of a file in it.",
    errno.EACCES: "Give a path in a folder that you may write to.",
    errno.EPERM: "Give a path in a folder that you may write to.",
    errno.EROFS: "Give a path on a disk that can be written to.",
    errno.ENOSPC: "Free some space, or give a path on another disk.",
    errno.EDQUOT: "Free some space, or give a path on another disk.",
    errno.EFBIG: "Give a path on a disk that takes larger files.",
    errno.ENAMETOOLONG: "Give a shorter name.",
}


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
    final = _path(path)
    temporary = None
    try:
        if final.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with tempfile.NamedTemporaryFile(dir=final.parent, prefix=f".{final.name[:100]}.", delete=False) as file:
            temporary = Path(file.name)
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(final)
        _sync_folder(final.parent)
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, "Give another path.")
        raise SaveFailed(
            f"could not write {final}: {error.strerror or error}. What stood there before is untouched. {advice}"
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], content: str) -> None:
    """Write a page or a picture, as UTF-8, whole or not at all; raises SaveFailed and leaves the old file whole."""
    with atomic_write(path) as file:
        file.write(content.encode())


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

    Raises
    ------
    SaveFailed
        If the file cannot be written.
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

    source = _path(path)
    entries = _entries(source)
    manifest = _manifest(source, entries[MANIFEST])
    if hashlib.sha256(entries[WEIGHTS]).hexdigest() != manifest.get("weights_sha256"):
        raise _damaged(source, "its weights do not match their checksum")
    try:
        return manifest, load(entries[WEIGHTS])
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError, OverflowError) as error:
        raise _damaged(source, f"its weights cannot be read ({error})") from error


def _path(given: str | os.PathLike[str]) -> Path:
    if not isinstance(given, str | os.PathLike) or not str(given):
        raise UnsupportedType(f"the path of a file is a text or a pathlib.Path, but {given!r:.60} was given.")
    return Path(given).expanduser()


def _entries(source: Path) -> dict[str, bytes]:
    """Return the contents of the zip by name, nothing of which is larger than the file."""
    try:
        with source.open("rb") as file:
            _check_head(source, file.read(8))
            with zipfile.ZipFile(file) as archive:
                entries = archive.infolist()
                _check_names(source, [info.filename for info in entries])
                size = os.fstat(file.fileno()).st_size
                return {info.filename: _entry(archive, info, source, size) for info in entries}
    except InvalidModel:
        raise
    except FileNotFoundError as error:
        raise InvalidModel(f"there is no model file {source}. The current folder is {Path.cwd()}.") from error
    except IsADirectoryError as error:
        raise InvalidModel(f"{source} is a folder, not a model file. Give the file that `save` wrote.") from error
    except _ZIP_ERRORS as error:
        raise _damaged(source, str(error) or type(error).__name__) from error
    except OSError as error:
        raise InvalidModel(f"{source} cannot be read: {error.strerror or error}.") from error


def _check_head(source: Path, head: bytes) -> None:
    if not head:
        raise InvalidModel(f"{source} is empty (0 bytes). Copy it again, or train and save it again.")
    if head.startswith((b"\x80", b"(dp")):
        raise InvalidModel(
            f"{source} is a pickle, which could run any program when loaded, and is never opened. Save the model with "
            "model.save(path)."
        )
    if not head.startswith(b"PK"):
        raise InvalidModel(
            f"{source} is no Ganglion model file: it begins with {head!r}. Give the file that `save` or `ganglion "
            "train` wrote."
        )


def _check_names(source: Path, names: list[str]) -> None:
    foreign = [name for name in names if name not in _LIMITS]
    if foreign:
        raise InvalidModel(
            f"{source} is a zip, but no Ganglion model: it holds {foreign[0][:80]!r}, which is not opened. Give the "
            "file that `save` or `ganglion train` wrote."
        )
    if len(set(names)) < len(names):
        raise _damaged(source, "an entry stands in it twice")
    missing = _LIMITS.keys() - {CARD} - set(names)
    if missing:
        raise _damaged(source, f"it has no {' and no '.join(sorted(missing))}")


def _entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo, source: Path, size: int) -> bytes:
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & _ENCRYPTED:
        raise InvalidModel(
            f"{source}: {info.filename} is compressed or encrypted, which no Ganglion model is; it is not unpacked. "
            "Copy the file again as it was saved."
        )
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
            f"{source} has format {manifest['format']}, but this version of Ganglion reads up to {FORMAT}. It was "
            f"written by Ganglion {str(manifest.get('ganglion'))[:20]}: install that version or a newer one (pip "
            "install --upgrade ganglion)."
        )
    if manifest["format"] < 1:
        raise _damaged(source, f"format {manifest['format']} never was")
    return manifest


def _damaged(source: Path, why: str) -> InvalidModel:
    return InvalidModel(
        f"{source} is no whole Ganglion model file: {why[:200]}. Copy it again, or train and save it again."
    )


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
