"""`audit_data`: who is in a data set, how labels are spread over groups, and what gives the groups away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import RenderableType

from ganglion.data.convert import as_dataset
from ganglion.data.dataset import Dataset
from ganglion.data.read import with_target
from ganglion.data.task import infer_task
from ganglion.drawing.gallery import Charts
from ganglion.errors import InvalidInput, unknown_name
from ganglion.evaluation.bootstrap import Estimate, affordable_resamples, resampled_weights
from ganglion.evaluation.inputs import check_resamples, read_answers
from ganglion.evaluation.proportions import wilson
from ganglion.evaluation.resampling import indicator, ratio
from ganglion.evaluation.shown import Shown, plain
from ganglion.fairness.data_pages import charts_of, fragment, render
from ganglion.fairness.gaps import interval
from ganglion.fairness.groups import Array, Groups, Sensitive, names_in, read_groups, with_intersection
from ganglion.fairness.proxies import ALL, Proxy, proxies_of

SMALL_SHARE = 0.05  # of the rows: a group that a model learns little of


@dataclass(frozen=True, slots=True)
class Share:
    """One group of a data set.

    Attributes
    ----------
    name : str
    n : int
        Rows.
    share : Estimate
        Of all rows.
    label : Estimate
        Share of rows with the positive class; of numbers their mean. None where there is no target.
    missing : float
        Share of the values of all other columns that are missing.
    too_small : str
        Why its label is not compared, or empty.
    """

    name: str
    n: int
    share: Estimate
    label: Estimate
    missing: float
    too_small: str = ""


@dataclass(frozen=True, slots=True)
class Spread:
    """The groups of one sensitive column (or of several together) in a data set.

    Attributes
    ----------
    by : str
    groups : tuple of Share
    label_difference : Estimate
        Between the groups whose label differs most.
    most, least : str
        Those groups.
    """

    by: str
    groups: tuple[Share, ...]
    label_difference: Estimate
    most: str = ""
    least: str = ""


@dataclass(frozen=True, repr=False)
class DataAudit(Shown):
    """What was found in a data set before anything is learned from it.

    Attributes
    ----------
    n_rows : int
    target : str
        What the label is: the class that is counted, or the number whose mean is taken; empty without a target.
    spreads : tuple of Spread
        One for each sensitive column, and for all of them together.
    proxies : tuple of Proxy
        For each sensitive column the other ones, the strongest first, then all together.
    findings : tuple of str
        What deserves a look, in plain words, the gravest first.
    notes : tuple of str
    """

    n_rows: int
    target: str
    spreads: tuple[Spread, ...]
    proxies: tuple[Proxy, ...]
    findings: tuple[str, ...]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        found = [f"{each.column} tells {each.by}" for each in self.proxies if each.strength == "proxy"]
        return (
            f"DataAudit({self.n_rows} rows, {len(self.findings)} findings{', ' if found else ''}{', '.join(found[:4])})"
        )

    def __rich__(self) -> RenderableType:
        return render(self)

    def _repr_html_(self) -> str:
        return fragment(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the audit in plain types that JSON can hold."""
        return plain(self)

    def plot(self) -> Charts:
        """Return charts of the groups' shares and labels, and of the proxies, by name."""
        return charts_of(self)


def audit_data(
    data: Any,
    target: Any = None,
    *,
    sensitive: Sensitive,
    positive: Any = None,
    bins: Mapping[str, Sequence[float]] | None = None,
    min_group: int = 30,
    n_bootstrap: int = 400,
    random_state: int = 0,
) -> DataAudit:
    """Look for unfairness in data that a model would learn: who is missing, whose labels differ, what are proxies.

    Parameters
    ----------
    data : Dataset, frame, mapping, or array-like
        With the columns that a model would learn from.
    target : str, or array-like of shape (n_rows,), optional
        The column to predict, or its values. A Dataset may know its own.
    sensitive : str, int, array-like, frame, mapping of str to array-like, or list of str
        As for `audit`.
    positive : object, optional
        The class that is counted; without, the second one as sorted of two, the rarest one of more.
    bins : mapping of str to sequence of float, optional
        As for `audit`.
    min_group : int
        Rows below which the label of a group is not compared.
    n_bootstrap : int
        Resamples behind the intervals, 40 or more.
    random_state : int
        The same seed gives the same audit.

    Returns
    -------
    DataAudit
        Printable, and a picture or a page by `.plot()` and `.to_html(path)`.

    Raises
    ------
    InvalidInput
        If a sensitive column is absent or constant, or lengths differ.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> sex = rng.choice(["f", "m"], 600)
    >>> table = {"sex": sex, "size": rng.normal(size=600) + 3 * (sex == "m"), "noise": rng.normal(size=600)}
    >>> [each.column for each in audit_data(table, sensitive="sex").proxies if each.strength == "proxy"]
    ['size', 'all together']
    """
    whole, label, name = _labelled(_as_table(data), target, positive)
    columns = read_groups(sensitive, whole, len(whole), bins=bins)
    rest = whole.drop([each for each in {*names_in(sensitive, whole), *whole.target} if each in whole.names])
    n_bootstrap = check_resamples(n_bootstrap)
    missing = _missing(rest)
    spreads = tuple(
        _spread(each, label, missing, min_group, n_bootstrap, random_state) for each in with_intersection(columns)
    )
    proxies: list[Proxy] = []
    for each in columns:
        n = affordable_resamples(len(whole), len(rest.fields) * len(each.labels), n_bootstrap)
        proxies += proxies_of(rest, each, n_bootstrap=n, seed=random_state)
    findings = (*_of_proxies(proxies), *_of_spreads(spreads, name))
    return DataAudit(len(whole), name, spreads, tuple(proxies), findings, _notes(columns, whole, rest))


def _as_table(data: Any) -> Dataset:
    """Return data as columns; those of an array of numbers are called x0, x1, and so on."""
    whole = as_dataset(data)
    block = len(whole.fields) == 1 and len(whole.fields[0].shape) == 1
    return as_dataset(data, names=[f"x{i}" for i in range(whole.fields[0].shape[0])]) if block else whole


def _labelled(data: Dataset, target: Any, positive: Any) -> tuple[Dataset, Array | None, str]:
    """Return the data with their target, what is counted or averaged of it, and the name of that."""
    if isinstance(target, str | int):
        data = with_target(data, target)
    elif target is not None:
        values = read_answers(target, "target")
        if values.shape != (len(data),):
            raise InvalidInput(
                f"target has shape {values.shape}, but there are {len(data):,} rows. Give one label a row."
            )
        return data, *_counted(values, "target", positive)
    if not data.target:
        return data, None, ""
    return data, *_counted(read_answers(data.X_y()[1], "the target"), data.target[0], positive)


def _counted(values: Array, name: str, positive: Any) -> tuple[Array, str]:
    if values.ndim != 1:
        raise InvalidInput(f"the target has {values.shape[1]} columns. Look at one at a time.")
    task = infer_task(values).name
    if task == "regression":
        return values.astype(np.float64), f"mean {name}"
    labels, codes, counts = np.unique(values.astype(str), return_inverse=True, return_counts=True)
    if positive is not None and str(positive) not in labels:
        raise unknown_name("class", str(positive), labels.tolist())
    chosen = 1 if len(labels) == 2 else int(counts.argmin())
    chosen = chosen if positive is None else labels.tolist().index(str(positive))
    return (codes == min(chosen, len(labels) - 1)).astype(np.float64), f"{name} {labels[min(chosen, len(labels) - 1)]}"


def _missing(data: Dataset) -> Array:
    """Return the share of each row's values that are missing, (n,)."""
    absent = [_absent(data, name) for name in data.names if data.columns[name].__class__.__name__ == "Tensor"]
    return np.mean(absent, axis=0) if absent else np.zeros(len(data))


def _absent(data: Dataset, name: str) -> Array:
    values = np.asarray(data.columns[name]).reshape(len(data), -1)
    if data.field(name).kind == "categorical":
        return (values < 0).mean(axis=1)
    return np.isnan(values).mean(axis=1) if values.dtype.kind == "f" else np.zeros(len(data))


def _spread(groups: Groups, label: Array | None, missing: Array, min_group: int, n_bootstrap: int, seed: int) -> Spread:
    n, counts = len(groups), groups.counts
    absent = np.bincount(groups.codes, weights=missing) / counts
    values, samples = _labels(groups, label, n_bootstrap, seed)
    found = tuple(
        Share(
            name,
            int(counts[k]),
            Estimate(counts[k] / n, *wilson(counts[k] / n, n)),
            _label(label, values[k], samples[k], int(counts[k])),
            float(absent[k]),
            f"{counts[k]} rows: too few to compare (below {min_group})" if counts[k] < min_group else "",
        )
        for k, name in enumerate(groups.labels)
    )
    judged = np.flatnonzero(counts >= min_group)
    if label is None or len(judged) < 2:
        reason = "no target is known" if label is None else "fewer than two groups are large enough"
        return Spread(groups.name, found, Estimate(None, reason=reason))
    most, least = int(judged[values[judged].argmax()]), int(judged[values[judged].argmin()])
    n_pairs = len(judged) * (len(judged) - 1) // 2
    difference = Estimate(float(values[most] - values[least]), *interval(samples[most] - samples[least], n_pairs))
    return Spread(groups.name, found, difference, groups.labels[most], groups.labels[least])


def _labels(groups: Groups, label: Array | None, n_bootstrap: int, seed: int) -> tuple[Array, Array]:
    """Return the mean label of each group, (g,), and of resamples, (g, b)."""
    g = len(groups.labels)
    if label is None:
        return np.full(g, np.nan), np.full((g, 1), np.nan)
    sums, counts = indicator(groups.codes, g, label), indicator(groups.codes, g)
    ones = np.ones((len(label), 1))
    parts = [ratio(sums @ weights, counts @ weights) for weights in resampled_weights(len(label), n_bootstrap, seed)]
    return ratio(sums @ ones, counts @ ones)[:, 0], np.concatenate(parts, axis=1)


def _label(label: Array | None, value: float, samples: Array, n: int) -> Estimate:
    if label is None:
        return Estimate(None, reason="no target is known")
    if bool(np.isin(label, (0.0, 1.0)).all()):
        return Estimate(float(value), *wilson(float(value), n))
    return Estimate(float(value), *interval(samples))


def _of_proxies(proxies: Sequence[Proxy]) -> list[str]:
    found = []
    for by in dict.fromkeys(each.by for each in proxies):
        strong = [each for each in proxies if each.by == by and each.strength == "proxy" and each.column != ALL]
        whole = next((each for each in proxies if each.by == by and each.column == ALL), None)
        found += [
            f"{each.column} is a proxy of {by}: alone it tells the groups with an area of {each.area.value:.2f}."
            for each in strong
        ]
        if whole is not None and whole.strength == "proxy":
            alone = "" if strong else ", though no column does so alone"
            found.append(
                f"All other columns together tell {by} with an area of {whole.area.value:.2f}{alone}: leaving {by} out "
                "does not keep a model from knowing it."
            )
    return found


def _of_spreads(spreads: Sequence[Spread], name: str) -> list[str]:
    found = []
    for each in spreads:
        small = [group.name for group in each.groups if group.n < SMALL_SHARE * sum(other.n for other in each.groups)]
        gap = each.label_difference
        if gap.value is not None and gap.low is not None and gap.low > 0:
            found.append(
                f"{name} differs by {each.by}: {gap.value:.3g} more for {each.most} than for {each.least} (interval "
                f"{gap.low:.3g} to {gap.high:.3g})."
            )
        if small and len(each.by.split(" × ")) == 1:
            listed = ", ".join(small[:8]) + (", …" if len(small) > 8 else "")
            found.append(
                f"Few rows by {each.by}, below {SMALL_SHARE:.0%} each: {listed}. A model learns little of them."
            )
        rates = {group.name: group.missing for group in each.groups if not group.too_small}
        if rates and max(rates.values()) - min(rates.values()) > SMALL_SHARE:
            worst = max(rates, key=lambda name: rates[name])
            found.append(f"Values are missing more often by {each.by}: {rates[worst]:.1%} of those of {worst}.")
    return found


def _notes(columns: Sequence[Groups], whole: Dataset, rest: Dataset) -> tuple[str, ...]:
    left = [field.name for field in rest.fields if field.kind not in ("numeric", "categorical", "boolean", "date")]
    left += [field.name for field in rest.fields if field.shape and field.name not in left]
    notes = [each.note for each in columns if each.note]
    if left:
        notes.append(f"Not looked at as proxies: {', '.join(left[:10])}, which hold no numbers or categories.")
    notes.append(
        "Areas under the ROC curve are of rows not seen (5 folds): 0.5 is chance, 1 tells every row. A proxy has 0.75 "
        "or more, and its interval lies above chance."
    )
    return tuple(notes)
