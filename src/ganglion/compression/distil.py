"""`distil`: a smaller network learns from a larger one what else each sample might have been.

    L = (1 - α) L(y, s) + α T² KL(softmax(z / T) || softmax(s / T))        s the pupil's scores, z the teacher's
    ∂/∂s of the second term = α T (softmax(s / T) - softmax(z / T))        of each sample

Hinton, Vinyals & Dean 2015, "Distilling the knowledge in a neural network", arXiv:1503.02531, section 2: T² keeps the
two terms in proportion when T changes. Scores that are yes-or-no each are softened by a sigmoid each; of numbers to be
predicted the pupil comes near to the teacher's, by squared error, in units of the target's deviation.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from sklearn.base import clone
from torch import Tensor
from torch.nn import functional

from ganglion.compression.settings import check_share, noted
from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.estimators.beside import Beside
from ganglion.networks.network import Network
from ganglion.networks.outputs import Sigmoid
from ganglion.options import in_range
from ganglion.training.objective import Batch, Objective
from ganglion.training.supervised import WeightedLoss

TEACHER = "teacher"  # the column of a batch
SUREST = 30.0  # logits beyond which nobody is surer: a probability of 0 has none


def distil(
    teacher: Any, student: Any, X: Any, y: Any, *, temperature: float = 3.0, weight: float = 0.7, **fitting: Any
) -> Any:
    """Return a copy of `student` that was trained on labels and on what the teacher says.

    Parameters
    ----------
    teacher : fitted classifier or regressor
        Of Ganglion or scikit-learn, with `predict_proba` or, of numbers, `predict`. A list is a teacher too: the mean
        of what all of them say.
    student : classifier or regressor of Ganglion
        Unfitted, or fitted and trained anew; of any algorithm and size. It is left as it is.
    X, y
        Training data, as for `fit`.
    temperature : float > 0
        T: the higher, the more counts what the teacher thinks possible but unlikely. Not used for numbers.
    weight : float in (0, 1)
        α, the weight of the teacher beside the labels.
    **fitting
        Further arguments of `fit`: sample_weight, validation, callbacks.

    Returns
    -------
    Estimator
        Fitted; `compression_` says who taught it.

    Raises
    ------
    InvalidInput
        If teacher and labels have other classes, or the student is not trained by one objective.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from ganglion import MLPClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> teacher = MLPClassifier(hidden=(64,), epochs=20, random_state=0).fit(X, y)
    >>> pupil = distil(teacher, MLPClassifier(hidden=(8,), epochs=20, random_state=0), X, y)
    >>> bool(pupil.score(X, y) > 0.8)
    True
    """
    check_share("weight", weight)
    in_range("distil", "temperature", temperature, above=0)
    check_student(student)
    teachers = teacher if isinstance(teacher, list | tuple) else [teacher]
    said = [_said(each, X, y, student.tags.task) for each in teachers]
    column = np.mean(said, axis=0)
    if student.tags.task == "classification":
        column = _logits(column, yes_or_no=np.ndim(y) == 2)
    teaching = Teaching(temperature, weight)
    pupil: Any = clone(student)
    pupil.fit(X, y, beside=Beside({TEACHER: column}, teaching.objectives), **fitting)
    names = ", ".join(type(each).__name__ for each in teachers)
    return noted(pupil, pupil, "distil", teacher=names, temperature=temperature, weight=weight)


def check_student(student: Any, task: str | None = None) -> None:
    """Raise InvalidInput unless a student is a network that is trained by objectives, and for this task."""
    if isinstance(student, type):
        raise InvalidInput(f"{student.__name__} is a class. Give an estimator, {student.__name__}().")
    if not hasattr(student, "objectives"):
        raise InvalidInput(f"{type(student).__name__} is not trained by objectives. Give a network of Ganglion.")
    if task is not None and student.tags.task != task:
        raise InvalidInput(f"the model does {task}, but the student {type(student).__name__} {student.tags.task}.")


def _said(teacher: Any, X: Any, y: Any, task: str) -> np.ndarray:
    """Return what a teacher says of X: probabilities in the order of sorted classes, or numbers."""
    if task == "regression":
        said = np.asarray(teacher.predict(X), dtype=np.float64)
        return said[:, None] if said.ndim == 1 else said
    if task != "classification":
        raise InvalidInput(f"a student learns classes or numbers from a teacher, but this one learns {task}.")
    if not hasattr(teacher, "predict_proba"):
        raise InvalidInput(f"{type(teacher).__name__} gives no probabilities. Take a teacher that has predict_proba.")
    said = np.asarray(teacher.predict_proba(X), dtype=np.float64)
    labels = np.asarray(y)
    if labels.ndim == 1 and np.unique(labels).tolist() != np.asarray(teacher.classes_).tolist():
        raise InvalidInput(
            f"the teacher knows the classes {np.asarray(teacher.classes_).tolist()[:10]}, but y has "
            f"{np.unique(labels).tolist()[:10]}. Give labels of the same classes."
        )
    return said


def _logits(shares: np.ndarray, *, yes_or_no: bool) -> np.ndarray:
    """Return scores with these probabilities: one each, or of two classes that of the second."""
    with np.errstate(divide="ignore"):
        logs = np.log(shares)
        if yes_or_no:
            scores = logs - np.log1p(-shares)
        else:
            scores = logs[:, 1:] - logs[:, :1] if shares.shape[1] == 2 else logs - logs.max(axis=1, keepdims=True)
    return np.clip(scores, -SUREST, SUREST)


class Teaching:
    """Objectives in which a teacher has its say.

    Parameters
    ----------
    temperature, weight : float
        T and α.
    teacher : Network, optional
        Asked in each step, with the prepared inputs of the batch; without, batches have a column "teacher": scores, or
        numbers in the target's units.
    in_scores : bool
        Whether that column has scores of numbers too, in place of their units.
    """

    def __init__(
        self, temperature: float, weight: float, teacher: Network | None = None, *, in_scores: bool = False
    ) -> None:
        self.temperature, self.weight, self.teacher, self.in_scores = temperature, weight, teacher, in_scores

    def objectives(self, network: Network, own: Sequence[Objective]) -> list[Objective]:
        """Return the pupil's objective with the teacher in it."""
        if len(own) != 1 or not isinstance(own[0].loss, WeightedLoss):
            raise InvalidInput("a teacher joins one objective, the mean loss of a batch; this algorithm has others.")
        hard = own[0].loss
        if self.teacher is not None:
            self.teacher.to(next(network.parameters()).device).eval()

        def loss(pupil: Any, batch: Batch) -> Tensor:
            scores = pupil.scores(batch)
            said, numbers = self._said(pupil, batch, scores)
            separate = scores.shape[1] == 1 or isinstance(pupil.output, Sigmoid)
            each = (
                squared_distance(scores, said)
                if numbers
                else softened(scores, said, self.temperature, separate=separate)
            )
            each = each * batch["weight"] if "weight" in batch else each
            return (1 - self.weight) * hard.of(scores, batch) + self.weight * each.mean()

        return [Objective("loss", own[0].parameters, loss, after=own[0].after)]  # type: ignore[arg-type]

    def _said(self, pupil: Any, batch: Batch, scores: Tensor) -> tuple[Tensor, bool]:
        """Return the teacher's scores, in the pupil's units, and whether they are numbers to be predicted."""
        deviation = getattr(pupil.output, "deviation", None)
        if self.teacher is not None:
            with torch.no_grad():
                said = self.teacher.scores(batch).to(scores.dtype)
        elif deviation is None or self.in_scores:
            said = batch[TEACHER].to(scores.dtype)
        else:
            said = ((batch[TEACHER] - pupil.output.mean) / deviation.where(deviation > 0, 1.0)).to(scores.dtype)
        if said.shape != scores.shape:
            raise InvalidParameter(
                f"the teacher says {said.shape[1]} numbers of a sample, the student {scores.shape[1]}. Give a student "
                "with the same kind of answers (loss='mse' of numbers)."
            )
        return said, deviation is not None


def softened(scores: Tensor, said: Tensor, temperature: float, *, separate: bool = False) -> Tensor:
    """Return T² KL(teacher || pupil) of each sample, (n,), both softened by T.

    Parameters
    ----------
    scores, said : Tensor of shape (n, K)
        Logits of pupil and teacher.
    temperature : float
        T.
    separate : bool
        Whether each logit is a yes-or-no of its own, in place of K classes of which one is right.
    """
    pupil, teacher = scores / temperature, said / temperature
    if separate:
        yes = teacher.sigmoid()
        gap = functional.logsigmoid(teacher) - functional.logsigmoid(pupil)
        other = functional.logsigmoid(-teacher) - functional.logsigmoid(-pupil)
        return temperature**2 * (yes * gap + (1 - yes) * other).sum(1)
    log_teacher = teacher.log_softmax(1)
    return temperature**2 * (log_teacher.exp() * (log_teacher - pupil.log_softmax(1))).sum(1)


def squared_distance(scores: Tensor, said: Tensor) -> Tensor:
    """Return the mean squared distance of each sample's numbers from the teacher's, (n,)."""
    return (scores - said).square().mean(1)


def taught_by(model: Any, taught: Any, X: Any) -> Beside | None:
    """Return what lets a changed copy of a model learn from the model itself, if so wished.

    Parameters
    ----------
    model : Estimator
        The teacher, of the same preprocessing as the copy.
    taught : bool or Beside
        Whether; or a lesson made before.
    X
        What the copy is trained on. The teacher is asked once for all, or in each step where batches change at random.
    """
    if isinstance(taught, Beside) or not taught:
        return taught or None
    if model._augmentation() is not None:
        return Beside({}, Teaching(3.0, 0.7, copy.deepcopy(model.network_)).objectives)
    said = model.answers_to(model.encoded(X), scores=True).numpy()
    return Beside({TEACHER: said}, Teaching(3.0, 0.7, in_scores=True).objectives)
