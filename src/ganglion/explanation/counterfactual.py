"""`counterfactual`: the nearest change of a row that turns what a model decides.

    x' = argmin (number of changed columns, Σ_j cost_j(x'_j - x_j))    with x' decided as wanted

Wachter, Mittelstadt & Russell 2017, arXiv:1711.00399: nearest by distances in units of each column's spread (MAD).
Mothilal, Sharma & Tan 2020 (DiCE), arXiv:1905.07697: several answers that differ, columns that stay, ranges of others.
Differs: a search over answers in place of slopes, so that trees and everything else can be asked; see `nearest`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import is_classifier

from ganglion.errors import InvalidInput, InvalidParameter, suggestion
from ganglion.explanation.asking import Array, Kind, ask, kind_of, output_names
from ganglion.explanation.background import background_of
from ganglion.explanation.counterfactuals import Change, Counterfactual, Counterfactuals
from ganglion.explanation.nearest import search
from ganglion.explanation.samples import modality_of
from ganglion.explanation.variations import Allowed, Variations

MOST_KNOWN = 1000  # background rows
EDGE = 1e-6  # of an output: nearer to the line no decision is sure


def counterfactual(
    model: Any,
    x: Any,
    target: Any = None,
    *,
    background: Any,
    features: Sequence[str] | None = None,
    keep: Sequence[str] = (),
    ranges: Mapping[str, Any] | None = None,
    k: int = 3,
    random_state: int | None = 0,
) -> Counterfactuals:
    """Find the nearest changes of a row that turn what a model decides of it.

    Parameters
    ----------
    model : estimator
        Any fitted classifier or regressor of tables, of ours or of scikit-learn; only its answers are used.
    x : array-like of shape (1, n_features), frame or Dataset of one row
    target : label, or tuple (low, high), optional
        Which class is wanted; without it, any other than the present one. Of numbers which range, `None` for an open
        end: (300, None) is 300 or more.
    background : the same kind as x, of several rows
        Rows that the model knows, training rows for instance: they say what values columns have and how far apart
        these are. Of more than 1,000 some are drawn.
    features : sequence of str, optional
        The columns that may change; without it all of them.
    keep : sequence of str
        Columns that must stay, whatever `features` says: age, sex, …
    ranges : mapping of str to (low, high), "up", "down" or a list, optional
        What columns may become: numbers between two ends (`None` for an open one), only more, only less; of other
        columns a list of values. Without it numbers stay within the background, and values are such as it has.
    k : int >= 1
        How many answers are wanted at most. No answer changes all the columns of another one, and more.
    random_state : int or None
        Seed of the rows drawn of a large background.

    Returns
    -------
    Counterfactuals
        The answers, the nearest first: few changed columns before small changes. Each is asked of the model once more
        as a row of its own. If there is none, the result says so, and how near the best attempt came.

    Raises
    ------
    InvalidInput
        If the model does not decide, x is no row of a table, it is decided as wanted already, or there is no such
        class.
    InvalidParameter
        If columns or ranges do not exist or fit, or nothing may change.

    References
    ----------
    Wachter et al. 2017, arXiv:1711.00399; Mothilal et al. 2020, arXiv:1905.07697.
    """
    if type(k) is not int or k < 1:
        raise InvalidParameter(f"k={k!r}: give how many answers are wanted, a whole number above 0.")
    kind = kind_of(model)
    x = x[None] if isinstance(x, np.ndarray) and x.ndim == 1 else x
    if modality_of(model, x) != "table":
        raise InvalidInput("counterfactual changes columns of a table, and x is none.")
    known = background_of(x, background, np.random.default_rng(random_state), MOST_KNOWN).rows
    space = Variations(x, known)
    read = _read(model, space)
    allowed = _allowed(space, read if features is None else features, keep, ranges or {})
    line = _decision(model, kind, ask(model, kind, x), model.predict(x), target)
    found = search(space, allowed, lambda rows: line.margins(ask(model, kind, space.rows(rows))), k)
    answers = [_answer(model, kind, space, line, row) for row in found.rows]
    return Counterfactuals(
        wanted=line.wanted,
        now=line.words(ask(model, kind, x), model.predict(x)),
        measured=line.measured,
        line=line.at,
        start=float(line.shown(ask(model, kind, x))[0]),
        answers=tuple(each for each in answers if each.holds),
        nearest=_answer(model, kind, space, line, found.best),
        may_change=tuple(space.names[j] for j in allowed),
        n_features=len(read),
        n_asked=found.n_asked,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is wanted of a model's answers, (n, k).

    Attributes
    ----------
    wanted, measured : str
        In words: the decision, and the number that is shown of it.
    at : float or None
        Where the line lies, of that number.
    margins : callable
        Answers → above 0 where decided as wanted, (n,).
    shown : callable
        Answers → that number, (n,).
    holds : callable
        What `predict` says of one row → whether that is wanted.
    classes : bool
    """

    wanted: str
    measured: str
    at: float | None
    margins: Callable[[Array], Array]
    shown: Callable[[Array], Array]
    holds: Callable[[Any], bool]
    classes: bool

    def words(self, answers: Array, said: Any) -> str:
        """Return what the model says of one row."""
        return str(np.ravel(said)[0]) if self.classes else f"{float(answers[0, 0]):.4g}"


def _decision(model: Any, kind: Kind, answers: Array, said: Any, target: Any) -> Decision:
    if kind == "number" and not is_classifier(model):
        return _range_of(model, answers, target)
    names = output_names(model, kind, answers.shape[1]) if kind == "probability" else _classes(model, answers)
    if np.size(said) != 1:
        raise InvalidInput("the model decides several things of a row. Give a model of one of them.")
    present = str(np.ravel(said)[0])
    if target is None and len(names) == 2:
        target = next(name for name in names if name != present)
    if target is not None and str(target) not in names:
        known = ", ".join(names[:20])
        raise InvalidInput(f"no class is called {target!r}.{suggestion(str(target), names)} Classes: {known}.")
    if str(target) == present:
        raise InvalidInput(f"the model says {present!r} of this row already. Give another target: {', '.join(names)}.")
    wanted = present if target is None else str(target)
    j, away = names.index(wanted), target is None

    def shares(given: Array) -> Array:
        return np.concatenate([-given, given], 1) if given.shape[1] == 1 else given

    def margins(given: Array) -> Array:
        rows = shares(given)
        apart = rows[:, j] - np.delete(rows, j, axis=1).max(axis=1)
        return (-apart if away else apart) - EDGE

    return Decision(
        wanted=f"not {wanted}" if away else wanted,
        measured=f"{'probability' if kind == 'probability' else 'score'} of {wanted}",
        at={"probability": 0.5, "score": 0.0}[kind] if len(names) == 2 else None,
        margins=margins,
        shown=lambda given: shares(given)[:, j],
        holds=lambda label: (str(np.ravel(label)[0]) == wanted) != away,
        classes=True,
    )


def _classes(model: Any, answers: Array) -> tuple[str, ...]:
    """Return the classes of a model of scores: two of one score."""
    return tuple(str(each) for each in np.asarray(model.classes_).tolist())[: max(2, answers.shape[1])]


def _range_of(model: Any, answers: Array, target: Any) -> Decision:
    """Return the wish for a number in a range."""
    ends = target if isinstance(target, tuple | list) and len(target) == 2 else (None, None)
    if answers.shape[1] != 1:
        raise InvalidInput(f"the model answers {answers.shape[1]} numbers to a row. Give a model of one of them.")
    numbers = [each for each in ends if isinstance(each, int | float) and not isinstance(each, bool)]
    if not numbers or len(numbers) + sum(each is None for each in ends) < 2 or numbers != sorted(numbers):
        raise InvalidInput(
            f"target={target!r}: the model answers a number, so say between which two it shall be, as "
            "target=(low, high), None for an open end."
        )
    low, high = (-np.inf if ends[0] is None else ends[0]), (np.inf if ends[1] is None else ends[1])
    now = float(answers[0, 0])
    name = output_names(model, "number", 1)[0]
    between = (
        f"{low:.4g} to {high:.4g}"
        if len(numbers) == 2
        else f"at {'most' if ends[0] is None else 'least'} {numbers[0]:.4g}"
    )
    if low <= now <= high:
        raise InvalidInput(f"the model says {now:.4g} of this row, which is {between} already. Give another target.")

    def margins(given: Array) -> Array:
        inside = np.minimum(given[:, 0] - low, high - given[:, 0])
        return np.where(inside >= 0, np.maximum(inside, 1e-300), inside)

    return Decision(
        wanted=f"{name} {between}",
        measured=name,
        at=float(low if now < low else high),
        margins=margins,
        shown=lambda given: given[:, 0],
        holds=lambda said: bool(low <= float(np.ravel(said)[0]) <= high),
        classes=False,
    )


def _read(model: Any, space: Variations) -> list[str]:
    """Return the columns that a model reads: a file may have others, its target for one."""
    known = getattr(getattr(model, "encoder_", None), "column_names", space.names)
    return [name for name in space.names if name in known] or list(space.names)


def _allowed(
    space: Variations, features: Sequence[str], keep: Sequence[str], ranges: Mapping[str, Any]
) -> dict[int, Allowed]:
    """Return what each column that may change can become."""
    for name in [*features, *keep, *ranges]:
        if name not in space.names:
            shown = ", ".join(space.names[:20])
            raise InvalidParameter(
                f"no column is called {name!r}.{suggestion(str(name), space.names)} Columns: {shown}."
            )
    free = [name for name in features if name not in keep]
    found = {space.names.index(name): _values(space, space.names.index(name), ranges.get(name)) for name in free}
    found = {j: each for j, each in found.items() if len(each.values)}
    if not found:
        raise InvalidParameter(
            f"nothing may change: of {len(space.names)} columns {len(free)} are allowed to, and none has another value "
            "within its range. Name more features, keep fewer, or widen ranges."
        )
    return found


def _values(space: Variations, j: int, given: Any) -> Allowed:
    name = space.names[j]
    if not space.numbers[j]:
        if given is None:
            codes = np.unique(space.known[:, j]).tolist()
            return Allowed.of(space, j, [each for each in codes if space.value(j, each) is not None])
        if isinstance(given, str) or not isinstance(given, Sequence):
            raise InvalidParameter(f"ranges[{name!r}]={given!r}: {name} holds no numbers, so give a list of values.")
        codes = [space.code(j, each) for each in given]
        if None in codes:
            raise InvalidParameter(
                f"ranges[{name!r}]: no row has the value {given[codes.index(None)]!r}, so the model may not know it. "
                "Give values that the background has."
            )
        return Allowed.of(space, j, codes)  # type: ignore[arg-type]
    seen = space.known[:, j][~np.isnan(space.known[:, j])]
    low, high = (float(seen.min()), float(seen.max())) if len(seen) else (np.nan, np.nan)
    now = space.x[j]
    if given in ("up", "down"):
        return Allowed.between(space, j, *((now, max(now, high)) if given == "up" else (min(now, low), now)))
    if given is not None:
        if isinstance(given, str) or not isinstance(given, Sequence) or len(given) != 2:
            raise InvalidParameter(
                f"ranges[{name!r}]={given!r}: {name} holds numbers; give (low, high), 'up' or 'down'."
            )
        low, high = (low if given[0] is None else float(given[0])), (high if given[1] is None else float(given[1]))
        if not low <= high:
            raise InvalidParameter(f"ranges[{name!r}]={given!r}: the lower end lies above the upper one, {high:g}.")
    return Allowed.between(space, j, low, high)


def _answer(model: Any, kind: Kind, space: Variations, line: Decision, row: Array) -> Counterfactual:
    """Return a row as an answer, asked of the model by itself, as its user would."""
    given = space.rows(row[None])
    answers, said = ask(model, kind, given), model.predict(given)
    costs = space.costs(row[None])[0]
    changes = [
        Change(space.names[j], space.value(j, float(space.x[j])), space.value(j, float(row[j])), float(costs[j]))
        for j in np.argsort(-costs, kind="stable").tolist()
        if costs[j] > 0
    ]
    return Counterfactual(
        row=given,
        changes=tuple(changes),
        distance=float(costs.sum()),
        says=line.words(answers, said),
        shown=float(line.shown(answers)[0]),
        holds=line.holds(said),
    )
