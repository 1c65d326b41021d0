"""Who belongs to which group: sensitive columns read as codes, numbers cut, missing values a group of their own.

Numbers of more than ten different values are cut at their quartiles, which the note of the groups says, or at the edges
that are given; of ten or fewer each value is a group. Nobody is left out: rows without a value are the group "missing".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ganglion.data.columns import infer_column
from ganglion.data.convert import as_dataset
from ganglion.data.dataset import Dataset, Field
from ganglion.drawing.axes import number
from ganglion.errors import InvalidInput, InvalidParameter, suggestion

Array = NDArray[Any]
Sensitive = Any  # names of columns of X, or arrays, in any of the forms that `read_groups` tells of
MISSING = "missing"
MOST_VALUES = 10  # of a numeric column that are groups as they are
MOST_GROUPS = 200
CROSS = " × "


@dataclass(frozen=True, slots=True)
class Groups:
    """The group of every row, by one sensitive column or by several together.

    Attributes
    ----------
    name : str
        Of the column; of several, their names with × between them.
    labels : tuple of str
    codes : ndarray of shape (n,), int64
        Into `labels`.
    note : str
        How numbers were cut, how many values are missing; or empty.
    cuts : tuple of float
        Where numbers were cut, or empty.
    ranges : tuple of str
        The names of all groups between cuts, also of those that no row is in.
    """

    name: str
    labels: tuple[str, ...]
    codes: Array
    note: str = ""
    cuts: tuple[float, ...] = ()
    ranges: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def counts(self) -> Array:
        """Rows of each group, (n_groups,)."""
        return np.bincount(self.codes, minlength=len(self.labels))

    def take(self, rows: Array) -> Groups:
        """Return the groups of the rows `rows`, (k,) indices."""
        return replace(self, codes=self.codes[rows])


def read_groups(
    sensitive: Sensitive, X: Any, n_rows: int, *, bins: Mapping[str, Sequence[float]] | None = None
) -> list[Groups]:
    """Return the groups of each sensitive column.

    Parameters
    ----------
    sensitive : str, int, array-like of shape (n_rows,) or (n_rows, k), frame, mapping of str to any of these, or list
        Names (or, of arrays, places) of columns of X; or the values themselves.
    X : Dataset, frame, mapping, array-like or None
        Where named columns are looked up.
    n_rows : int
    bins : mapping of str to sequence of float, optional
        Where to cut columns of numbers, in place of their quartiles: edges (25, 40) make three groups.

    Raises
    ------
    InvalidInput
        If a column is absent, constant, of another length, or holds no groups (free text, pictures).
    InvalidParameter
        If `bins` names no sensitive column of numbers, or its edges do not rise.
    """
    bins = dict(bins or {})
    columns = _named(sensitive, X, n_rows)
    strange = [name for name in bins if name not in columns]
    if strange:
        raise InvalidParameter(
            f"bins name {strange[0]!r}, which is no sensitive column.{suggestion(strange[0], columns)} "
            f"Sensitive: {', '.join(columns)}."
        )
    return [_grouped(name, values, n_rows, bins.get(name)) for name, values in columns.items()]


def with_intersection(groups: Sequence[Groups]) -> list[Groups]:
    """Return groups, and behind several of them the groups of all columns together."""
    return [*groups, crossed(groups)] if len(groups) > 1 else list(groups)


def crossed(groups: Sequence[Groups]) -> Groups:
    """Return the groups that columns make together: one for each combination that any row has."""
    keys = np.column_stack([each.codes for each in groups])
    found, codes = np.unique(keys, axis=0, return_inverse=True)
    labels = tuple(
        ", ".join(each.labels[code] for each, code in zip(groups, key, strict=True)) for key in found.tolist()
    )
    return Groups(CROSS.join(each.name for each in groups), labels, codes.reshape(-1).astype(np.int64))


def codes_again(known: Sequence[Groups], labels: Sequence[str], sensitive: Sensitive, X: Any, n_rows: int) -> Array:
    """Return the groups of other rows as codes into `labels`, those that the columns `known` made together.

    Raises
    ------
    InvalidInput
        If a row belongs to a group that was not there before.
    """
    columns = _named(sensitive, X, n_rows)
    if len(columns) != len(known):
        raise InvalidInput(f"{len(columns)} sensitive columns were given, but {len(known)} in fit. Give the same ones.")
    parts = [
        _labels_again(each, name, values, n_rows) for each, (name, values) in zip(known, columns.items(), strict=True)
    ]
    told = [", ".join(row) for row in zip(*parts, strict=True)]
    code_of = {label: code for code, label in enumerate(labels)}
    strange = sorted({label for label in told if label not in code_of})
    if strange:
        raise InvalidInput(
            f"rows belong to the group {strange[0]!r} of {CROSS.join(each.name for each in known)}, which fit had not. "
            f"Known: {', '.join(labels[:20])}."
        )
    return np.array([code_of[label] for label in told], dtype=np.int64)


def _labels_again(known: Groups, name: str, values: Any, n_rows: int) -> list[str]:
    """Return the group of each row of one column, cut where it was cut before."""
    field, column = values if isinstance(values, tuple) and isinstance(values[0], Field) else _read(name, values)
    if len(column) != n_rows:
        raise InvalidInput(f"the sensitive column {name!r} has {len(column):,} values, not {n_rows:,}: one a row.")
    if not known.cuts:
        groups = _labelled(name, field, np.asarray(column), None)
        return [groups.labels[code] for code in groups.codes.tolist()]
    numbers = np.asarray(column, dtype=np.float64)
    places = np.searchsorted(known.cuts, numbers, side="right")
    missing = _free(known.ranges)
    return [missing if gone else known.ranges[k] for gone, k in zip(np.isnan(numbers), places.tolist(), strict=True)]


def names_in(sensitive: Sensitive, X: Any) -> list[str]:
    """Return the columns of X that `sensitive` names, none where it brings the values itself."""
    known = _column_names(X)
    if isinstance(sensitive, str):
        return [sensitive]
    if isinstance(sensitive, int | np.integer) and known:
        return [known[int(sensitive)]]
    if isinstance(sensitive, list | tuple) and _are_names(sensitive, known):
        return [str(name) for name in sensitive]
    return []


def _named(sensitive: Any, X: Any, n_rows: int) -> dict[str, Any]:
    """Return the values of sensitive columns by name: a column (field, tensor) where X has read it, or raw values."""
    if sensitive is None:
        raise InvalidInput(
            "sensitive is missing. Give the name of a column of X (sensitive='sex'), several of them, or the values: "
            "sensitive={'sex': array of one value a row}."
        )
    if isinstance(sensitive, str | int | np.integer) and not isinstance(sensitive, bool):
        return _from_table([sensitive if isinstance(sensitive, str) else int(sensitive)], X)
    if isinstance(sensitive, Dataset):
        return {name: (sensitive.field(name), sensitive.columns[name]) for name in sensitive.names}
    if isinstance(sensitive, Mapping):
        return {str(name): values for name, values in sensitive.items()}
    if _are_names(sensitive, _column_names(X)):
        return _from_table(list(cast("Sequence[str]", sensitive)), X)
    if hasattr(sensitive, "columns") or hasattr(sensitive, "column_names"):  # a frame of any library
        return _named(as_dataset(sensitive), X, n_rows)
    return _of_values(sensitive, X, n_rows)


def _of_values(sensitive: Any, X: Any, n_rows: int) -> dict[str, Any]:
    name = getattr(sensitive, "name", None)
    values = np.asarray(sensitive.to_list() if hasattr(sensitive, "to_list") else sensitive)
    if values.ndim == 2:
        return {f"sensitive {k}": values[:, k] for k in range(values.shape[1])}
    if values.dtype.kind in "UO" and 0 < len(values) < n_rows and all(isinstance(each, str) for each in values):
        return _from_table(values.tolist(), X)  # which says that one is absent
    return {str(name) if name is not None else "sensitive": values}


def _are_names(sensitive: Any, known: Sequence[str]) -> bool:
    listed = isinstance(sensitive, list | tuple) and bool(sensitive)
    return listed and all(isinstance(each, str) and each in known for each in sensitive)


def _column_names(X: Any) -> list[str]:
    if isinstance(X, Dataset):
        return list(X.names)
    if isinstance(X, Mapping):
        return [str(name) for name in X]
    return [str(name) for name in getattr(X, "column_names", getattr(X, "columns", ()))]


def _from_table(wanted: Iterable[str | int], X: Any) -> dict[str, Any]:
    """Return columns of X by name or place."""
    known = _column_names(X)
    found: dict[str, Any] = {}
    for each in wanted:
        if isinstance(each, str) and known:
            found[each] = _column(each, known, X)
        elif isinstance(each, str):
            raise InvalidInput(
                f"X has no named columns, so there is none called {each!r}. Give a frame, the place of the column "
                f"(sensitive=3), or the values: sensitive={{{each!r}: array of one value a row}}."
            )
        else:
            found[known[int(each)] if known else f"column {int(each)}"] = _placed(int(each), known, X)
    return found


def _column(name: str, known: Sequence[str], X: Any) -> Any:
    if name not in known:
        shown = ", ".join(known[:20]) + (", …" if len(known) > 20 else "")
        raise InvalidInput(
            f"no column is called {name!r}.{suggestion(name, known)} Columns: {shown}. A column that the model was not "
            f"given can be handed over beside X: sensitive={{{name!r}: array of one value a row}}."
        )
    if isinstance(X, Dataset):
        return X.field(name), X.columns[name]
    return next(values for key, values in X.items() if str(key) == name) if isinstance(X, Mapping) else X[name]


def _placed(place: int, known: Sequence[str], X: Any) -> Any:
    width = len(known) if known else (X.shape[1] if np.ndim(X) == 2 else 0)
    if not -width <= place < width:
        raise InvalidInput(f"sensitive={place}: X has {width} columns. Give a place from 0 to {width - 1}.")
    return _column(known[place], known, X) if known else np.asarray(X)[:, place]


def _grouped(name: str, values: Any, n_rows: int, edges: Sequence[float] | None) -> Groups:
    field, column = values if isinstance(values, tuple) and isinstance(values[0], Field) else _read(name, values)
    if len(column) != n_rows:
        raise InvalidInput(
            f"the sensitive column {name!r} has {len(column):,} values, but there are {n_rows:,} rows. Give one a row."
        )
    return _checked(_labelled(name, field, np.asarray(column), edges))


def _labelled(name: str, field: Field, column: Array, edges: Sequence[float] | None) -> Groups:
    if field.kind == "categorical" and edges is None:
        return _of_labels(name, list(field.categories), column)
    if field.kind in ("numeric", "boolean", "date") and not field.shape:
        return _of_numbers(name, field, column.astype(np.float64), edges)
    what = "words, which cannot be cut at numbers" if edges is not None else f"{field.kind}, which makes no groups"
    raise InvalidInput(f"the sensitive column {name!r} holds {what}. Give categories or numbers, one value a row.")


def _read(name: str, values: Any) -> tuple[Field, Any]:
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    if hasattr(values, "to_list"):
        values = values.to_list()
    if np.ndim(values) != 1 and not (isinstance(values, np.ndarray) and values.shape[1:] == (1,)):
        raise InvalidInput(
            f"the sensitive column {name!r} has {np.ndim(values)} axes. Give one value a row, of shape (n_rows,)."
        )
    flat = values.reshape(-1) if isinstance(values, np.ndarray) else list(values)
    if not len(flat):
        raise InvalidInput(f"the sensitive column {name!r} is empty. Give one value a row.")
    field, column = infer_column(name, flat)
    return (field, column) if field.kind != "text" else infer_column(name, flat, kind="categorical")


def _of_labels(name: str, labels: list[str], codes: Array) -> Groups:
    """Return groups of categories, without those that no row has; -1 is missing."""
    missing = codes < 0
    labels, codes = [*labels, _free(labels)], np.where(missing, len(labels), codes)
    present, codes = np.unique(codes, return_inverse=True)
    return Groups(
        name, tuple(labels[code] for code in present.tolist()), codes.astype(np.int64), _missing_note(name, missing)
    )


def _free(labels: Sequence[str]) -> str:
    return MISSING if MISSING not in labels else "(no value)"


def _missing_note(name: str, missing: Array) -> str:
    n = int(missing.sum())
    return f"{name}: {n:,} of {len(missing):,} rows have no value; they are a group of their own." if n else ""


def _of_numbers(name: str, field: Field, values: Array, edges: Sequence[float] | None) -> Groups:
    missing = np.isnan(values)
    there = np.unique(values[~missing])
    if edges is None and len(there) <= MOST_VALUES:
        codes = np.where(missing, -1, np.searchsorted(there, values))
        return _of_labels(name, [_written(value, field) for value in there.tolist()], codes)
    cuts, note = _cuts(name, field, values[~missing], edges)
    codes = np.where(missing, -1, np.searchsorted(cuts, values, side="right"))
    whole = field.kind != "date" and bool((there == np.floor(there)).all() and (cuts == np.floor(cuts)).all())
    ranges = _ranges([*cuts.tolist()], field, whole=whole)
    groups = _of_labels(name, ranges, codes)
    return replace(groups, note=f"{note} {groups.note}".strip(), cuts=tuple(cuts.tolist()), ranges=tuple(ranges))


def _written(value: float, field: Field) -> str:
    if field.kind == "boolean":
        return "yes" if value else "no"
    return str(np.datetime64(int(value), "s"))[:10] if field.kind == "date" else number(value)


def _cuts(name: str, field: Field, values: Array, edges: Sequence[float] | None) -> tuple[Array, str]:
    """Return where numbers are cut, rising, and what is said of it."""
    if edges is not None:
        cuts = np.asarray(edges, dtype=np.float64)
        if cuts.ndim != 1 or not len(cuts) or not np.isfinite(cuts).all() or (np.diff(cuts) <= 0).any():
            raise InvalidParameter(
                f"bins={{{name!r}: {list(edges)}}}: give one or more numbers that rise, as (25, 40)."
            )
        return cuts, f"{name} is cut at {_listed([_written(cut, field) for cut in cuts.tolist()])}, as asked."
    quartiles = np.quantile(values, [0.25, 0.5, 0.75])
    whole = bool((values == np.floor(values)).all())
    cuts = np.unique(np.ceil(quartiles) if whole else quartiles)
    cuts = cuts[cuts > values.min()]
    shown = _listed([_written(cut, field) for cut in cuts.tolist()])
    return cuts, f"{name} is cut at its quartiles, {shown}; for other edges give bins={{{name!r}: (…)}}."


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _ranges(cuts: list[float], field: Field, *, whole: bool) -> list[str]:
    """Return the names of the groups between cuts: under 28, 28 to 36, 37 and over."""
    ends = [cut - 1 for cut in cuts] if whole else cuts
    inner = [
        f"{_written(low, field)} to {'' if whole else 'under '}{_written(high, field)}"
        if low != high
        else _written(low, field)
        for low, high in zip(cuts[:-1], ends[1:], strict=True)
    ]
    return [f"under {_written(cuts[0], field)}", *inner, f"{_written(cuts[-1], field)} and over"]


def _checked(groups: Groups) -> Groups:
    if len(groups.labels) < 2:
        only = ", ".join(groups.labels)
        raise InvalidInput(
            f"the sensitive column {groups.name!r} is constant ({only!r} in every row), so there are no groups to "
            "compare. Give a column with two values or more, or rows of other groups too."
        )
    if len(groups.labels) > MOST_GROUPS:
        raise InvalidInput(
            f"the sensitive column {groups.name!r} has {len(groups.labels):,} different values; up to {MOST_GROUPS} "
            "groups can be compared. Join values that belong together, or give another column."
        )
    return groups
