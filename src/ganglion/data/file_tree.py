"""The files of a folder or of a zip, by their paths inside, read without unpacking anything.

What systems leave behind (.DS_Store, Thumbs.db, __MACOSX and everything hidden) is not seen. Symbolic links are
followed, unless they lead back to a folder that they lie in.
"""

from __future__ import annotations

import contextlib
import io
import os
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, Literal

from ganglion.data.gzip_file import SMALL, USUAL_RATIO
from ganglion.data.memory import memory_bytes
from ganglion.errors import DataWarning, InvalidFile

Part = Literal["train", "test"]
Skipped = list[tuple[int, str]]  # which files cannot be read, and why, in words that follow the name
TRAIN, VALIDATION, TEST = ("train", "training"), ("val", "valid", "validation"), ("test", "testing")
PART_FOLDERS = (*TRAIN, *VALIDATION, *TEST)
_LISTED, _LISTED_REASONS = 5, 10  # names in a message
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

    def named_after(self, part: Part) -> Tree:
        """Return the tree with the part that is read of it in its name, unless that is the first."""
        return self if part == "train" else replace(self, name=f"{self.name}, part {part!r}")

    def unwrapped(self, is_used: Callable[[str], bool], is_wrapper: Callable[[Tree, str], bool]) -> Tree:
        """Go down while all that is used lies in one folder, unless that folder is a class.

        A folder that holds no folder is a class, unless `is_wrapper`, given its tree and its name, says otherwise.
        """
        tops = {self.inside(file).parts[0] for file in self.files if is_used(file)}
        folder = next(iter(tops), "")
        if len(tops) != 1 or folder not in self.folders().values():
            return self
        inner = self.below(folder)
        if not inner.folders() and not is_wrapper(inner, folder):
            return self
        return inner.unwrapped(is_used, is_wrapper)


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


def part_folders(tree: Tree, is_sample: Callable[[str], bool]) -> dict[Part, list[str]] | None:
    """Return the folders of each part, or None if the tree has no parts.

    Folders train/, val/ and test/ are parts if all samples lie in them; "train" is then train and val together, and
    "test" is test, or val where there is no test.
    """
    folders = tree.folders()
    filled = {name for name, folder in folders.items() if any(map(is_sample, tree.below(folder).files))}
    train, validation, test = (
        [folders[name] for name in names if name in filled] for names in (TRAIN, VALIDATION, TEST)
    )
    if not train or not filled <= {*PART_FOLDERS} or any(map(is_sample, tree.loose())):
        return None
    return {"train": train + validation, "test": test} if test else {"train": train, "test": validation}


def told(names: Sequence[str], one: str, several: str) -> str:
    """Return how many there are, what is said of them, and the first names."""
    shown = ", ".join(names[:_LISTED]) + (", …" if len(names) > _LISTED else "")
    return f"{len(names)} {one if len(names) == 1 else several}: {shown}"


def reason_of(error: BaseException) -> str:
    """Return why a file could not be opened or unpacked, in words that follow its name."""
    if isinstance(error, FileNotFoundError):
        return "does not exist"
    return f"cannot be read ({getattr(error, 'strerror', None) or error})"


def listed(names: Sequence[str], skipped: Skipped) -> str:
    """Return names and what is wrong with them, for a message."""
    shown = "; ".join(f"{names[i]} {reason}" for i, reason in skipped[:_LISTED_REASONS])
    return shown + (f"; … and {len(skipped) - _LISTED_REASONS} more" if len(skipped) > _LISTED_REASONS else "")


def refuse_or_tell(tree: Tree, names: Sequence[str], skipped: Skipped, corrupt: str, what: str) -> None:
    """Raise InvalidFile, or warn, for files that cannot be read; `corrupt` is "refuse" or "skip"."""
    if not skipped:
        return
    text = f"{tree.name}: {len(skipped)} of {len(names)} {what} cannot be read: {listed(names, skipped)}."
    if corrupt == "refuse":
        raise InvalidFile(f"{text} Mend or remove them; read with corrupt='skip' leaves them out.")
    warnings.warn(f"{text} They are left out; corrupt='refuse' makes it an error.", DataWarning, stacklevel=2)
