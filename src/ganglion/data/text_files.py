r"""Folders and zips of .txt files as a data set: a folder a class, or texts alone.

The data set has a column "text", the target "class" if there are folders, and "file", the name of each as the user
knows it, which is no feature. Folders train/, val/ and test/ are parts, as of pictures. Texts are kept letter by
letter; only the end of a line is "\n" whatever the system that wrote it.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from ganglion.data.dataset import Dataset
from ganglion.data.decoding import NoText, decode_text
from ganglion.data.file_tree import (
    PART_FOLDERS,
    ZIP_DAMAGE,
    Part,
    Skipped,
    Tree,
    listed,
    part_folders,
    reason_of,
    refuse_or_tell,
    told,
)
from ganglion.data.image_files import is_picture
from ganglion.data.memory import MB, VARIABLE, is_large
from ganglion.data.strings import label_column, text_column
from ganglion.errors import DataWarning, InvalidFile

SUFFIX = ".txt"
_MOSTLY = 0.5  # so many files must be texts: pictures that cannot be read may have a readme beside them
_UNLABELLED = ("unsup", "unlabeled", "unlabelled")  # a folder of texts without a class, as beside the classes of IMDB


def is_text(file: str) -> bool:
    """Say whether a file is a text, by its name."""
    return file.lower().endswith(SUFFIX)


def is_text_tree(tree: Tree) -> bool:
    """Say whether a folder or zip holds texts and no pictures."""
    return sum(map(is_text, tree.files)) > _MOSTLY * len(tree.files) and not any(map(is_picture, tree.files))


def texts_to_dataset(tree: Tree, part: Part = "train", corrupt: str = "skip") -> Dataset | None:
    """Read a folder or zip of texts; None if it has no such part.

    Parameters
    ----------
    tree : Tree
    part : "train" or "test"
        A tree without parts is all "train".
    corrupt : "skip" or "refuse"
        What to do about files that are empty or no text: leave them out with a DataWarning, or raise.

    Raises
    ------
    InvalidFile
        If none can be read, one cannot and `corrupt` is "refuse", or they are too large for memory.
    """
    tree = tree.named_after(part).unwrapped(is_text, lambda _, folder: folder.lower() in PART_FOLDERS)
    parts = part_folders(tree, is_text)
    if parts is None and part == "test":
        return None
    seen = [tree] if parts is None else [tree.below(folder) for folder in parts[part]]
    chosen = _chosen(tree, seen)
    if not chosen:
        return None
    texts, skipped = _read_all(tree, list(chosen))
    names = [str(tree.inside(file)) for file in chosen]
    if len(skipped) == len(names):
        raise InvalidFile(
            f"none of the {len(names)} texts of {tree.name} can be read: {listed(names, skipped)}. Give files of text, "
            "in UTF-8."
        )
    refuse_or_tell(tree, names, skipped, corrupt, "texts")
    gone = {i for i, _ in skipped}
    kept = [i for i in range(len(names)) if i not in gone]
    columns = [text_column("text", texts), text_column("file", [names[i] for i in kept])]
    labels = list(chosen.values())
    if labels[0]:
        columns.insert(1, label_column("class", [labels[i] for i in kept]))
    target = ["class"] if labels[0] else []
    values = {field.name: column for field, column in columns}
    return Dataset([field for field, _ in columns], values, target=target, index=["file"], source=tree.name)


def _chosen(tree: Tree, seen: Sequence[Tree]) -> dict[str, str]:
    """Return the texts that are read, and the class of each, empty if there are no folders."""
    texts = [(each, file) for each in seen for file in each.files if is_text(file)]
    nested = {file: each.inside(file).parts[0] for each, file in texts if len(each.inside(file).parts) > 1}
    if not nested:
        return {file: "" for _, file in texts}
    loose = [str(tree.inside(file)) for _, file in texts if file not in nested]
    if loose:
        what = "beside the folders of the classes, so that no class is known, and left out"
        _tell(tree, told(loose, f"text is {what}", f"texts are {what}"))
    without = [str(tree.inside(file)) for file, label in nested.items() if label.lower() in _UNLABELLED]
    if without and len(without) < len(nested):
        _tell(tree, told(without, "text has no class and is left out", "texts have no class and are left out"))
        return {file: label for file, label in nested.items() if label.lower() not in _UNLABELLED}
    return nested


def _read_all(tree: Tree, files: Sequence[str]) -> tuple[list[str], Skipped]:
    """Return the texts that can be read, and which cannot."""
    texts: list[str] = []
    skipped: Skipped = []
    odd, n_bytes = [], 0
    for i, file in enumerate(files):
        try:
            with tree.open(file) as stream:
                raw = stream.read()
            text, odd_line = decode_text(raw)
        except NoText as error:
            skipped.append((i, str(error)))
            continue
        except ZIP_DAMAGE as error:
            skipped.append((i, reason_of(error)))
            continue
        if not text.strip():
            skipped.append((i, "is empty"))
            continue
        n_bytes += len(raw)
        if is_large(n_bytes):
            raise InvalidFile(
                f"{tree.name}: the first {i + 1:,} of {len(files):,} texts have {n_bytes / MB:,.0f} MB, too many for "
                f"memory. Give fewer texts, or allow more memory with {VARIABLE} (in MB)."
            )
        if odd_line is not None:
            odd.append(str(tree.inside(file)))
        texts.append(text.replace("\r\n", "\n"))
    if odd:
        what = "not UTF-8 and read as Latin-1; if letters look wrong, save as UTF-8"
        _tell(tree, told(odd, f"text is {what}", f"texts are {what}"))
    return texts, skipped


def _tell(tree: Tree, note: str) -> None:
    warnings.warn(f"{tree.name}: {note}.", DataWarning, stacklevel=2)
