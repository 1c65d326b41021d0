r"""Corpora whose words have labels, as a data set: words, their labels, and the file that each sentence is from.

    word/tag       The/at jury/nn said/vbd ./.        a sentence a line (Brown corpus); the last slash counts
    CoNLL          The    DT                          a word a line and its label behind it, in the last column;
                   jury   NN                          a blank line between sentences, -DOCSTART- between documents,
                                                      comments begin with "# "
    CoNLL-U        1    The    the    DET    DT  …    ten columns: FORM and UPOS are read (universaldependencies.org)

Files alone, or in a folder or zip, with parts train/, val/ and test/ as of pictures. Columns: "tokens", the target
"tags", and "file", which is no feature; it keeps the sentences of a document together when data are split.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

from ganglion.data.dataset import Dataset
from ganglion.data.decoding import NoText, decode_text
from ganglion.data.file_tree import (
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
from ganglion.data.memory import MB, VARIABLE, is_large
from ganglion.data.strings import text_column
from ganglion.data.tokens import tokens_column
from ganglion.errors import DataWarning, InvalidFile

WORDS, TAGS, FILE = "tokens", "tags", "file"
CONLL = (".conll", ".conllu", ".conllx", ".iob", ".iob2", ".bio")  # files of these names are of this form
_SLASHED = (".pos", ".tagged", ".tag")
_PERHAPS = ("", ".txt")  # of these names, what they hold decides
LOOKED_AT = 2**14  # bytes of the beginning of a file
_FILES = 20  # of a folder that are looked at
_MOSTLY = 0.5  # so many of them must be tagged
_DIGITS = re.compile(r"\d+")

Sentence = tuple[list[str], list[str]]  # words, tags


class NotTagged(ValueError):
    """A file does not have the form that it should; the message says where, in words that follow its name."""


def is_tagged(name: str, head: bytes) -> bool:
    """Say whether a file is a tagged corpus, by its name, or by how it begins where the name leaves that open."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in CONLL or suffix in _SLASHED:
        return True
    return (suffix in _PERHAPS or _DIGITS.fullmatch(suffix[1:]) is not None) and _form(head[:LOOKED_AT]) is not None


def is_tagged_tree(tree: Tree) -> bool:
    """Say whether most of some files, spread over a folder or zip, are tagged."""
    files = [file for file in tree.files if _may_be(file)]
    if not files or len(files) <= _MOSTLY * len(tree.files):
        return False
    some = files[:: -(-len(files) // _FILES)]
    return sum(is_tagged(file, _head(tree, file)) for file in some) > _MOSTLY * len(some)


def tagged_to_dataset(raw: bytes, source: str) -> Dataset:
    """Return the data set of one tagged file.

    Raises
    ------
    InvalidFile
        If the bytes are no text, there is no sentence, or a line has not the form of the others.
    """
    try:
        sentences = _sentences(raw, source)
    except (NoText, NotTagged) as error:
        raise InvalidFile(f"{source} {error}. Give word/tag pairs, or a word and its label a line.") from error
    return _dataset(sentences, [source] * len(sentences), source)


def tagged_tree_to_dataset(tree: Tree, part: Part = "train", corrupt: str = "skip") -> Dataset | None:
    """Read a folder or zip of tagged files; None if it has no such part.

    Parameters
    ----------
    tree : Tree
    part : "train" or "test"
        A tree without parts is all "train".
    corrupt : "skip" or "refuse"
        What to do about files that are not tagged (a table of contents, a readme): leave them out with a DataWarning,
        or raise.

    Raises
    ------
    InvalidFile
        If none is tagged, one is not and `corrupt` is "refuse", or they are too large for memory.
    """
    tree = tree.named_after(part).unwrapped(_may_be, lambda *_: True)
    parts = part_folders(tree, _may_be)
    if parts is None and part == "test":
        return None
    seen = [tree] if parts is None else [tree.below(folder) for folder in parts[part]]
    files = [file for each in seen for file in each.files if _may_be(file)]
    if not files:
        return None
    names = [str(tree.inside(file)) for file in files]
    sentences, origin, skipped = _read_all(tree, files, names)
    if not sentences:
        raise InvalidFile(f"none of the {len(files)} files of {tree.name} is tagged: {listed(names, skipped)}.")
    refuse_or_tell(tree, names, skipped, corrupt, "files")
    return _dataset(sentences, origin, tree.name)


def _read_all(tree: Tree, files: Sequence[str], names: Sequence[str]) -> tuple[list[Sentence], list[str], Skipped]:
    """Return all sentences, the file that each is from, and which files cannot be read."""
    sentences: list[Sentence] = []
    origin: list[str] = []
    skipped: Skipped = []
    n_bytes = 0
    for i, (file, name) in enumerate(zip(files, names, strict=True)):
        try:
            with tree.open(file) as stream:
                raw = stream.read()
            found = _sentences(raw, name)
        except (NoText, NotTagged) as error:
            skipped.append((i, str(error)))
            continue
        except ZIP_DAMAGE as error:
            skipped.append((i, reason_of(error)))
            continue
        n_bytes += len(raw)
        if is_large(10 * n_bytes):  # words as Python has them take some ten times as much
            raise InvalidFile(
                f"{tree.name}: the first {i + 1:,} of {len(files):,} files have {n_bytes / MB:,.0f} MB, too many for "
                f"memory. Give fewer, or allow more memory with {VARIABLE} (in MB)."
            )
        sentences += found
        origin += [name] * len(found)
    return sentences, origin, skipped


def _dataset(sentences: Sequence[Sentence], files: Sequence[str], source: str) -> Dataset:
    words, tags = tokens_column(WORDS, [each[0] for each in sentences]), tokens_column(TAGS, [s[1] for s in sentences])
    columns = [words, tags, text_column(FILE, files)]
    values = {field.name: column for field, column in columns}
    return Dataset([field for field, _ in columns], values, target=[TAGS], index=[FILE], source=source)


def _may_be(file: str) -> bool:
    suffix = PurePosixPath(file).suffix.lower()
    return suffix in (*CONLL, *_SLASHED, *_PERHAPS)


def _head(tree: Tree, file: str) -> bytes:
    try:
        with tree.open(file) as stream:
            return stream.read(LOOKED_AT)
    except ZIP_DAMAGE:
        return b""


def _form(head: bytes) -> Callable[[str], list[Sentence]] | None:
    """Return what reads a file that begins so, or None where it is no tagged corpus."""
    try:
        text = decode_text(head).text
    except NoText:
        return None
    lines = text.split("\n")[:-1] if len(head) >= LOOKED_AT else text.split("\n")  # the last one may be cut
    filled = [line for line in lines if line.strip()]
    tokens = [token for line in filled for token in line.split()]
    if not tokens:
        return None
    if sum(_is_pair(token) for token in tokens) > 0.95 * len(tokens):
        return _slashed
    columns = {len(line.split()) for line in filled if not _is_aside(line)}
    gap = any(not line.strip() for line in "\n".join(lines).strip().split("\n"))
    return _conll if len(columns) == 1 and 2 <= columns.pop() <= 20 and gap else None


def _is_pair(token: str) -> bool:
    word, slash, tag = token.rpartition("/")
    return bool(word and slash and tag)


def _is_aside(line: str) -> bool:
    """Say whether a line of a CoNLL file is no word: a comment, or a border between documents."""
    return line.startswith(("# ", "-DOCSTART-")) or line.rstrip() == "#"


def _sentences(raw: bytes, name: str) -> list[Sentence]:
    """Return the sentences of a file; raises NoText or NotTagged."""
    text, odd_line = decode_text(raw)
    suffix = PurePosixPath(name.removesuffix(".gz")).suffix.lower()
    form = _conll if suffix in CONLL else _slashed if suffix in _SLASHED else _form(raw[:LOOKED_AT])
    if not text.strip():
        raise NotTagged("is empty")
    if form is None:
        raise NotTagged("holds no words with labels")
    found = form(text.replace("\r\n", "\n"))
    if odd_line is not None:
        what = "is not UTF-8 and read as Latin-1; if letters look wrong, save as UTF-8"
        warnings.warn(f"{told([name], f'file {what}', '')}.", DataWarning, stacklevel=2)
    return found


def _slashed(text: str) -> list[Sentence]:
    """Read word/tag pairs, a sentence a line."""
    sentences = []
    for i, line in enumerate(text.split("\n"), start=1):
        pairs = [token.rpartition("/") for token in line.split()]
        if not pairs:
            continue
        for word, _, tag in pairs:
            if not word or not tag:
                raise NotTagged(
                    f"has no word/tag pair but {(word or '') + ('/' if word else '') + tag!r:.40} in line {i}"
                )
        sentences.append(([pair[0] for pair in pairs], [pair[2] for pair in pairs]))
    return sentences


def _conll(text: str) -> list[Sentence]:
    """Read a word and its label a line, blank lines between sentences."""
    sentences: list[Sentence] = []
    words: list[str] = []
    tags: list[str] = []
    universal = None
    for i, line in enumerate([*text.split("\n"), ""], start=1):
        if not line.strip() or line.startswith("-DOCSTART-"):
            if words:
                sentences.append((words, tags))
                words, tags = [], []
            continue
        if _is_aside(line):
            continue
        cells = line.rstrip("\n").split("\t") if "\t" in line else line.split()
        if universal is None:
            universal = len(cells) == 10 and _DIGITS.match(cells[0]) is not None
        if universal and len(cells) == 10 and not _DIGITS.fullmatch(cells[0]):
            continue  # 1-2 don't, 8.1: words that are told again in parts, or left out
        word, tag = (cells[1], cells[3]) if universal and len(cells) == 10 else (cells[0], cells[-1])
        if len(cells) < 2 or not word.strip() or not tag.strip():
            raise NotTagged(f"has no word with a label in line {i}, but {line.strip()!r:.40}")
        words.append(word.strip())
        tags.append(tag.strip())
    if not sentences:
        raise NotTagged("holds no words with labels")
    return sentences
