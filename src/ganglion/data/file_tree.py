"""The files of a folder or of a zip, by their paths inside, read without unpacking anything.

What systems leave behind (.DS_Store, Thumbs.db, __MACOSX and everything hidden) is not seen. Symbolic links are
followed, unless they lead back to a folder that they lie in.
"""

from __future__ import annotations

import contextlib
import io
import os
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO

from ganglion.data.gzip_file import SMALL, USUAL_RATIO
from ganglion.data.memory import memory_bytes
from ganglion.errors import InvalidFile

_LEFT_BEHIND = {"thumbs.db", "desktop.ini", "__macosx", "$recycle.bin", "@eadir"}
# whatever a damaged zip makes the standard library raise
ZIP_DAMAGE = (zipfile.error, zlib.error, OSError, EOFError, ValueError, LookupError, RuntimeError, NotImplementedError)


@dataclass(frozen=True, slots=True)
class Tree:
    """Files by their paths inside a folder or a zip.

    Attributes
    ----------
    name : str
        What a user calls it, for messages.
    files : tuple of str
        Paths inside, with "/" between folders, sorted.
    root : Path, or None
        The folder; None for a zip.
    archive : ZipFile, or None
    prefix : str
        A folder inside, with a "/" at its end, that `files` are restricted to.
    """

    name: str
    files: tuple[str, ...]
    root: Path | None = None
    archive: zipfile.ZipFile | None = None
    prefix: str = ""

    def open(self, file: str) -> IO[bytes]:
        """Open one of the files, to be read from any place; raises an OSError or one of `ZIP_DAMAGE`."""
        if self.archive is None:
            return (self.root or Path()).joinpath(file).open("rb")
        return io.BytesIO(self.archive.read(file))

    def below(self, folder: str) -> Tree:
        """Return the part of the tree in a folder; the files keep their paths."""
        prefix = f"{self.prefix}{folder}/"
        return replace(self, files=tuple(file for file in self.files if file.startswith(prefix)), prefix=prefix)

    def inside(self, file: str) -> PurePosixPath:
        """Return the path of a file from where the tree begins."""
        return PurePosixPath(file.removeprefix(self.prefix))

    def folders(self) -> dict[str, str]:
        """Return the folders that files lie in, at the top of the tree: names in small letters, and as they are."""
        tops = (self.inside(file).parts for file in self.files)
        return {parts[0].lower(): parts[0] for parts in tops if len(parts) > 1}

    def loose(self) -> list[str]:
        """Return the files that lie in no folder."""
        return [file for file in self.files if len(self.inside(file).parts) == 1]


@contextlib.contextmanager
def open_tree(path: Path) -> Iterator[Tree]:
    """Open a folder or a zip.

    Raises
    ------
    InvalidFile
        If a zip is damaged, protected by a password, or claims more than it can hold.
    """
    if path.is_dir():
        yield Tree(path.name or str(path.resolve()), tuple(sorted(_walk(path, path, set()))), root=path)
        return
    try:
        archive = zipfile.ZipFile(path)
    except ZIP_DAMAGE as error:
        raise InvalidFile(f"{path.name} is cut or damaged: {error}. Fetch or copy it again.") from error
    with archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir() and _is_seen(entry.filename)]
        _check_entries(path, entries)
        yield Tree(path.name, tuple(sorted({entry.filename for entry in entries})), archive=archive)


def tree_of(paths: Sequence[Path]) -> Tree:
    """Return files that may lie anywhere as a tree, in the order given, under the paths that were given."""
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return Tree(f"{paths[0].name}{more}", tuple(map(str, paths)), root=Path())


def _walk(folder: Path, root: Path, above: set[str]) -> Iterator[str]:
    real = os.path.realpath(folder)
    if real in above:  # a link to a folder that it lies in
        return
    for each in folder.iterdir():
        if not _is_seen(each.name):
            continue
        if each.is_dir():
            yield from _walk(each, root, above | {real})
        else:
            yield each.relative_to(root).as_posix()


def _is_seen(file: str) -> bool:
    parts = PurePosixPath(file).parts
    return not any((part.startswith(".") and part != ".") or part.lower() in _LEFT_BEHIND for part in parts)


def _check_entries(path: Path, entries: Sequence[zipfile.ZipInfo]) -> None:
    """Refuse, before any is unpacked, entries that are far larger than the zip, or that need a password."""
    size, claimed = path.stat().st_size, sum(entry.file_size for entry in entries)
    if claimed > max(8 * SMALL, USUAL_RATIO * size):
        raise InvalidFile(
            f"{path.name} ({size:,} bytes) claims to unpack to {claimed:,} bytes, as a zip bomb does. If you trust it, "
            "unpack it and give the folder."
        )
    largest = max(entries, key=lambda entry: entry.file_size, default=None)
    if largest is not None and largest.file_size > memory_bytes() // 2:
        raise InvalidFile(
            f"{path.name}: {largest.filename} has {largest.file_size:,} bytes unpacked, too many for memory. Unpack "
            "the zip and give the folder."
        )
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise InvalidFile(f"{path.name} is protected by a password. Unpack it and give the folder.")
