"""Any file that holds a table, arrays or images, as a data set: what it is follows from its content first."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, cast

from torch import Tensor

from ganglion.data.convert import as_dataset, numbered
from ganglion.data.csv_file import csv_to_dataset
from ganglion.data.dataset import Dataset
from ganglion.data.file_tree import open_tree, tree_of
from ganglion.data.gzip_file import MAGIC as GZIP_MAGIC
from ganglion.data.gzip_file import unpack
from ganglion.data.idx_file import idx_to_dataset, is_idx
from ganglion.data.image_files import is_picture
from ganglion.data.image_folder import files_to_dataset, folder_to_dataset, with_pictures
from ganglion.data.json_lines import SUFFIXES as JSON_LINES
from ganglion.data.json_lines import json_lines_to_dataset
from ganglion.data.memory import MB, VARIABLE, is_large
from ganglion.data.midi_file import MAGIC as MIDI_MAGIC
from ganglion.data.midi_file import is_midi
from ganglion.data.music_files import is_music_tree, midi_files_to_dataset, midi_to_dataset
from ganglion.data.music_json import SUFFIX as JSON
from ganglion.data.music_json import json_to_music, music_in_json
from ganglion.data.npz_file import MAGIC as NPY_MAGIC
from ganglion.data.npz_file import ZIP_MAGIC, Part, has_part, npy_to_dataset, npz_to_dataset
from ganglion.data.parquet_file import ARROW_MAGIC, arrow_to_dataset, parquet_to_dataset
from ganglion.data.parquet_file import MAGIC as PARQUET_MAGIC
from ganglion.data.prose import LOOKED_AT, is_prose, prose_to_dataset
from ganglion.data.recording_files import is_recording
from ganglion.data.recording_folder import is_recording_tree, recordings_of_files, recordings_of_tree, with_recordings
from ganglion.data.resizing import Reading, Resize, reading_to
from ganglion.data.tagged_files import is_tagged, is_tagged_tree, tagged_to_dataset, tagged_tree_to_dataset
from ganglion.data.text_files import is_text_tree, texts_to_dataset
from ganglion.errors import InvalidFile, InvalidInput, InvalidParameter, UnsupportedType, suggestion

SUPPORTED = (
    "CSV, TSV and other delimited text and JSON lines (also .gz), Parquet, Arrow, NumPy's npz and npy, IDX, pictures, "
    "recordings (WAV, FLAC, Ogg), a text (.txt), music (.mid, JSON of chords), folders or zips of pictures, of "
    "recordings, of .txt or of .mid files, words with labels (word/tag, CoNLL)"
)
_NEVER_TEXT = {  # suffix: what to do instead
    ".xlsx": "Export the sheet as CSV.",
    ".xls": "Export the sheet as CSV.",
    ".json": "If each line is an object, call it .jsonl; else load it, and give a dictionary of columns.",
    ".pkl": "Pickle runs any program when loaded; save the data as Parquet or npz.",
    ".pickle": "Pickle runs any program when loaded; save the data as Parquet or npz.",
    ".pt": "Load it with torch.load(weights_only=True), and give the tensor.",
    ".h5": "Load the array with h5py, and give it.",
    ".mat": "Load it with scipy.io.loadmat, and give the array.",
    ".arff": "Load it with scipy.io.arff, and give the arrays.",
    ".xml": "Convert it to CSV.",
}
_BINARY = (".npz", ".npy", ".parquet", ".feather")  # numbers: no column of text to look for names of pictures in
_IDX_NAME = re.compile(r"[-.]idx\d")
_CLAIMS = {  # suffix: magic bytes, for files that are not what their name says
    ".npz": ZIP_MAGIC,
    ".npy": NPY_MAGIC,
    ".parquet": PARQUET_MAGIC,
    ".feather": ARROW_MAGIC,
    ".gz": GZIP_MAGIC,
}


def read(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    target: str | int | Sequence[str | int] | None = None,
    columns: Sequence[str] | None = None,
    part: Part = "train",
    size: tuple[int, int] | None = None,
    resize: Resize = "stretch",
    channels: int | None = None,
    step: str = "",
    rate: int | None = None,
    corrupt: Literal["skip", "refuse"] = "skip",
) -> Dataset:
    """Read a file or a folder as a data set.

    Parameters
    ----------
    path : str or path, or a sequence of them
        CSV, TSV or other delimited text or JSON lines (.jsonl; also packed with gzip), Parquet, Arrow, npz, npy or IDX.
        Several Parquet files with the same columns, or a folder of them, are read as one. Of pictures (JPEG, PNG, WebP,
        TIFF, BMP, GIF): a folder or zip with a folder a class, with images/ and masks/, as Pascal VOC or COCO have it,
        with a CSV that names them, or without labels; such a CSV; one picture or several. Of texts: a folder or zip of
        .txt files, with a folder a class or without labels; one .txt file, unless its lines are those of a table. Of
        words with labels: word/tag text or CoNLL files, one or a folder or zip of them. Of music: MIDI files
        (.mid), one or a folder or zip of them, or JSON of chords as of the JSB chorales, {"train": [[[60, 64], …], …],
        "test": …}. Of recordings (WAV, FLAC, Ogg): a folder or zip with a folder a class, or with a CSV, TSV or JSON
        lines that name them and tell a class or a transcript, or without labels; such a table; one recording or
        several.
    target : str, int, or a sequence of them, optional
        What is to be predicted: names or positions of columns, from 0, or from -1 for the last one. Files that
        name their target (y, labels) need none.
    columns : sequence of str, optional
        Names for the columns, one each, for files that hold no names or bad ones.
    part : "train" or "test"
        Which part to read of a file or folder that holds both. Of folders train/, val/ and test/, the first two are
        for training.
    size : (height, width), optional
        What all pictures are brought to, in pixels. Without it they keep a size that they share, up to 1024 on the
        longer side; others get the median height and width, shrunk to at most 128 on the longer side.
    resize : "stretch", "crop" or "pad"
        How: the sides scaled independently, the middle part of the right proportions, or the whole picture on black.
    channels : 1 or 3, optional
        Grey or colour; without it all pictures become colour unless all are grey. Transparency is laid on white.
    step : str
        The note that a step of music is as long as: "1/16" for a sixteenth. Without it MIDI files are read in quarter
        notes.
    rate : int, optional
        Samples a second to which recordings are brought; without it the rate that most of them have, at most 16,000.
    corrupt : "skip" or "refuse"
        What to do about files of pictures, recordings, texts or music in a folder that cannot be read: leave them out
        with a DataWarning that lists them, or raise.

    Returns
    -------
    Dataset
        Named after the file. Pictures are decoded once and kept in a cache, see `image_cache`. Pictures, Parquet and
        npy files that are too large for memory stay on disk: everything works on them
        in pieces, with the same results. Too large is more than an eighth of the machine's or the container's
        memory, or of GANGLION_MEMORY, in megabytes, where that is set.

    Raises
    ------
    InvalidFile
        If the file does not exist, is of no supported kind, is damaged, holds no data, or is text that is too large for
        memory.
    SaveFailed
        If the data are too large for memory, and there is no room for them on disk.
    InvalidInput
        If the target is unknown, names repeat, or `columns` are not as many as the file's columns.
    MissingExtra
        If the format needs a package that is not installed.
    """
    if part not in ("train", "test"):
        raise InvalidParameter(f"part={part!r}: a part is 'train' or 'test'.")
    reading = Reading(size=size, resize=resize, channels=channels, corrupt=corrupt, step=step, rate=rate)
    data = read_as(path, reading, columns=columns, part=part)
    if columns is not None and data.names != tuple(columns):
        data = _expanded(data) if len(data.fields) == 1 else data
        data = as_dataset(data, names=columns)
    _check_step(step, data)
    if reading != Reading(corrupt=corrupt, step=step, rate=rate) and not any(field.resize for field in data.fields):
        raise InvalidParameter(
            f"size, resize and channels are for picture files, but {data.source} holds none. Leave them out; to resize "
            "arrays of pictures, give predict a list of them."
        )
    if rate is not None and not any(field.rate for field in data.fields):
        raise InvalidParameter(f"rate is for recordings, but {data.source} holds none. Leave it out.")
    return data if target is None else with_target(data, target)


def read_as(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    reading: Reading,
    *,
    columns: Sequence[str] | None = None,
    part: Part = "train",
) -> Dataset:
    """Read a file or a folder as `read` does; where it holds no pictures or recordings, `reading` does not matter."""
    given = [_path(each) for each in (path if isinstance(path, list | tuple) else [path])]
    try:
        return _read_any(given, columns, part, reading)
    except PermissionError as error:
        raise InvalidFile(
            f"{error.filename} cannot be read: {error.strerror}. Check its permissions (ls -l)."
        ) from error


def reading_of(data: Dataset) -> Reading:
    """Return how to read files as those of a data set: to the shape of its pictures, its rate, or its steps."""
    rate = next((field.rate for field in data.fields if field.rate), None)
    if rate is not None:
        return Reading(rate=rate)
    field = next((field for field in data.fields if field.resize), None)
    return Reading(step=_step_of(data)) if field is None else reading_to(field.shape, cast(Resize, field.resize))


def read_test_part(path: str | os.PathLike[str], training: Dataset) -> Dataset | None:
    """Return the part of a file or folder that is for testing, like the training part; None if there is none.

    Parameters
    ----------
    path : path
        What `training` was read from.
    training : Dataset
        Pictures are brought to the size that its pictures have, recordings to the rate of its recordings.
    """
    file = _path(path)
    if file.suffix.lower() == ".npz" and file.is_file():
        return npz_to_dataset(file, "test") if has_part(file, "test") else None
    if file.suffix.lower() == JSON and file.is_file():
        parsed = music_in_json(file.read_bytes(), file.name)
        return None if parsed is None else json_to_music(parsed, f"{file.name}, part 'test'", "test")
    if not _is_tree(file):
        return None
    data = _read_tree(file, "test", reading_of(training))
    return data if data is not None and {*training.target} <= {*data.names} else None


def with_target(data: Dataset, target: str | int | Sequence[str | int]) -> Dataset:
    """Return the data with columns chosen as the target by name or position.

    Parameters
    ----------
    data : Dataset
        One single block of numbers is cut into columns x0, x1, … first.
    target : str, int, or a sequence of them
        A text that is no column's name but a whole number, "-1", counts as a position.

    Raises
    ------
    InvalidInput
        If no column has that name or position.
    """
    if len(data.fields) == 1 and data.fields[0].kind == "numeric" and data.fields[0].shape:
        data = _expanded(data)
    chosen = [target] if isinstance(target, str | int) else list(target)
    return data.with_target([_name_of(each, data) for each in chosen])


def _read_any(given: Sequence[Path], columns: Sequence[str] | None, part: Part, reading: Reading) -> Dataset:
    if len(given) == 1 and _is_tree(given[0]):
        data = _read_tree(given[0], part, reading)
        if data is None:
            raise InvalidFile(
                f"{given[0].name} has no part {part!r}. Give folders train/ and test/ in it, or read it without part."
            )
        return data
    paths = [file for each in given for file in _files(each)]
    if paths and all(is_picture(file.name) for file in paths):
        return files_to_dataset(paths, reading)
    if paths and all(is_midi(file.name) for file in paths):
        tree = tree_of(paths)
        return midi_files_to_dataset(tree, tree.files, reading.step, reading.corrupt)
    if paths and all(is_recording(file.name) for file in paths):
        return recordings_of_files(paths, reading)
    if len(paths) != 1:
        return _read_together(paths, given)
    data = _read(paths[0], columns, part, reading.step)
    if paths[0].suffix.lower() in _BINARY:
        return data
    return with_recordings(with_pictures(data, paths[0], reading), paths[0], reading)


def _read_tree(path: Path, part: Part, reading: Reading) -> Dataset | None:
    with open_tree(path) as tree:
        if is_music_tree(tree):
            return midi_to_dataset(tree, reading.step, part, reading.corrupt)
        if is_tagged_tree(tree):
            return tagged_tree_to_dataset(tree, part, reading.corrupt)
        if is_recording_tree(tree):
            return recordings_of_tree(tree, reading, part)
        if is_text_tree(tree):
            return texts_to_dataset(tree, part, reading.corrupt)
        return folder_to_dataset(tree, reading, part)


def _is_tree(path: Path) -> bool:
    """Say whether a path is a folder or zip of pictures, sound or texts; folders of Parquet are read otherwise."""
    if path.is_dir():
        return not any(path.glob("*.parquet"))
    return path.suffix.lower() == ".zip" and path.is_file()


def _read(path: Path, columns: Sequence[str] | None, part: Part, step: str = "") -> Dataset:
    with path.open("rb") as stream:
        head = stream.read(8)
    if not head:
        raise InvalidFile(f"{path.name} is empty (0 bytes). Fetch or save it again.")
    if head.startswith(GZIP_MAGIC):
        return _read_gzip(path, columns)
    if head.startswith(NPY_MAGIC):
        return npy_to_dataset(path)
    if head.startswith(PARQUET_MAGIC):
        return parquet_to_dataset([path], path.name)
    if head.startswith(ARROW_MAGIC):
        return arrow_to_dataset(path)
    if head.startswith(ZIP_MAGIC) and path.suffix not in _NEVER_TEXT:
        return npz_to_dataset(path, part)
    if is_idx(head) or _IDX_NAME.search(path.name):
        return idx_to_dataset(path)
    if head.startswith(MIDI_MAGIC):
        return midi_files_to_dataset(tree_of([path]), [str(path)], step)
    music = _music_of_json(path, part) if path.suffix.lower() == JSON else None
    if music is not None:
        return music
    _check_suffix(path, head)
    _check_text_size(path)
    if is_tagged(path.name, _beginning(path)):
        return tagged_to_dataset(path.read_bytes(), path.name)
    if path.suffix.lower() in JSON_LINES:
        return json_lines_to_dataset(path.read_bytes(), path.name)
    if is_prose(path.name, _beginning(path)):
        return prose_to_dataset(path.read_bytes(), path.name)
    return csv_to_dataset(path.read_bytes(), path.name, columns)


def _music_of_json(path: Path, part: Part) -> Dataset | None:
    """Return the pieces in a JSON file, or None if it holds something else."""
    if is_large(path.stat().st_size):
        return None
    parsed = music_in_json(path.read_bytes(), path.name)
    if parsed is None:
        return None
    data = json_to_music(parsed, path.name, part)
    if data is None:
        raise InvalidFile(
            f'{path.name} has no part {part!r}. Give it parts, {{"train": […], "test": […]}}, or read it without part.'
        )
    return data


def _step_of(data: Dataset) -> str:
    return next((field.step for field in data.fields if field.step), "")


def _check_step(step: str, data: Dataset) -> None:
    """Refuse a length of steps for what has none, or has one of its own."""
    if step and not _step_of(data):
        what = "says nothing of its steps" if any(each.kind == "music" for each in data.fields) else "holds no music"
        raise InvalidParameter(
            f"step={step!r} says how MIDI files are to be read, but {data.source} {what}. Leave it out."
        )


def _beginning(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(LOOKED_AT)


def _read_together(paths: Sequence[Path], given: Sequence[Path]) -> Dataset:
    if not paths:
        raise InvalidFile("no file was given to read. Give at least one.")
    for path in paths:
        with path.open("rb") as stream:
            if stream.read(len(PARQUET_MAGIC)) != PARQUET_MAGIC:
                raise InvalidFile(f"{path} is no Parquet file; only those are read together. Give one file.")
    more = f" and {len(given) - 1} more" if len(given) > 1 else ""
    return parquet_to_dataset(paths, f"{given[0].name}{more}")


def _read_gzip(path: Path, columns: Sequence[str] | None) -> Dataset:
    head = unpack(path, at_most=8)
    if is_idx(head) or _IDX_NAME.search(path.name):
        return idx_to_dataset(path)
    if head.startswith((NPY_MAGIC, ZIP_MAGIC, PARQUET_MAGIC)):
        raise InvalidFile(f"{path.name} is a packed binary file. Unpack it with gunzip first.")
    inside = path.with_suffix("")
    _check_suffix(inside, head)
    if is_tagged(inside.name, unpack(path, at_most=LOOKED_AT)):
        return tagged_to_dataset(unpack(path), path.name)
    if inside.suffix.lower() in JSON_LINES:
        return json_lines_to_dataset(unpack(path), path.name)
    if is_prose(inside.name, unpack(path, at_most=LOOKED_AT)):
        return prose_to_dataset(unpack(path), path.name)
    return csv_to_dataset(unpack(path), path.name, columns)


def _path(given: Any) -> Path:
    if isinstance(given, str | os.PathLike) and str(given):
        return Path(given).expanduser()
    what = "an empty text" if isinstance(given, str) else f"a {type(given).__name__}"
    raise UnsupportedType(
        f"read takes the path of a file, but was given {what}. Data in memory need no reading: give them to fit or "
        "inspect."
    )


def _files(path: Path) -> list[Path]:
    """Return the files that a path stands for: itself, or all Parquet files of a folder."""
    if path.is_dir():
        return sorted(each for each in path.iterdir() if each.suffix == ".parquet" or is_picture(each.name))
    _check_exists(path)
    return [path]


def _check_exists(path: Path) -> None:
    if path.is_file():
        return
    if not path.parent.is_dir():
        raise InvalidFile(f"{path} does not exist, nor does its folder. The current folder is {Path.cwd()}.")
    near = suggestion(path.name, (each.name for each in path.parent.iterdir()))
    raise InvalidFile(f"{path} does not exist.{near} The current folder is {Path.cwd()}.")


def _check_suffix(path: Path, head: bytes) -> None:
    """Refuse what cannot be delimited text by its name."""
    suffix = path.suffix.lower()
    if suffix in _NEVER_TEXT:
        raise InvalidFile(
            f"{path.name}: {suffix} files are not supported. {_NEVER_TEXT[suffix]} Supported: {SUPPORTED}."
        )
    if suffix in _CLAIMS:
        raise InvalidFile(
            f"{path.name} is no {suffix} file: it begins with {head!r}, not with {_CLAIMS[suffix]!r}. It is damaged or "
            "wrongly named; fetch it again, or name it after what it is."
        )


def _check_text_size(path: Path) -> None:
    """Refuse text that would not fit memory as cells, which take some ten times as much as in the file."""
    size = path.stat().st_size
    if is_large(size) and path.suffix.lower() in JSON_LINES:
        raise InvalidFile(
            f"{path.name} has {size / MB:,.0f} MB, too many to be read in memory. Give fewer lines of it, or allow "
            f"more memory with {VARIABLE} (in MB)."
        )
    if is_large(size):
        raise InvalidFile(
            f"{path.name} has {size / MB:,.0f} MB, and so large a text does not fit memory while it is read. Convert "
            "it to Parquet, which may be larger than memory:\n"
            "    from pyarrow import csv, parquet\n"
            f"    rows = csv.open_csv({path.name!r})\n"
            f"    with parquet.ParquetWriter({path.with_suffix('.parquet').name!r}, rows.schema) as file:\n"
            "        for batch in rows:\n"
            "            file.write_batch(batch)\n"
            f"Or allow more memory with {VARIABLE} (in MB)."
        )


def _expanded(data: Dataset) -> Dataset:
    field = data.fields[0]
    if field.kind != "numeric" or not field.shape:
        return data
    names = [f"{field.name}{i}" for i in range(field.shape[0])]
    return numbered(names, cast(Tensor, data.columns[field.name]), data.source)


def _name_of(target: str | int, data: Dataset) -> str:
    if isinstance(target, str):
        if target in data.columns or not target.lstrip("-").isdecimal():
            return target  # an unknown name is refused by the data set, with the nearest one
        target = int(target)
    if not -len(data.fields) <= target < len(data.fields):
        raise InvalidInput(
            f"target={target}: {data.source or 'the data'} has {len(data.fields)} columns, at the positions 0 to "
            f"{len(data.fields) - 1} (-1 is the last). Columns: {', '.join(data.names[:20])}."
        )
    return data.names[target]
