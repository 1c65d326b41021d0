"""Detection: boxes around objects, judged as COCO does; the bootstrap draws images.

    mAP@0.5, mAP@[.5:.95], AP@0.5 of a class     over all boxes that the model gives                (`data.matching`)
    precision = right / found, recall = right / true     of the boxes that are believed in, at IoU 0.5

Detectors give many boxes that they hardly believe in themselves, which average precision wants. Believed in are those
that reach the model's option `score_threshold`, and a score of 0.3 at least; the report draws and counts these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganglion.data.boxes import Boxes, as_boxes
from ganglion.data.matching import Matches, average_precision, match, pairwise_iou
from ganglion.drawing.pictures import DrawnBox, boxes_chart
from ganglion.errors import InvalidInput
from ganglion.evaluation.facts import innermost
from ganglion.evaluation.inputs import check_lengths, class_codes, listed
from ganglion.evaluation.metrics import class_metrics
from ganglion.evaluation.mistakes import Mistake, pictures_of
from ganglion.evaluation.predictions import Array, Truth
from ganglion.evaluation.resampling import Resampled, mean_where, ratio, values_at

BELIEVED_FROM = 0.3  # score, or the model's own threshold if that is higher
RIGHT_FROM = 0.5  # IoU: the first of the thresholds of `match`
N_WORST = 6  # images shown
MOST_POINTS = 200  # of a curve
MOST_CELLS = 2**22  # boxes times resamples held at a time

Curves = dict[str, list[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class BoxPredictions:
    """What one model says about the objects of the evaluation images.

    Attributes
    ----------
    values : ndarray of shape (n,), of Boxes
        Their labels are codes.
    matches : Matches
        Each of them beside what it was.
    threshold : float
        The score from which a box is believed in.
    """

    values: Array
    matches: Matches
    threshold: float = BELIEVED_FROM

    @property
    def counts(self) -> Array:
        """How many boxes of each image are right, how many are believed in, and how many are true, (3, n)."""
        matches, n = self.matches, len(self.values)
        believed = matches.scores >= self.threshold
        right = np.bincount(matches.picture[believed & matches.right[0]], minlength=n)
        return np.stack([right, np.bincount(matches.picture[believed], minlength=n), matches.n_true.sum(axis=1)])


def box_truth(model: Any, X: Any, y: Any, what: str = "y") -> Truth:
    """Return the true objects, their labels coded by the classes of the model.

    Parameters
    ----------
    model : estimator with `classes_`
    X : image stack or Dataset of n images
    y : sequence of n Boxes, or of mappings with "boxes" and "labels"
    what : str
        What y is called in messages.

    Raises
    ------
    InvalidInput
        If there are more or fewer entries than images, or labels that the model does not know.
    """
    boxes = as_boxes(y.values(y.names[0]) if hasattr(y, "with_target") else y)
    check_lengths(X, boxes, what)
    classes = np.asarray(model.classes_)
    coded, strangers = _coded(boxes, classes)
    if strangers:
        raise InvalidInput(
            f"{what} holds classes that {type(model).__name__} was not trained on: {listed(strangers)}. Its classes "
            f"are: {listed(classes.tolist())}. Rename these labels, leave the boxes out, or train with them too."
        )
    return Truth("detection", coded, tuple(str(each) for each in classes.tolist()))


def predict_boxes(model: Any, X: Any, truth: Truth) -> BoxPredictions:
    """Ask a model for the objects of all images.

    Raises
    ------
    InvalidInput
        If it answers for more or fewer images, without scores, or with classes that it does not name.
    """
    said, classes = as_boxes(model.predict(X)), np.asarray(model.classes_)
    if len(said) != len(truth):
        raise InvalidInput(f"{type(model).__name__} predicts boxes of {len(said):,} images, but X has {len(truth):,}.")
    coded, strangers = _coded(said, classes)
    if strangers:
        raise InvalidInput(
            f"{type(model).__name__} predicts {listed(strangers)}, which its classes_ do not hold: "
            f"{listed(classes.tolist())}. Its predict and classes_ must agree."
        )
    return matched(truth, coded, max(BELIEVED_FROM, float(getattr(innermost(model), "score_threshold", 0.0))))


def matched(truth: Truth, said: Array, threshold: float = BELIEVED_FROM) -> BoxPredictions:
    """Return found boxes, (n,) of Boxes whose labels are codes, beside the true ones."""
    return BoxPredictions(said, match(truth.values.tolist(), said.tolist(), np.arange(len(truth.classes))), threshold)


def resampled_box_metrics(truth: Truth, said: BoxPredictions) -> list[Resampled]:
    """Return the function of the weights of the images, (n, b), that gives every metric, (b,) each."""
    names = [metric.name for metric in class_metrics("detection", truth.classes)]
    counts = said.counts.astype(np.float64)
    together = max(1, MOST_CELLS // max(1, len(said.matches.scores)))

    def metrics(weights: Array) -> dict[str, Array]:
        parts = range(0, weights.shape[1], together)
        areas = [average_precision(said.matches, weights[:, i : i + together]) for i in parts]
        of_classes = np.concatenate(areas, axis=2)
        at_half, over_all = of_classes[0], of_classes.mean(axis=0)
        right, found, true = counts @ weights
        return {
            "map_50": mean_where(at_half, np.isfinite(at_half)),
            "map_50_95": mean_where(over_all, np.isfinite(over_all)),
            "precision": ratio(right, found),
            "recall": ratio(right, true),
        } | dict(zip(names, at_half, strict=True))

    return [metrics]


def box_values(truth: Truth, said: BoxPredictions, weight: Array | None = None) -> dict[str, float | str]:
    """Return every metric, or the reason why it is not defined on these images."""
    reasons = {"precision": f"no box reaches the score of {said.threshold:g}"}
    return values_at(
        resampled_box_metrics(truth, said),
        np.ones(len(truth)) if weight is None else weight,
        lambda name: reasons.get(name, "there is no such true object"),
    )


def precision_recall(truth: Truth, said: BoxPredictions) -> Curves:
    """Return recall and precision, at IoU 0.5, of each class that occurs, as ever less sure boxes are believed in."""
    matches, curves = said.matches, {}
    for code in np.flatnonzero(matches.n_true.sum(axis=0)).tolist():
        right = matches.right[0][matches.label == code].cumsum()
        if not len(right):
            continue
        places = np.unique(np.linspace(0, len(right) - 1, MOST_POINTS).round().astype(np.intp))
        recall, precision = right / matches.n_true[:, code].sum(), right / np.arange(1, len(right) + 1)
        curves[truth.classes[code]] = list(zip(recall[places].tolist(), precision[places].tolist(), strict=True))
    return curves


def box_facts(truth: Truth, said: BoxPredictions) -> dict[str, str]:
    """Return what a reader must know of the objects, and of those that were found."""
    counts = _class_counts(truth)
    most = np.argsort(-counts, kind="stable")[:6]
    listed_ = ", ".join(f"{truth.classes[k]} {counts[k]:,}" for k in most) + (", …" if len(counts) > 6 else "")
    return {
        "Objects": f"{counts.sum():,}, {counts.sum() / len(truth):.1f} an image",
        "Classes": listed_,
        "Believed in": f"boxes of a score of {said.threshold:g} or more, for precision, recall and the pictures",
    }


def present_boxes(truth: Truth) -> list[bool]:
    """Return whether each class has an object."""
    return (_class_counts(truth) > 0).tolist()


def worst_boxes(truth: Truth, said: BoxPredictions, X: Any) -> tuple[Mistake, ...]:
    """Return the images with the lowest F1 of their own, worst first, with boxes drawn over them."""
    right, found, true = said.counts
    wrong = found + true - 2 * right
    score = ratio(2 * right.astype(np.float64), (found + true).astype(np.float64), 1.0)
    rows = np.flatnonzero(wrong)
    rows = rows[np.lexsort((-wrong[rows], score[rows]))][:N_WORST]
    objects, answers, mistakes = truth.values.tolist(), said.values.tolist(), []
    for row, (picture, file) in zip(rows.tolist(), pictures_of(X, rows), strict=True):
        drawn = _drawn(objects[row], _believed(answers[row], said.threshold), truth.classes)
        name = f"Image {row}: objects found, missed and false"
        mistakes.append(
            Mistake(
                row,
                _counted(objects[row].labels, truth.classes),
                f"{right[row]} found, {true[row] - right[row]} missed, {found[row] - right[row]} false",
                score=float(score[row]),
                file=file,
                picture=None if picture is None else boxes_chart(picture, drawn, name),
            )
        )
    return tuple(mistakes)


def _drawn(true: Boxes, said: Boxes, classes: Sequence[str]) -> list[DrawnBox]:
    """Return the boxes of an image and what became of them: matched as in `match`, the surest first."""
    iou = pairwise_iou(said.boxes, true.boxes)
    iou[said.labels[:, None] != true.labels[None]] = 0.0
    free, drawn = np.ones(len(true), dtype=bool), []
    for i in range(len(said)):
        open_to = np.where(free, iou[i], 0.0)
        taken = bool(len(true)) and open_to.max() >= RIGHT_FROM
        if taken:
            free[open_to.argmax()] = False
        words = f"{classes[int(said.labels[i])]} {_scores(said)[i]:.2f}"
        drawn.append(DrawnBox(tuple(said.boxes[i].tolist()), "found" if taken else "false", words))
    missed = [
        DrawnBox(tuple(true.boxes[i].tolist()), "missed", classes[int(true.labels[i])]) for i in np.flatnonzero(free)
    ]
    return drawn + missed


def _believed(said: Boxes, threshold: float) -> Boxes:
    """Return the boxes that reach the threshold, the surest first."""
    scores = _scores(said)
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] >= threshold]
    return Boxes(said.boxes[order], said.labels[order], scores[order])


def _scores(said: Boxes) -> Array:
    """Return the scores of found boxes, which `match` has seen to be there."""
    return np.ones(len(said)) if said.scores is None else said.scores


def _coded(pictures: Array, classes: Array) -> tuple[Array, list[Any]]:
    """Return boxes whose labels are codes into `classes`, and the labels that are not among them."""
    coded, strangers = np.empty(len(pictures), dtype=object), set()
    for i, each in enumerate(pictures):
        codes, strange = class_codes(each.labels, classes) if len(each) else (np.empty(0, dtype=np.int64), [])
        strangers |= set(strange)
        coded[i] = Boxes(each.boxes.reshape(-1, 4), codes, each.scores)
    return coded, sorted(strangers, key=str)


def _class_counts(truth: Truth) -> Array:
    labels = np.concatenate([each.labels for each in truth.values])
    return np.bincount(labels, minlength=len(truth.classes))


def _counted(codes: Array, classes: Sequence[str]) -> str:
    counts = np.bincount(codes, minlength=len(classes))
    order = [k for k in np.argsort(-counts, kind="stable").tolist() if counts[k]]
    return ", ".join(f"{classes[k]}: {counts[k]}" for k in order[:4]) + (", …" if len(order) > 4 else "") or "nothing"
