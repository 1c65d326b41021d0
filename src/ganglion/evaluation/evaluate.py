"""`evaluate`: from a fitted model and rows with known answers to a `Report`."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from ganglion.data.convert import as_dataset
from ganglion.data.suspicions import warn_of_repeated_rows
from ganglion.drawing.svg import Chart
from ganglion.errors import DataWarning, InvalidInput
from ganglion.evaluation.baselines import FEWEST_ROWS, Baseline
from ganglion.evaluation.bootstrap import affordable_resamples
from ganglion.evaluation.diagnosis import TASKS, Diagnosis, check_asked, diagnose
from ganglion.evaluation.facts import alarms_of, best_epoch, facts_of, innermost, is_deep, learning_curves
from ganglion.evaluation.hearing import plot_hearing
from ganglion.evaluation.inputs import check_model, check_pair, check_resamples, check_weight, split_target
from ganglion.evaluation.kinds import KINDS, Kind, read_truth
from ganglion.evaluation.looking import plot_augmentation
from ganglion.evaluation.marking import with_words
from ganglion.evaluation.measuring import measure
from ganglion.evaluation.predictions import Array, Truth
from ganglion.evaluation.report import Contender, Report
from ganglion.evaluation.verdict import stand

FEW_ROWS = 100
FEW_IMAGES = 30  # each says more than a row: it has many pixels, objects or words
_LEARN_IN_TRAINING = {
    "passages": "count the training text",
    "pieces": "count the training pieces",
    "origins": "learn from the training series",
    "blocks": "learn their thresholds from the training series",
    "generation": "draw from the training rows",
    "reconstruction": "learn from the training rows",
}


def evaluate(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    train: tuple[Any, Any] | None = None,
    sample_weight: Any = None,
    n_bootstrap: int = 1000,
    random_state: int = 0,
    baselines: bool = True,
    conformal: float | None = None,
    costs: tuple[float, float] | None = None,
    groups: Any = None,
    time: Any = None,
    notes: Sequence[str] = (),
) -> Report:
    """Judge a fitted model on rows with known answers, honestly: intervals, baselines, and whether it is worth it.

    Parameters
    ----------
    model : estimator
        A fitted classifier or regressor of Ganglion, scikit-learn, or anything with their contract; pipelines too. One
        that segments or detects says so in `tags.task`; else y tells.
    X : Dataset, ndarray, frame, or list of rows
        Rows that the model has not seen, as its `predict` takes them.
    y : array-like of shape (n_rows,), (n_rows, n_targets) or (n_rows, height, width), or sequence of Boxes, optional
        The true labels or numbers, classes of pixels, or objects of pictures. Not needed when X is a `Dataset` that
        knows its target, nor by a model of texts alone.
    train : tuple of X_train and y_train, optional
        What the model was trained on; the baselines are then fitted on it too. Without, they predict the evaluation
        rows out of fold, and the report says so.
    sample_weight : array-like of shape (n_rows,), optional
        Weights of the rows in every figure.
    n_bootstrap : int
        Resamples behind each interval, 40 or more. Of very large data fewer are drawn, and the report says so.
    random_state : int
        The same seed gives the same report.
    baselines : bool
        Whether to run the baselines; without them there is no verdict.
    conformal : float in (0, 1), optional
        Also say whether prediction sets (of classes) or intervals (of numbers) that promise to hold the truth of this
        share of new rows do so; see `conformal`.
    costs : (float, float), optional
        Of two classes: what a false positive and what a false negative costs. Also say where to draw the line.
    groups, time : str, or pair of array-like, optional
        A column of X and X_train, or its values there, of training and of evaluation rows: also say whether evaluation
        rows are of groups (patients, customers) that the model learned from, or older than what it learned from.
    notes : sequence of str
        What else a reader should know (leakage found, how rows were split); shown in the report.

    Returns
    -------
    Report
        Printable, and a picture or a page by `.plot()` and `.to_html(path)`.

    Raises
    ------
    InvalidInput
        If X and y do not fit each other or the model, or are empty, or y has missing or unknown labels.
    InvalidParameter
        If `n_bootstrap` is no whole number of 40 or more, or `conformal` or `costs` do not suit the task.

    Warns
    -----
    DataWarning
        If labels of y were matched in another spelling, or baselines cannot read X.
    """
    n_bootstrap = check_resamples(n_bootstrap)
    check_pair(train)
    check_model(model)
    X, y = split_target(model, X, y)
    truth = read_truth(model, X, y, train)
    kind = KINDS[truth.task]
    asked = check_asked(truth.task, conformal, costs, groups, time)
    truth = truth if train is None else kind.informed(truth, X, train)
    weight = check_weight(sample_weight, len(truth))
    diagnosed = truth.task in TASKS and weight is None
    said = kind.predict(model, X, truth)
    remarks = [
        *notes,
        *_remarks(kind, truth, said),
        *alarms_of(model),
        *([] if train is None else _seen_before(X, train[0], told=not diagnosed)),
    ]
    seen = None
    if train is not None and (baselines or diagnosed):
        seen = (train[0], kind.truth(model, *train, "y_train"))
    raced = _race(kind, truth, X, seen, weight, random_state, remarks) if baselines else []
    name = _free_name(type(innermost(model)).__name__, raced)
    n_resamples = affordable_resamples(len(truth), kind.n_rankings(truth, said) * (1 + len(raced)), n_bootstrap)
    if n_resamples < n_bootstrap:
        remarks.append(f"Intervals come from {n_resamples:,} resamples instead of {n_bootstrap:,}: the data are large.")
    contenders = {name: said} | {each.name: each.predictions for each in raced}
    measured = measure(truth, contenders, weight=weight, n_bootstrap=n_resamples, seed=random_state)
    metric = kind.headline(truth, measured)
    found = Diagnosis()
    if diagnosed:
        found = diagnose(
            model,
            X,
            truth,
            said,
            metric,
            measured[name].metrics[metric.name],
            train=seen,
            asked=asked,
            n_bootstrap=n_resamples,
            seed=random_state,
        )
    rivals = {each: measured[each] for each in (name, *(b.name for b in raced if b.races))}
    return Report(
        task=truth.task,
        n_rows=len(truth),
        classes=truth.classes,
        model=Contender(name, measured[name].metrics),
        baselines=tuple(Contender(b.name, measured[b.name].metrics, b.note, b.seconds) for b in raced),
        comparison=stand(name, rivals, metric, is_deep=is_deep(model)),
        confusion=kind.confusion(truth, said),
        calibration=kind.calibration(truth, said),
        curves=kind.curves(truth, said),
        learning_curves=learning_curves(model),
        best_epoch=best_epoch(model),
        mistakes=with_words(model, X, truth, said, kind.mistakes(truth, said, X)),
        augmentation=_augmentation(model, X if train is None else train[0]),
        diagnosis=found,
        facts=facts_of(model, kind, truth, said, n_resamples, random_state, weight is not None),
        notes=tuple(remarks),
        truth=truth,
        predictions=said,
    )


def _race(
    kind: Kind,
    truth: Truth,
    X: Any,
    train: tuple[Any, Truth] | None,
    weight: Array | None,
    seed: int,
    remarks: list[str],
) -> list[Baseline]:
    """Run the baselines, or say in `remarks` why they cannot be run."""
    learn = _LEARN_IN_TRAINING.get(kind.unit) or _LEARN_IN_TRAINING.get(truth.task)
    if train is None and learn:
        remarks.append(f"No baselines: they {learn}. Give train=(X_train, None), or --train FILE.")
        return []
    if train is None and len(truth) < FEWEST_ROWS:
        remarks.append(f"No baselines: {len(truth)} {kind.unit} are too few to fit any. Give train=(X_train, y_train).")
        return []
    try:
        raced = kind.baselines(truth, X, train=train, weight=weight, random_state=seed)
    except InvalidInput as error:
        remarks.append(f"No baselines: they cannot read these data. {error}")
        warnings.warn(f"the baselines were not run: {error}", DataWarning, stacklevel=3)
        return []
    if train is None:
        remarks.append(
            "No training data were given, so the baselines were fitted on the evaluation rows, each row predicted by "
            "models that had not seen it (5 folds). They saw other data than the model: for a race on equal terms give "
            "train=(X_train, y_train), or --train FILE to the command."
        )
    return raced


def _remarks(kind: Kind, truth: Truth, said: Any) -> list[str]:
    remarks = []
    if len(truth) < (FEW_ROWS if kind.unit == "rows" else FEW_IMAGES):
        remarks.append(
            f"Only {len(truth)} {kind.unit}: intervals are wide, and bootstrap intervals are too narrow on so few."
        )
    absent = [name for name, there in zip(truth.classes, kind.present(truth), strict=True) if not there]
    if absent:
        named = ", ".join(absent[:10]) + (", …" if len(absent) > 10 else "")
        left_out = "; means leave it out" if kind.unit != "images" else ""
        remarks.append(f"No {kind.unit[:-1]} has the class {named}, so nothing is known about it{left_out}.")
    if truth.task in ("binary", "multiclass") and said.probabilities is None:
        remarks.append("The model gives no probabilities, so log loss, Brier score and calibration are absent.")
    return remarks


def _seen_before(X: Any, X_train: Any, *, told: bool) -> list[str]:
    """Warn of evaluation rows that were trained on, where both can be read, and tell it unless a diagnosis does."""
    try:
        data, seen = as_dataset(X), as_dataset(X_train)
    except InvalidInput:  # text, graphs: what the model reads and we do not
        return []
    remark = warn_of_repeated_rows(data, seen, "evaluation")
    return [remark] if remark and told else []


def _augmentation(model: Any, X: Any) -> Chart | None:
    """Draw how the pictures or spectrograms of a model were changed while it learned, if it learned from such."""
    inner = innermost(model)
    if not hasattr(inner, "augmentation") and not hasattr(inner, "spec_augment"):
        return None
    try:
        data = as_dataset(X)
    except InvalidInput:
        return None
    kinds = {each.kind for each in data.features}
    if "audio" in kinds:
        return plot_hearing(inner, data)
    return plot_augmentation(model, data) if "image" in kinds and hasattr(inner, "augmentation") else None


def _free_name(name: str, raced: Sequence[Baseline]) -> str:
    return f"{name} (model)" if name in {each.name for each in raced} else name
