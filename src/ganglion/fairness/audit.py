"""`audit` and `audit_scores`: from a model, or from what it said, to an `Audit` of the groups that rows belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganglion.data.convert import as_dataset
from ganglion.data.dataset import Dataset
from ganglion.data.task import infer_task
from ganglion.errors import InvalidInput, InvalidParameter, unknown_name
from ganglion.evaluation.bootstrap import affordable_resamples
from ganglion.evaluation.facts import innermost
from ganglion.evaluation.inputs import (
    check_lengths,
    check_model,
    check_resamples,
    check_weight,
    read_answers,
    split_target,
    truth_of,
)
from ganglion.evaluation.predictions import Predictions, Truth, predict
from ganglion.fairness.gaps import gaps_of
from ganglion.fairness.groups import Array, Groups, Sensitive, names_in, read_groups, with_intersection
from ganglion.fairness.rates import FEWEST, Measured, measure_classes, measure_numbers
from ganglion.fairness.result import Audit, Group, Section
from ganglion.fairness.verdict import judge

MOST_CLASSES = 20


@dataclass(frozen=True, slots=True)
class _Settings:
    positive: Any
    min_group: int
    tolerance: float
    weight: Array | None
    n_bootstrap: int
    seed: int


@dataclass(frozen=True, slots=True)
class _Question:
    """What rates are of: a class against all others, or a number to be predicted."""

    name: str
    true: Array
    said: Array
    score: Array | None = None


def audit(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    sensitive: Sensitive,
    positive: Any = None,
    bins: Mapping[str, Sequence[float]] | None = None,
    min_group: int = 30,
    tolerance: float = 0.1,
    sample_weight: Any = None,
    n_bootstrap: int = 1000,
    random_state: int = 0,
) -> Audit:
    """Compare how a fitted model treats groups of people, on rows with known answers.

    Parameters
    ----------
    model : estimator
        A fitted classifier or regressor of Ganglion, scikit-learn, or anything with their contract; pipelines too.
    X : Dataset, frame, mapping, array-like
        Rows that the model has not seen. Columns that the model was not trained on may stand in it: they are looked at,
        and kept from the model.
    y : array-like of shape (n_rows,) or (n_rows, n_targets), optional
        The true labels or numbers. Not needed when X is a `Dataset` that knows its target.
    sensitive : str, int, array-like, frame, mapping of str to array-like, or list of str
        The columns that say who belongs to which group: names (or places) in X, or the values, one a row. Of several,
        the groups that they make together are looked at too.
    positive : object, optional
        The class that rates are of. Without, it is the second one in the order of `classes_` of two classes; of more
        classes each in turn.
    bins : mapping of str to sequence of float, optional
        Where to cut columns of numbers; without, at their quartiles. {"age": (25, 45)} makes three groups.
    min_group : int
        Rows below which a group is shown as too small to judge.
    tolerance : float
        The largest difference of true or false positive rates (for numbers: of errors, in deviations of y) that the
        verdict takes for a small one.
    sample_weight : array-like of shape (n_rows,), optional
        Weights of the rows in every figure.
    n_bootstrap : int
        Resamples behind the intervals of differences, 40 or more.
    random_state : int
        The same seed gives the same audit.

    Returns
    -------
    Audit
        Printable, and a picture or a page by `.plot()` and `.to_html(path)`.

    Raises
    ------
    InvalidInput
        If a sensitive column is absent or constant, lengths differ, y is absent, or the model predicts neither classes
        nor numbers.
    InvalidParameter
        If the positive class is none of the model's, or a number is out of its limits.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> rng = np.random.default_rng(0)
    >>> sex, skill = rng.choice(["f", "m"], 2000), rng.normal(size=2000)
    >>> hired = skill + rng.normal(size=2000) + (sex == "m") > 0.5
    >>> X = np.column_stack([skill, sex == "m"])
    >>> model = LogisticRegression().fit(X[:1000], hired[:1000])
    >>> audit(model, X[1000:], hired[1000:], sensitive={"sex": sex[1000:]}).section("sex").outcome
    'unequal'
    """
    check_model(model)
    _refuse_other_tasks(model)
    X, y = split_target(model, as_dataset(X) if isinstance(X, Mapping) else X, y)
    truth = truth_of(model, _for_model(model, X, names_in(sensitive, X)), y)
    settings = _settings(positive, min_group, tolerance, sample_weight, n_bootstrap, random_state, len(truth))
    groups = read_groups(sensitive, X, len(truth), bins=bins)
    said = predict(model, _for_model(model, X, [each.name for each in groups]), truth)
    return _audit(type(innermost(model)).__name__, truth, said, groups, settings)


def audit_scores(
    y_true: Any,
    y_pred: Any,
    sensitive: Sensitive,
    *,
    X: Any = None,
    positive: Any = None,
    threshold: float | None = None,
    bins: Mapping[str, Sequence[float]] | None = None,
    min_group: int = 30,
    tolerance: float = 0.1,
    sample_weight: Any = None,
    n_bootstrap: int = 1000,
    random_state: int = 0,
    name: str = "scores",
) -> Audit:
    """Compare how answers that are there already treat groups of people; no model is needed.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        The true labels or numbers.
    y_pred : array-like of shape (n_rows,) or (n_rows, n_classes)
        Predicted labels or numbers; of two classes also a score of the positive one; of several their probabilities, in
        the order of the sorted classes.
    sensitive : array-like of shape (n_rows,), frame, mapping of str to array-like, or list of str
        As for `audit`.
    X : Dataset, frame or mapping, optional
        Where columns that `sensitive` names are looked up.
    positive : object, optional
        As for `audit`; without, the greater one of two classes.
    threshold : float, optional
        A score of this or more is a prediction of the positive class; 0.5 for probabilities.
    bins, min_group, tolerance, sample_weight, n_bootstrap, random_state
        As for `audit`.
    name : str
        What is audited, for the report.

    Returns
    -------
    Audit

    Raises
    ------
    InvalidInput
        If lengths differ, values are missing, or labels are predicted that y_true has not.
    InvalidParameter
        If scores are no probabilities and no threshold is given.
    """
    true = read_answers(y_true, "y_true")
    given = read_answers(y_pred, "y_pred")
    check_lengths(given, true, "y_true")
    if true.ndim != 1:
        raise InvalidInput(f"y_true has shape {true.shape}. Give one label or number a row, (n_rows,).")
    truth, said = _told(true, given, positive, threshold)
    settings = _settings(positive, min_group, tolerance, sample_weight, n_bootstrap, random_state, len(truth))
    groups = read_groups(sensitive, X, len(truth), bins=bins)
    return _audit(name, truth, said, groups, settings)


def _settings(
    positive: Any, min_group: int, tolerance: float, sample_weight: Any, n_bootstrap: int, seed: int, n_rows: int
) -> _Settings:
    if not isinstance(min_group, int | np.integer) or isinstance(min_group, bool) or min_group < 1:
        raise InvalidParameter(
            f"min_group={min_group!r}: give how many rows a group must have, a whole number of 1 or more."
        )
    if not 0 <= tolerance < 1:
        raise InvalidParameter(f"tolerance={tolerance!r}: give a difference of rates of at least 0 and below 1.")
    weight = check_weight(sample_weight, n_rows)
    return _Settings(positive, int(min_group), float(tolerance), weight, check_resamples(n_bootstrap), seed)


def _refuse_other_tasks(model: Any) -> None:
    task = getattr(getattr(innermost(model), "tags", None), "task", "classification")
    if task not in ("classification", "regression"):
        raise InvalidInput(
            f"{type(innermost(model)).__name__} does {task.replace('_', ' ')}, but an audit compares one class or "
            "number a row. Give a classifier or regressor, or what was decided of each row to audit_scores."
        )


def _for_model(model: Any, X: Any, sensitive: Sequence[str]) -> Any:
    """Return X without the sensitive columns that the model was not trained on."""
    trained = getattr(model, "feature_names_in_", None)
    if trained is None:
        return X
    strange = [name for name in sensitive if name not in set(trained)]
    if isinstance(X, Dataset):
        return X.drop([name for name in strange if name in X.names])
    names = getattr(X, "columns", None)
    gone = [name for name in strange if names is not None and name in list(names)]
    return X[[name for name in list(names) if name not in gone]] if names is not None and gone else X


def _told(true: Array, given: Array, positive: Any, threshold: float | None) -> tuple[Truth, Predictions]:
    """Return truth and predictions from labels, scores or numbers."""
    task = infer_task(true).name
    if task == "regression" and threshold is None and given.ndim == 1:
        names = ("y",)
        return Truth("regression", _floats(true)[:, None], names), Predictions(_floats(given)[:, None])
    classes = np.unique(true.astype(str) if true.dtype.kind in "OUS" else true)
    labels = tuple(str(label) for label in classes.tolist())
    kind = "binary" if len(classes) == 2 else "multiclass"
    if len(classes) < 2:
        raise InvalidInput(f"y_true is {labels[0]!r} in every row, so nothing can be told. Give rows of both kinds.")
    codes = np.searchsorted(classes, true.astype(classes.dtype))
    if given.ndim == 2:
        return Truth(kind, codes, labels), _of_probabilities(given, classes)
    as_given = given.astype(str) if classes.dtype.kind == "U" else given
    if threshold is None and np.isin(as_given, classes).all():
        return Truth(kind, codes, labels), Predictions(np.searchsorted(classes, as_given.astype(classes.dtype)))
    return Truth(kind, codes, labels), _of_scores(given, classes, labels, positive, threshold)


def _floats(values: Array) -> Array:
    try:
        return values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"numbers are wanted, but there is text among them ({error}). Give numbers.") from error


def _of_probabilities(given: Array, classes: Array) -> Predictions:
    if given.shape[1] != len(classes):
        raise InvalidInput(
            f"y_pred has shape {given.shape}, but y_true has {len(classes)} classes. Give one column a class, sorted: "
            f"{', '.join(map(str, classes.tolist()[:20]))}."
        )
    shares = _floats(given)
    return Predictions(shares.argmax(axis=1), shares, shares)


def _of_scores(
    given: Array, classes: Array, labels: tuple[str, ...], positive: Any, threshold: float | None
) -> Predictions:
    if len(classes) > 2 or given.dtype.kind in "OUS":
        strange = sorted({str(each) for each in given.tolist()} - {*labels})
        raise InvalidInput(
            f"y_pred has labels that y_true has not: {', '.join(strange[:5])}. Those of y_true: "
            f"{', '.join(labels[:20])}. Write both in the same way."
        )
    scores = _floats(given)
    are_shares = bool(scores.min() >= 0 and scores.max() <= 1)
    if threshold is None and not are_shares:
        raise InvalidParameter(
            f"y_pred ranges from {scores.min():.4g} to {scores.max():.4g}, which are neither labels nor probabilities. "
            "Give threshold=…, from which on the positive class is predicted."
        )
    hit = scores >= (0.5 if threshold is None else threshold)
    flipped = positive is not None and str(positive) == labels[0]
    column = 1 - scores if flipped else scores
    shares = np.column_stack([1 - column, column]) if are_shares else None
    return Predictions((~hit if flipped else hit).astype(np.int64), shares)


def _audit(name: str, truth: Truth, said: Predictions, groups: list[Groups], settings: _Settings) -> Audit:
    questions, notes = _questions(truth, said, settings.positive)
    sets = with_intersection(groups)
    n_resamples = affordable_resamples(len(truth), len(sets) * len(questions), settings.n_bootstrap)
    sections = tuple(
        _section(each, question, truth.task == "regression", settings, n_resamples)
        for question in questions
        for each in sets
    )
    notes += [each.note for each in groups if each.note]
    notes += _remarks(sections, settings)
    facts = {
        "Rows": f"{len(truth):,}" + (", weighted" if settings.weight is not None else ""),
        "Smallest group judged": f"{settings.min_group} rows, and {min(FEWEST, settings.min_group)} behind each rate",
        "Tolerated difference": f"{settings.tolerance:g}",
        "Intervals": "95 %; of shares Wilson's, of differences from "
        f"{n_resamples:,} bootstrap resamples (seed {settings.seed}), corrected for the pairs looked at (Bonferroni)",
    }
    return Audit(name, len(truth), sections, tuple(notes), facts)


def _questions(truth: Truth, said: Predictions, positive: Any) -> tuple[list[_Question], list[str]]:
    """Return what is asked, and which class is the positive one and why."""
    if truth.task == "regression":
        columns = enumerate(truth.classes)
        return [_Question(each, truth.values[:, k], said.values[:, k]) for k, each in columns], []
    names, shares = list(truth.classes), said.probabilities
    if positive is not None and str(positive) not in names:
        raise unknown_name("class", str(positive), names)
    note = f"Positive is {positive}, as asked."
    chosen = [names.index(str(positive))] if positive is not None else list(range(len(names)))
    if positive is None and truth.task == "binary":
        chosen = [1]
        note = f"Positive is {names[1]}, the second class as sorted; give positive={names[0]!r} for the other one."
    elif positive is None:
        chosen, note = chosen[:MOST_CLASSES], "Each class in turn is compared with all others."
    several = truth.task == "multilabel"
    found = []
    for k in chosen:
        true, told = (truth.values[:, k], said.values[:, k]) if several else (truth.values == k, said.values == k)
        found.append(
            _Question(names[k], true.astype(bool), told.astype(bool), None if shares is None else shares[:, k])
        )
    return found, [note]


def _section(groups: Groups, question: _Question, numbers: bool, settings: _Settings, n_resamples: int) -> Section:
    common = {"weight": settings.weight, "n_bootstrap": n_resamples, "seed": settings.seed}
    measured = (
        measure_numbers(groups, question.true, question.said, **common)
        if numbers
        else measure_classes(groups, question.true, question.said, question.score, **common)
    )
    found = tuple(_group(k, groups, measured, settings) for k in range(len(groups.labels)))
    gaps = {gap.name: gap for gap in gaps_of(groups, measured, settings.min_group)}
    outcome, verdict = judge(
        groups.name,
        question.name,
        {each.name: each for each in found},
        gaps,
        tolerance=settings.tolerance,
        deviation=float(question.true.std()) if numbers else None,
    )
    return Section(groups.name, question.name, measured.rates, found, gaps, outcome, verdict)


def _group(k: int, groups: Groups, measured: Measured, settings: _Settings) -> Group:
    n = int(groups.counts[k])
    small = f"{n} rows: too small to judge (below {settings.min_group})" if n < settings.min_group else ""
    rates = {rate.name: measured.estimate(rate, k) for rate in measured.rates}
    return Group(groups.labels[k], n, n / len(groups), rates, small)


def _remarks(sections: Sequence[Section], settings: _Settings) -> list[str]:
    remarks = []
    for by in dict.fromkeys(each.by for each in sections):
        section = next(each for each in sections if each.by == by)
        small = [f"{each.name} ({each.n})" for each in section.groups if each.too_small]
        if small:
            listed = ", ".join(small[:10]) + (", …" if len(small) > 10 else "")
            remarks.append(
                f"{by}: too small to judge, with fewer than {settings.min_group} rows: {listed}. Their figures are "
                "shown with intervals, and decide nothing."
            )
    if any(_differs(each, settings.tolerance) for each in sections):
        remarks.append(
            "The share of positives in truth differs between groups: then calibration and equal error rates cannot all "
            "hold (Kleinberg et al. 2016, arXiv:1609.05807; Chouldechova 2017, arXiv:1610.07524). Which one matters "
            "depends on what a mistake costs, and whom."
        )
    return remarks


def _differs(section: Section, tolerance: float) -> bool:
    rates = [
        each.rates["base_rate"].value for each in section.groups if not each.too_small and "base_rate" in each.rates
    ]
    known = [rate for rate in rates if rate is not None]
    return bool(known) and max(known) - min(known) > tolerance
