"""`ganglion sample` of models that make data: rows to the screen or a file, pictures to a file or a folder."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
from rich.markup import escape

from ganglion.cli.screen import say

DIGITS = 7  # of a number that is made
TABLES, PICTURES = (".csv", ".npz", ".npy"), (".png", ".npz", ".npy")


def make(estimator: Any, number: int, *, out: Path | None, label: str | None, random_state: int | None) -> None:
    """Make so many rows or pictures, and write them where `out` says."""
    are_pictures = estimator.modality_ == "image"
    check_out(out, are_pictures=are_pictures)
    made = estimator.sample(
        number, random_state=random_state, **({} if label is None else {"y": known(estimator, label)})
    )
    if are_pictures:
        _write_pictures(np.asarray(made), Path(str(out)))
    elif out is not None and out.suffix != ".csv":
        _write_arrays({name: np.asarray(column) for name, column in columns_of(made).items()}, out)
    else:
        _write_rows(columns_of(made), out)
    if out is not None:
        say(f"saved {escape(str(out))}")


def known(estimator: Any, label: str) -> Any:
    """Return the label of training that is written so on the command line.

    Raises
    ------
    InvalidParameter
        If the model has no labels, or none is written so.
    """
    from ganglion.errors import InvalidParameter, suggestion

    if not getattr(estimator, "conditional", False):
        raise InvalidParameter(
            f"--label {label}: this {type(estimator).__name__} was trained without labels. Leave it out, or train with "
            "--target NAME --set conditional=true."
        )
    written = {str(each): each for each in estimator.classes_.tolist()}
    if label not in written:
        known = ", ".join(list(written)[:20])
        raise InvalidParameter(
            f"--label {label}: not a label of training.{suggestion(label, list(written))} Known: {known}."
        )
    return written[label]


def check_out(out: Path | None, *, are_pictures: bool) -> None:
    """Refuse, before anything is made, where what is made cannot be written.

    Raises
    ------
    InvalidParameter
        If the name says another kind of file.
    SaveFailed
        If there is no such folder to write to.
    """
    from ganglion.errors import InvalidParameter, SaveFailed

    allowed = PICTURES if are_pictures else TABLES
    if out is None:
        if are_pictures:
            raise InvalidParameter(
                "pictures are no lines of text: give --out FILE.png (all on one), FILE.npz, or a folder."
            )
        return
    folder = are_pictures and not out.suffix
    if not folder and out.suffix.lower() not in allowed:
        what = (
            "pictures go to .png (all on one), .npz, .npy or a folder"
            if are_pictures
            else "rows go to .csv, .npz or .npy"
        )
        raise InvalidParameter(f"--out {out}: {what}.")
    if not out.absolute().parent.is_dir():
        raise SaveFailed(f"the folder {out.absolute().parent} does not exist. Create it first.")
    if folder and out.is_file():
        raise SaveFailed(f"{out} is a file; pictures are written into a folder, or to a .png. Give another name.")
    if not folder and out.is_dir():
        raise SaveFailed(f"{out} is a folder. Give the name of a file in it.")


def columns_of(made: Any) -> dict[str, np.ndarray]:
    """Return rows that were made as columns of texts and numbers, in order."""
    from ganglion.data.convert import as_dataset

    data, columns = as_dataset(made), {}
    for field in data.fields:
        values = data.values(field.name)
        if field.kind == "date":
            columns[field.name] = np.datetime_as_string((values * 1e3).round().astype("datetime64[ms]"), unit="s")
        elif field.kind == "boolean":
            columns[field.name] = np.where(values > 0.5, "true", "false")
        elif field.shape:
            columns |= {f"{field.name}{j}": part for j, part in enumerate(values.reshape(len(values), -1).T)}
        else:
            columns[field.name] = values
    return columns


def _write_rows(columns: dict[str, np.ndarray], out: Path | None) -> None:
    from ganglion.storage import write_text

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*map(_plain, columns.values()), strict=True))
    if out is None:
        sys.stdout.write(text.getvalue())
    else:
        write_text(out, text.getvalue())


def _plain(column: np.ndarray) -> list[Any]:
    """Return a column as values to be written: whole numbers without a point, others rounded."""
    if column.dtype.kind != "f":
        return column.tolist()
    if (column == column.round()).all() and np.abs(column).max(initial=0) < 2**53:
        return column.astype(np.int64).tolist()
    return [float(f"{value:.{DIGITS}g}") for value in column.tolist()]


def _write_arrays(arrays: dict[str, np.ndarray], out: Path) -> None:
    from ganglion.errors import InvalidParameter
    from ganglion.storage import atomic_write

    plain = {name: each.astype(str) if each.dtype == object else each for name, each in arrays.items()}
    with atomic_write(out) as file:
        if out.suffix == ".npz":
            np.savez_compressed(file, **plain)  # type: ignore[arg-type]
            return
        if any(each.dtype.kind not in "fiu" for each in plain.values()):
            raise InvalidParameter(f"--out {out}: a .npy holds numbers alone, and there are texts. Give .csv or .npz.")
        np.save(file, next(iter(plain.values())) if len(plain) == 1 else np.column_stack(list(plain.values())))


def _write_pictures(made: np.ndarray, out: Path) -> None:
    """Write pictures, (n, height, width) or with channels last: an array, one sheet, or a file each in a folder."""
    from ganglion.drawing.contact import contact_sheet
    from ganglion.drawing.png import displayable, png_file
    from ganglion.storage import atomic_write

    if out.suffix.lower() in (".npz", ".npy"):
        _write_arrays({"image": made}, out)
        return
    pictures = displayable(made[:, None] if made.ndim == 3 else made.transpose(0, 3, 1, 2))
    if out.suffix:
        with atomic_write(out) as file:
            file.write(png_file(contact_sheet(pictures)))
        return
    out.mkdir(exist_ok=True)
    digits = len(str(len(pictures) - 1))
    for i, picture in enumerate(pictures):
        with atomic_write(out / f"{i:0{digits}}.png") as file:
            file.write(png_file(picture))
