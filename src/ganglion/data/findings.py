"""What deserves a look in a data set before anything is learned from it: each check is one short function."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from ganglion.data.dataset import Dataset
from ganglion.data.leakage import determination, exact_sum, sample_rows
from ganglion.data.profile import Profile
from ganglion.data.splits import duplicate_rows
from ganglion.data.task import Task

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")

LEAK, SUSPECT = 0.98, 0.90  # share of the error that one feature alone removes
SAME = 0.999  # |correlation| of two columns that say the same
MOSTLY_MISSING = 0.5
ID_DISTINCT = 0.95
MIN_ID_ROWS = 20  # in fewer rows all values may differ by chance
MANY_CATEGORIES = 100
IMBALANCE, STRONG_IMBALANCE = 0.10, 0.01
ROWS_A_FEATURE, ROWS_A_CLASS, ROWS_AT_LEAST = 10, 50, 200


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that deserves a look.

    Attributes
    ----------
    severity : "error", "warning" or "note"
        An error makes results wrong, a warning may, a note is good to know.
    check : str
        Which check found it: "leakage", "identifier", "constant", …
    column : str
        The column, or empty for the whole table.
    text : str
        What was found and what to do.
    """

    severity: Severity
    check: str
    column: str
    text: str


def find(
    data: Dataset, features: list[Profile], target: Profile | None, task: Task | None, n_rows: int | None = None
) -> list[Finding]:
    """Return all findings, the gravest first; `data` may be a sample of `n_rows` rows."""
    found: list[Finding] = []
    if target is not None and task is not None:
        found += [*_target(target, task), *leaking_columns(features, target, task)]
        found += [*_few_rows(n_rows or len(data), features, target, task), *_dates(features)]
    found += [*_columns(features), *_pairs(features), *_rows(data)]
    return list(gravest_first(found))


def gravest_first(found: list[Finding]) -> tuple[Finding, ...]:
    """Return findings in the order of their severity."""
    return tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity)))


def is_identifier(column: Profile) -> bool:
    """Say whether a column only names its row: text that hardly repeats, or whole numbers without many gaps."""
    n = int(column.counts.sum())
    if n < MIN_ID_ROWS:
        return False
    if column.kind == "categorical":
        return column.n_distinct >= ID_DISTINCT * n
    if column.kind != "numeric" or column.n_distinct < n:
        return False
    whole = bool((column.values == np.floor(column.values)).all())
    return whole and column.values[-1] - column.values[0] < 2 * n


def _columns(features: list[Profile]) -> Iterator[Finding]:
    table = any(column.kind != "text" for column in features)
    for column in features:
        if not column.has_values:
            if column.kind == "text" and column.missing:
                empty = f"has no text in {column.missing:.2%} of the rows. Leave them out: a model refuses empty texts."
                yield Finding("warning", "missing", column.name, empty)
            if column.kind == "text" and table:
                text = "holds free text, which networks for tables leave out. Make columns of it, or take one for text."
                yield Finding("note", "text", column.name, text)
        elif column.n_distinct == 0:
            yield Finding("warning", "missing", column.name, "holds no value at all. Drop it.")
        elif column.n_distinct == 1 and not column.missing:
            yield Finding(
                "warning", "constant", column.name, f"is always {column.values[0]}. Drop it: it tells nothing."
            )
        elif column.missing > MOSTLY_MISSING:
            text = f"is missing in {column.missing:.0%} of the rows. Drop it, or keep only whether it is there."
            yield Finding("warning", "missing", column.name, text)
        elif is_identifier(column):
            text = "differs in (nearly) every row, as names and row numbers do. Drop it: it cannot repeat in new data."
            yield Finding("warning", "identifier", column.name, text)
        else:
            yield from _categories(column)


def _categories(column: Profile) -> Iterator[Finding]:
    if column.kind != "categorical":
        return
    n, k = int(column.counts.sum()), column.n_distinct
    rare = int((column.counts == 1).sum())
    if k > MANY_CATEGORIES or (k > 20 and k > 0.2 * n):
        text = f"has {k} categories, {n / k:.1f} rows each on average. Group them, or expect little from it."
        yield Finding("note", "cardinality", column.name, text)
    elif rare:
        what = f"{rare} categories have" if rare > 1 else "1 category has"
        text = f"{what} one single row, and will be treated as unknown. Merge them with others if they matter."
        yield Finding("note", "rare", column.name, text)


def _pairs(features: list[Profile]) -> Iterator[Finding]:
    """Find columns that say the same: numbers that rise together, and codes of one another."""
    numbers = [each for each in features if each.is_number and each.n_distinct > 1]
    rows = sample_rows(len(features[0].codes)) if numbers else np.empty(0)
    said: set[str] = set()
    if len(numbers) > 1:
        table = np.column_stack([_filled(each, rows) for each in numbers])
        close = np.abs(np.atleast_2d(_correlations(table))) > SAME
        for i, j in zip(*np.nonzero(np.triu(close, 1)), strict=True):
            if numbers[j].name in said:
                continue
            said.add(numbers[j].name)
            text = f"rises or falls together with {numbers[i].name!r} (|r| > {SAME}). Keep one of the two."
            yield Finding("note", "same", numbers[j].name, text)
    for one, two in combinations([each for each in features if each.has_values], 2):
        if one.n_distinct == two.n_distinct and two.name not in said and _same_codes(one, two):
            said.add(two.name)
            text = f"is {one.name!r} written in another way: each value has one partner. Keep one of the two."
            yield Finding("note", "same", two.name, text)


def _filled(column: Profile, rows: np.ndarray) -> np.ndarray:
    values = column.numbers[rows]
    return np.where(np.isnan(values), np.average(column.values, weights=column.counts), values)


def _correlations(table: np.ndarray) -> np.ndarray:
    centred = table - table.mean(axis=0)
    scale = np.sqrt(np.square(centred).sum(axis=0))
    return centred.T @ centred / np.maximum(np.outer(scale, scale), 1e-300)


def _same_codes(one: Profile, two: Profile) -> bool:
    k, n = one.n_distinct, len(one.codes)
    if k < 2 or k > 0.1 * n or not np.array_equal(np.sort(one.counts), np.sort(two.counts)):
        return False  # with few rows for each value, partners come about by chance
    return len(np.unique((one.codes + 1) * (k + 1) + two.codes + 1)) == k + bool(one.missing)


def _rows(data: Dataset) -> Iterator[Finding]:
    n = int(duplicate_rows(data).sum())
    if n:
        severity: Severity = "warning" if n >= 0.01 * len(data) else "note"
        text = (
            f"{n} rows ({n / len(data):.1%}) repeat an earlier row. Drop them, or a test set will hold rows that were "
            "trained on."
        )
        yield Finding(severity, "duplicates", "", text)


def _target(target: Profile, task: Task) -> Iterator[Finding]:
    if target.missing:
        text = f"is missing in {target.missing:.1%} of the rows, which cannot be learned from. They will be left out."
        yield Finding("warning", "target", target.name, text)
    if target.n_distinct < 2:
        yield Finding(
            "error", "target", target.name, "is the same in every row: nothing can be learned. Choose another."
        )
    elif task.is_classification:
        least = int(target.counts.argmin())
        share = target.counts[least] / target.counts.sum()
        if share < IMBALANCE / max(target.n_distinct - 1, 1):
            severity: Severity = "warning" if share < STRONG_IMBALANCE or target.n_distinct == 2 else "note"
            text = (
                f"class {_label(target.values[least])} has {share:.2%} of the rows ({target.counts[least]}). Judge by "
                "balanced accuracy or average precision, and weigh the classes."
            )
            yield Finding(severity, "imbalance", target.name, text)


def _label(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else repr(value)


def leaking_columns(features: list[Profile], target: Profile, task: Task) -> Iterator[Finding]:
    """Find columns that alone, or in a weighted sum, give the target away.

    Parameters
    ----------
    features : list of Profile
    target : Profile
        Of the same rows.
    task : Task
    """
    rows = sample_rows(len(target.codes))
    for column in features:
        # the nearest date, or row number, has nearly the same target in any series: that is order, not a leak
        if not column.has_values or column.kind == "date" or column.n_distinct == 0 or is_identifier(column):
            continue
        score = determination(column, target, rows, classes=task.is_classification)
        if score >= LEAK:
            text = (
                f"gives {target.name!r} away ({score:.1%} of the error disappears). Drop it if it is known only later."
            )
            yield Finding("error", "leakage", column.name, text)
        elif score >= SUSPECT:
            text = f"nearly gives {target.name!r} away ({score:.1%} of the error disappears). Is it known beforehand?"
            yield Finding("warning", "leakage", column.name, text)
    if not task.is_classification:
        parts = exact_sum(features, target, rows)
        if len(parts) > 1:
            text = f"is exactly a weighted sum of {', '.join(parts[:10])}. Drop those that are known only later."
            yield Finding("error", "leakage", target.name, text)


def _dates(features: list[Profile]) -> Iterator[Finding]:
    for column in features:
        if column.kind == "date" and column.n_distinct > 0.5 * len(column.codes):
            text = "orders the rows in time. To predict the future, train on the past and test on what came after."
            yield Finding("note", "order", column.name, text)


def _few_rows(n: int, features: list[Profile], target: Profile, task: Task) -> Iterator[Finding]:
    n_classes = target.n_distinct if task.is_classification else 1
    wanted = max(ROWS_AT_LEAST, ROWS_A_FEATURE * len(features), ROWS_A_CLASS * n_classes)
    if n < wanted:
        given = f" for {len(features)} features" if len(features) > 1 else ""
        text = (
            f"{n} rows are few{given}; {wanted} or more would be good. Expect wide confidence intervals, and compare "
            "with a linear model."
        )
        yield Finding("warning", "rows", "", text)
