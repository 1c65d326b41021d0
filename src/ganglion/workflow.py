"""The road as one function: read → look → split → select → train → evaluate, each step the public verb of its name.

The command line and the pages call this, so that what they do can be done from Python too.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganglion.data.boxes import holds_boxes
from ganglion.data.chords import is_music
from ganglion.data.dataset import Dataset
from ganglion.data.findings import Finding
from ganglion.data.inspection import inspect
from ganglion.data.read import read, read_as, read_test_part, reading_of, with_target
from ganglion.data.resizing import Resize
from ganglion.data.series_task import last_steps, most_steps, series_doubt, series_reason
from ganglion.data.splits import labels_in, split, split_end, split_pieces, with_every_class
from ganglion.data.task import ALONE, MAKING, Task, infer_task
from ganglion.data.text_encoding import are_texts_alone
from ganglion.errors import DataWarning, InvalidInput, InvalidParameter
from ganglion.estimators.base import Estimator
from ganglion.estimators.selection import OF_SERIES, Selection, labels_of, select, task_of
from ganglion.evaluation.evaluate import evaluate
from ganglion.evaluation.labels import match_labels
from ganglion.evaluation.report import Report
from ganglion.fairness.audit import audit
from ganglion.options import options_of
from ganglion.registry import algorithm
from ganglion.training.trainer import OnEpoch

LEAST_ROWS = 10
TEST_SHARE = 0.2
LAST_SHARE = 0.1  # of texts alone


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be trained on what.

    Attributes
    ----------
    train, test : Dataset
        With their targets.
    selection : Selection
        The algorithm, the task, and why.
    findings : tuple of Finding
        What deserves a look in the training data.
    notes : tuple of str
        How the rows were split and what is wrong with it; they stand in the report.
    ahead : int, optional
        Of series: the steps of the longest to test on, so that none farther ahead can be judged.
    """

    train: Dataset
    test: Dataset
    selection: Selection
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    ahead: int | None = None

    @property
    def training_data(self) -> tuple[Dataset, np.ndarray | None]:
        """Features and target to train on; texts alone have no target, series keep theirs."""
        return self._split(self.train)

    @property
    def test_data(self) -> tuple[Dataset, np.ndarray | None]:
        """Features and target to test on."""
        return self._split(self.test)

    def _split(self, data: Dataset) -> tuple[Dataset, np.ndarray | None]:
        if not data.target or self.selection.task.name in OF_SERIES:
            return data, None
        X, y = data.X_y()
        return X, labels_of(y, infer_task(y) if self.selection.task.name in MAKING else self.selection.task)


def plan(
    data: str | os.PathLike[str] | Dataset,
    *,
    target: Any = None,
    test: str | os.PathLike[str] | Dataset | None = None,
    test_fraction: float | None = None,
    drop: Sequence[str] = (),
    algorithm_name: str | None = None,
    task: str | None = None,
    random_state: int = 0,
    size: tuple[int, int] | None = None,
    resize: Resize = "stretch",
    step: str = "",
    rate: int | None = None,
) -> Plan:
    """Read data, look at them, split them, and choose an algorithm.

    Parameters
    ----------
    data, test : path or Dataset
        What to train on, and what to test on. Without `test`, files and folders that keep a part for testing (train/
        and test/, x_train and x_test) are tested on that; of others a part is held out.
    target : str, int, or a sequence of them, optional
        The column to predict, by name or position (-1 is the last). Files that name their own need none, nor do texts
        or music alone: what is learned then is what comes next in them. Of tables with a regular time the next steps
        are learned, of all columns of numbers unless targets are named.
    test_fraction : float
        The part that is held out where there is no `test`: rows at random, a fifth unless given; of texts that a model
        is to go on writing their end, a tenth; of music whole pieces; of series the last fifth of each.
    drop : sequence of str
        Columns to leave out.
    algorithm_name : str, optional
        An algorithm of the registry, in place of the one that suits best.
    task : {"classification", "regression", "forecasting", …}, optional
        In place of what the target looks like.
    random_state : int
        Seed of the split.
    size, resize
        What pictures from files are brought to, and how; see `read`.
    step : str
        The note that a step of music in MIDI files is as long as; see `read`.
    rate : int, optional
        Samples a second that recordings from files are brought to; see `read`.

    Raises
    ------
    InvalidFile, InvalidInput, InvalidParameter
        If the data cannot be read or used, or something named does not exist.
    """
    given = data if isinstance(data, Dataset) else read(data, size=size, resize=resize, step=step, rate=rate)
    if task in MAKING or (algorithm_name and algorithm(algorithm_name).tags.task in MAKING):
        share = TEST_SHARE if test_fraction is None else test_fraction
        return _plan_making(data, given.drop(list(drop)), target, test, share, algorithm_name, task, random_state)
    found = _series_task(given, target, algorithm_name, task)
    if found is not None:
        whole = given.drop([name for name in drop if name not in given.target])
        share = TEST_SHARE if test_fraction is None else test_fraction
        return _plan_series(whole, target, test, share, algorithm_name, found)
    if _learns_alone(given, target, algorithm_name, task):
        whole = given.drop([*given.target, *(name for name in drop if name not in given.target)])
        return _plan_alone(data, whole, test, test_fraction, algorithm_name, task, random_state)
    whole = _without_unlabelled(with_known_target(given, target).drop(list(drop)))
    if len(whole) < LEAST_ROWS:
        raise InvalidInput(f"{len(whole)} rows are too few to train and test on. Give at least {LEAST_ROWS}.")
    chosen = _choose(whole, algorithm_name, task)
    findings = inspect(whole, task=chosen.task).findings
    tested = _given_test(data, test, whole)
    if tested is None:
        y, documents = whole.X_y()[1], _documents(whole, chosen)
        rows, held_out = split(
            y,
            test_fraction=TEST_SHARE if test_fraction is None else test_fraction,
            stratify=chosen.task.is_classification,
            groups=documents,
            random_state=random_state,
        )
        if chosen.task.name in ("segmentation", "detection"):
            rows, held_out = with_every_class(y, rows, held_out)
        train, tested = whole.take(rows), whole.take(held_out)
        what = "" if documents is None else f", {len(np.unique(documents[held_out]))} whole files"
        notes = [f"{len(held_out):,} of {len(whole):,} rows{what} were held out at random (seed {random_state})."]
    else:
        train, tested = whole, _without_unlabelled(tested.with_target(whole.target).drop(list(drop)))
        notes = [f"Tested on {tested.source or 'other data'}, {len(tested):,} rows."]
    _check_labels(train, tested, chosen)
    return Plan(train, tested, chosen, findings, tuple(notes))


def learnable(
    data: str | os.PathLike[str] | Dataset, *, target: Any = None, drop: Sequence[str] = (), task: str | None = None
) -> tuple[Dataset, np.ndarray, Selection]:
    """Read rows whose target is known: features, labels or numbers, and the algorithm that suits them.

    Parameters
    ----------
    data : path or Dataset
    target : str, int, or a sequence of them, optional
    drop : sequence of str
        Columns to leave out.
    task : {"classification", "regression"}, optional
        In place of what the target looks like.

    Raises
    ------
    InvalidFile, InvalidInput, InvalidParameter
        If the data cannot be read, or something named does not exist.
    """
    given = data if isinstance(data, Dataset) else read(data)
    whole = _without_unlabelled(with_known_target(given, target).drop(list(drop)))
    chosen = select(whole, task=task)
    X, y = whole.X_y()
    return X, labels_of(y, chosen.task), chosen


def _learns_alone(data: Dataset, target: Any, name: str | None, task: str | None) -> bool:
    """Say whether what comes next in texts or music is to be learned: as asked, or because there is nothing else."""
    if task is not None or name is not None:
        return (task or algorithm(str(name)).tags.task) in ALONE
    return target in (None, (), []) and (are_texts_alone(data) or is_music(data))


def _plan_alone(
    data: str | os.PathLike[str] | Dataset,
    whole: Dataset,
    test: str | os.PathLike[str] | Dataset | None,
    share: float | None,
    name: str | None,
    task: str | None,
    random_state: int,
) -> Plan:
    """Plan for data without a target: the end of texts, or some pieces of music, are what is tested on."""
    chosen = select(whole, task=task or (name and algorithm(name).tags.task))
    if name is not None:
        chosen = Selection(algorithm(name).__name__, chosen.task, f"as asked; {chosen.task.name.replace('_', ' ')}")
    tested = _given_alone(data, test, whole)
    if tested is None and is_music(whole):
        train, tested, note = split_pieces(whole, TEST_SHARE if share is None else share, random_state)
        notes = [note]
    elif tested is None:
        share = LAST_SHARE if share is None else share
        train, tested = split_end(whole, share)
        notes = [f"The last {share:.0%} of the text, about, was held out."]
    else:
        train, notes = whole, [f"Tested on {tested.source or 'other data'}."]
    return Plan(train, tested, chosen, inspect(whole).findings, tuple(notes))


def _plan_making(
    data: str | os.PathLike[str] | Dataset,
    given: Dataset,
    target: Any,
    test: str | os.PathLike[str] | Dataset | None,
    share: float,
    name: str | None,
    task: str | None,
    random_state: int,
) -> Plan:
    """Plan for models of the data themselves: a target, if there is one, holds the classes, and is not learned."""
    whole = given if target in (None, (), []) else with_target(given, target)
    if not whole.drop(whole.target).features:
        raise InvalidInput("no column is left to learn from. Drop fewer of them.")
    if len(whole) < LEAST_ROWS:
        raise InvalidInput(f"{len(whole)} rows are too few to train and test on. Give at least {LEAST_ROWS}.")
    chosen = select(whole.drop(whole.target), task=task) if name is None else None
    if chosen is None:
        cls = algorithm(str(name))
        if task is not None and cls.tags.task != task:
            raise InvalidParameter(
                f"{cls.__name__} does {cls.tags.task}, but task={task!r} was asked for. Leave one of them out."
            )
        asked: Any = cls.tags.task
        chosen = Selection(cls.__name__, Task(asked, "as asked"), f"as asked; {asked}")
    if test is not None:
        tested = test if isinstance(test, Dataset) else read_as(test, reading_of(whole))
    else:
        tested = None if isinstance(data, Dataset) else read_test_part(data, whole)
    if tested is None:
        rows, held_out = split(len(whole), test_fraction=share, random_state=random_state)
        train, tested = whole.take(rows), whole.take(held_out)
        notes = [f"{len(held_out):,} of {len(whole):,} rows were held out at random (seed {random_state})."]
    else:
        train, tested = whole, _like(tested, whole)
        notes = [f"Tested on {tested.source or 'other data'}, {len(tested):,} rows."]
    if whole.target:
        notes.append(f"{', '.join(whole.target)} holds classes of the rows; what is made has no such column.")
    return Plan(train, tested, chosen, inspect(whole.drop(whole.target)).findings, tuple(notes))


def _like(tested: Dataset, whole: Dataset) -> Dataset:
    """Return data to test on with the target of the training data, if they have it, and without another one."""
    there = [name for name in whole.target if name in tested.columns]
    gone = [name for name in tested.target if name not in there]
    return tested.with_target(there).drop(gone) if there == list(whole.target) else tested.drop(tested.target)


def with_labels(data: Dataset, target: Sequence[str]) -> tuple[Dataset, np.ndarray | None]:
    """Return features, and the classes in `target` or in the target that data name themselves, if any."""
    data = with_target(data, target) if target else data
    if not data.target:
        return data, None
    X, y = data.X_y()
    return X, labels_of(y, infer_task(y))


def _series_task(data: Dataset, target: Any, name: str | None, task: str | None) -> Task | None:
    """Return the task, and why, if rows are taken for steps of series; without being asked for, it is forecasting."""
    if task is not None or name is not None:
        asked: Any = task or algorithm(str(name)).tags.task
        return Task(asked, "as asked") if asked in OF_SERIES else None
    wanted = with_target(data, target).target if target not in (None, (), []) else ()
    reason = series_reason(data, wanted)
    return Task("forecasting", f"{reason}; for one answer a row give --task regression") if reason else None


def _plan_series(
    whole: Dataset,
    target: Any,
    test: str | os.PathLike[str] | Dataset | None,
    share: float,
    name: str | None,
    task: Task,
) -> Plan:
    """Plan for series: their last steps are what is tested on."""
    whole = whole if target in (None, (), []) else with_target(whole, target)
    chosen = algorithm(name).__name__ if name else select(whole, task=task.name).name
    chosen = Selection(chosen, task, f"{task.name.replace('_', ' ')}; {task.reason}")
    if test is not None:
        given = test if isinstance(test, Dataset) else read_as(test, reading_of(whole))
        train, tested = whole, given.with_target(whole.target)
        notes = [f"Tested on {tested.source or 'other data'}, {len(tested):,} steps."]
    else:
        late = last_steps(whole, share)
        train, tested = whole.take(np.flatnonzero(~late)), whole.take(np.flatnonzero(late))
        notes = [
            f"The last {share:.0%} of the steps, {len(tested):,} rows, were held out; what is before is read, too."
        ]
    return Plan(train, tested, chosen, inspect(whole, task=task).findings, tuple(notes), most_steps(tested))


def _given_alone(
    data: str | os.PathLike[str] | Dataset, test: str | os.PathLike[str] | Dataset | None, whole: Dataset
) -> Dataset | None:
    if test is None:
        given = None if isinstance(data, Dataset) else read_test_part(data, whole)
    else:
        given = test if isinstance(test, Dataset) else read_as(test, reading_of(whole))
    return None if given is None else given.drop(given.target)


def train(
    planned: Plan,
    *,
    options: Mapping[str, Any] | None = None,
    callbacks: Sequence[OnEpoch] = (),
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
) -> Estimator:
    """Fit the chosen algorithm to the training rows of a plan; see `Estimator.fit` for `checkpoint` and `resume`."""
    options = dict(options or {})
    if options.get("conditional") and not planned.train.target:
        raise InvalidParameter(
            "conditional=True makes rows of a class, but no column holds the classes. Name it with target=… "
            "(--target NAME), or leave conditional out."
        )
    model = planned.selection.estimator(**(_horizon(planned, options) | options))
    X, y = planned.training_data
    model.fit(X, y, callbacks=callbacks, checkpoint=checkpoint, resume=resume)
    model.target_name_ = ", ".join(planned.train.target)
    return model


def _horizon(planned: Plan, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the horizon that what is held out can judge, unless another is given, which is refused if it cannot."""
    known = options_of(algorithm(planned.selection.name))
    if planned.ahead is None or "horizon" not in known:
        return {}
    asked = options.get("horizon", 0)
    if isinstance(asked, int) and asked > planned.ahead:
        raise InvalidParameter(
            f"horizon={asked}, but there are {planned.ahead} steps to test on, so that no forecast could be judged. "
            f"Give a horizon of at most {planned.ahead}, or more to test on: a larger test fraction, or other data."
        )
    return {"horizon": min(known["horizon"][2], max(1, planned.ahead // 2))}  # so that several forecasts are judged


def assess(
    planned: Plan, model: Any, *, baselines: bool = True, random_state: int = 0, sensitive: Sequence[str] = ()
) -> Report:
    """Evaluate a model on the held-out rows of a plan, the baselines trained on the same rows as the model.

    With `sensitive`, columns of the data, groups of people are compared too; report and model card carry that.
    """
    X, y = planned.test_data
    report = evaluate(
        model,
        X,
        y,
        train=planned.training_data,
        baselines=baselines,
        notes=planned.notes,
        random_state=random_state,
    )
    model.metrics_ = report.to_dict()["model"]["metrics"]
    if not sensitive:
        return report
    audited = audit(model, X, y, sensitive=list(sensitive), random_state=random_state)
    model.audit_ = audited.to_dict()
    return report.with_audit(audited)


def _documents(data: Dataset, chosen: Selection) -> np.ndarray | None:
    """Return the file of each sentence, where sentences of a file are alike and must not stand on both sides."""
    if chosen.task.name != "tagging" or "file" not in data.index:
        return None
    files = data.values("file").astype(str)
    return files if len(np.unique(files)) > 1 else None


def _given_test(
    data: str | os.PathLike[str] | Dataset, test: str | os.PathLike[str] | Dataset | None, whole: Dataset
) -> Dataset | None:
    """Return the data to test on that were given, or that stand beside the training data, like these; or None."""
    if test is not None:
        given = test if isinstance(test, Dataset) else read_as(test, reading_of(whole))
        return with_known_target(given, whole.target)
    return None if isinstance(data, Dataset) else read_test_part(data, whole)


def with_known_target(data: Dataset, target: Any) -> Dataset:
    """Return the data with the target that was asked for, or with the one that they name themselves."""
    if target is not None and target not in ((), []):
        return with_target(data, target)
    if not data.target:
        raise InvalidInput(
            f"which column is to be predicted? Name it with target=… (--target NAME, or -1 for the last one). "
            f"Columns: {', '.join(data.names[:30])}.{series_doubt(data)}"
        )
    return data


def _without_unlabelled(data: Dataset) -> Dataset:
    """Return the rows whose target is known; nothing can be learned from the others, or tested on them."""
    y = data.X_y()[1]
    if y.ndim > 2 or holds_boxes(y):
        return data  # every pixel has a class, and a picture without objects says as much
    columns = y.reshape(len(y), -1)
    there = columns == columns  # NaN differs from itself
    known = (there & (columns != np.array(None)) if columns.dtype == object else there).all(axis=1)
    return data if known.all() else data.take(np.flatnonzero(known))


def _check_labels(train: Dataset, test: Dataset, chosen: Selection) -> None:
    """Refuse, before anything is trained, test rows whose class no training row has."""
    if chosen.task.name in ("segmentation", "detection"):
        _check_classes(train, test)
    if chosen.task.name not in ("binary", "multiclass"):
        return
    learned, asked = (labels_of(data.X_y()[1], chosen.task) for data in (train, test))
    classes = np.unique(learned)
    if len(classes) == len(learned) > 2:
        raise InvalidInput(
            f"the target {', '.join(train.target)} has another value in each of the {len(learned):,} training rows, so "
            "there are no classes to learn. Choose another column, or ask for regression (--task regression)."
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # labels in another spelling are reported by the evaluation
        match_labels(asked, classes.tolist(), model=chosen.name)


def _check_classes(train: Dataset, test: Dataset) -> None:
    """Refuse pictures to test on with classes, of pixels or objects, that no training picture has."""
    learned, asked = (set().union(*map(labels_in, data.X_y()[1])) for data in (train, test))
    if asked - learned:
        strange, known = (", ".join(map(repr, sorted(each, key=str)[:20])) for each in (asked - learned, learned))
        raise InvalidInput(
            f"the pictures to test on have classes that no training picture has: {strange}. Those of training are: "
            f"{known}. Write both in the same way, or train on pictures that have the others too."
        )


def _choose(data: Dataset, name: str | None, task: str | None) -> Selection:
    if name is None:
        return select(data, task=task)
    cls = algorithm(name)
    y = data.X_y()[1]
    found = task_of(y, task)
    if found.kind != cls.tags.task:
        found = task_of(y, cls.tags.task)  # the algorithm says what is wanted
    return Selection(cls.__name__, found, f"as asked; {found.name.replace('_', ' ')}")
