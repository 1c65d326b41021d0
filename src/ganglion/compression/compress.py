"""`compress`: a model made smaller in several ways, each measured, and the best within a budget."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from sklearn.model_selection import train_test_split

from ganglion.compression.budget import Budget, budget_of
from ganglion.compression.distil import check_student
from ganglion.compression.pareto import pareto_front
from ganglion.compression.quality import Judge
from ganglion.compression.result import Compression, Variant
from ganglion.compression.settings import check_model, check_share, check_spread
from ganglion.compression.timing import in_turn, latency
from ganglion.compression.variants import DEFAULT_STEPS, ORIGINAL, Variants, check_steps
from ganglion.data.rows import n_rows, take_rows
from ganglion.errors import InvalidInput
from ganglion.evaluation.labels import match_labels
from ganglion.evaluation.progress import Say, say_on_stderr

TIMED = 50  # rows that answers are timed on
HELD_OUT = 0.25  # of X, where no test rows are given
FEWEST = 40  # rows to judge by

Array = np.ndarray


def compress(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    budget: Any = "0.5 points",
    test: tuple[Any, Any] | None = None,
    steps: Sequence[str] = DEFAULT_STEPS,
    keep: Sequence[float] = (0.5, 0.25, 0.125),
    spread: Literal["even", "importance"] = "importance",
    sparsity: float = 0.8,
    epochs: int | None = None,
    taught: bool = True,
    students: Sequence[Any] = (),
    n_bootstrap: int = 1000,
    random_state: int = 0,
    progress: bool | Say = True,
    **training: Any,
) -> Compression:
    """Try ways to make a fitted model smaller and faster, measure each, and choose the best within a budget.

    Parameters
    ----------
    model : classifier or regressor of Ganglion
        Fitted. It is left as it is.
    X, y
        Rows to go on training with, as for `fit`: those of its training are best.
    budget : str or dict
        What may be lost, and how large and slow the result may be: "0.2 points, 100 kB, 2 ms", or {"loss": points,
        "size": bytes, "latency": milliseconds}. Points are of accuracy in percent, or of 100 R²; latency is the median
        of answers to one row, on one thread.
    test : tuple (X, y), optional
        Rows that the model never saw, to judge by. Without, a quarter of X is held out of the further training; if the
        model was trained on it, the original looks better than it is.
    steps : sequence of {"shrink", "prune", "bfloat16", "int8", "activations", "aware"}
        What is tried: fewer units, zeros, weights in sixteen or eight bits, numbers between layers in eight, training
        for eight bits. Bits are tried beside each of the first two.
    keep : sequence of float in (0, 1)
        Shares of the units that are kept.
    spread : {"importance", "even"}
        Of which layers the others are taken (see `shrink`).
    sparsity : float in (0, 1)
        Share of the weights that become zero.
    epochs : int, optional
        Of each further training; without, a third of those that the model was trained for, 2 at least.
    taught : bool
        Whether the model teaches its smaller copies (see `distil`).
    students : sequence of classifiers or regressors of Ganglion
        Unfitted, of any algorithm and size: the model teaches each, which is trained by its own options.
    n_bootstrap : int
        Resamples behind the intervals.
    random_state : int
        Of the resamples, and of the rows held out.
    progress : bool or callable
        Whether to say on stderr how far it is; or what to call with each line.
    **training
        Options of the further trainings, such as learning_rate.

    Returns
    -------
    Compression
        `best_` is the chosen estimator, `models` all of them by name.

    Raises
    ------
    InvalidParameter
        If the budget or a setting cannot be read.
    InvalidInput
        If the model answers neither classes nor numbers, or there are too few rows to judge by.
    """
    bounds, steps = budget_of(budget), check_steps(steps)
    check_share("sparsity", sparsity)
    check_spread(spread)
    for share in keep:
        check_share("keep", share)
    check_model(model)
    for student in students:
        check_student(student, model.tags.task)
    if model.tags.task not in ("classification", "regression"):
        raise InvalidInput(
            f"{type(model).__name__} does {model.tags.task}; compress judges classes and numbers. Use shrink, prune, "
            "quantize or distil themselves, and evaluate what they make."
        )
    X, y, X_test, y_test, notes = _rows(model, X, y, test, random_state)
    fitting = training if epochs is None else {**training, "epochs": epochs}
    variants = Variants(
        model,
        X,
        y,
        steps=steps,
        keep=keep,
        spread=spread,
        sparsity=sparsity,
        taught=taught,
        students=students,
        training=fitting,
    )
    models = _made(variants, progress)
    judge = Judge(model.tags.task, np.asarray(y_test), n_bootstrap=n_bootstrap, seed=random_state)
    rows, chosen, checked = _measured(models, judge, X_test, bounds, random_state)
    return Compression(
        type(model).__name__,
        judge.label,
        len(y_test),
        tuple(rows),
        bounds,
        chosen,
        checked,
        (*notes, *variants.notes),
        models,
    )


def _made(variants: Variants, progress: bool | Say) -> dict[str, Any]:
    """Make all variants; each is named when it is done."""
    say: Say | None = say_on_stderr if progress is True else progress or None
    models: dict[str, Any] = {}
    for name, each in variants.made():
        models[name] = each
        if say is not None and name != ORIGINAL:
            say(f"made {name}")
    return models


def _rows(model: Any, X: Any, y: Any, test: Any, seed: int) -> tuple[Any, Any, Any, Any, list[str]]:
    """Return rows to train with and rows to judge by, and what to know of them."""
    X, y = model._features_and_target(X, y)
    if test is not None:
        if not isinstance(test, tuple | list) or len(test) != 2:
            raise InvalidInput("test is a pair (X, y) of rows that the model never saw.")
        X_test, y_test = model._features_and_target(*test)
        y_test = _known(model, y_test)
        notes: list[str] = []
    else:
        labels = np.asarray(y)
        counts = np.unique(labels, return_counts=True)[1] if model.tags.task == "classification" else np.zeros(1)
        parts = train_test_split(
            np.arange(n_rows(X)),
            test_size=HELD_OUT,
            random_state=seed,
            stratify=labels if labels.ndim == 1 and counts.min() >= 4 else None,
        )
        rest, held = (np.sort(part) for part in parts)
        X, y, X_test, y_test = take_rows(X, rest), labels[rest], take_rows(X, held), labels[held]
        notes = [
            f"Judged on {len(held):,} rows of X, held out of the further training. If the original was trained on "
            "them, it looks better than it is, and the losses larger; give test=(X, y) of rows that it never saw."
        ]
    if len(np.asarray(y_test)) < FEWEST:
        raise InvalidInput(f"there are {len(y_test)} rows to judge by. Give {FEWEST} or more.")
    return X, y, X_test, y_test, notes


def _known(model: Any, y: Any) -> Array:
    """Return the target of test rows, labels in the spelling of training; those that training had not are refused."""
    y = np.asarray(y)
    if model.tags.task != "classification" or y.ndim != 1:
        return y
    return model.classes_[match_labels(y, model.classes_.tolist(), model=type(model).__name__)]


def _measured(
    models: dict[str, Any], judge: Judge, X: Any, bounds: Budget, seed: int
) -> tuple[list[Variant], str, Any]:
    """Return the figures of each variant, which one is chosen, and its loss on rows that it was not chosen by."""
    errors = {name: judge.errors(model.predict(X)) for name, model in models.items()}
    sizes = {name: file_size(model) for name, model in models.items()}
    some = np.linspace(0, n_rows(X) - 1, min(TIMED, n_rows(X))).astype(np.int64)
    single = [take_rows(X, some[i : i + 1]) for i in range(len(some))]
    seconds = in_turn({name: model.predict for name, model in models.items()}, single, seed=seed)
    order = np.random.default_rng(seed).permutation(len(judge.truth))
    half, other = np.sort(order[: len(order) // 2]), np.sort(order[len(order) // 2 :])
    said = list(errors.values())
    figures = dict(zip(models, judge.scores(said), strict=True))
    rows = [
        Variant(
            name,
            sizes[name],
            sum(parameter.numel() for parameter in model.network_.parameters()),
            latency(seconds[name], seconds[ORIGINAL], seed=seed),
            *figures[name],
            sizes[ORIGINAL] / sizes[name],
            False,
        )
        for name, model in models.items()
    ]
    front = pareto_front([(row.size, row.latency.median, row.loss.value or 0.0) for row in rows])
    rows = [row.placed(on_front=good) for row, good in zip(rows, front, strict=True)]
    chosen_by, checked_by = (dict(zip(models, judge.scores(said, part), strict=True)) for part in (half, other))
    chosen = choose(rows, {name: loss.value or 0.0 for name, (_, loss) in chosen_by.items()}, bounds)
    return rows, chosen, checked_by[chosen][1]


def choose(rows: Sequence[Variant], lost: dict[str, float], bounds: Budget) -> str:
    """Return the name of the variant within the budget that is smallest and fastest; the original if none is.

    Parameters
    ----------
    rows : sequence of Variant
        The original first.
    lost : dict of str to float
        Points lost on the rows to choose by.
    bounds : Budget

    Notes
    -----
    Of those within, the product of how many times smaller and how many times faster is largest; a latency that is not
    told from the original's counts as equal.
    """
    within = [row for row in rows[1:] if row.is_within(bounds, lost[row.name])]
    best = max(within, key=lambda row: row.times_smaller * max(1.0, row.times_faster), default=rows[0])
    return best.name if best.times_smaller * max(1.0, best.times_faster) > 1 else rows[0].name


def file_size(model: Any) -> int:
    """Return how many bytes the file of a model has."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model")
        model.save(path)
        return os.path.getsize(path)
