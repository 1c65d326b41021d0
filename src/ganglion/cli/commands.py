"""The shorter commands: inspect, evaluate, predict, list."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from ganglion.cli.screen import out as screen
from ganglion.cli.screen import print_json, say, shown_warnings
from ganglion.options import describe, options_of

if TYPE_CHECKING:
    from ganglion.data.dataset import Dataset

LINES = 10_000  # written together


def inspect_data(data: Path, target: Sequence[str] | None, *, as_json: bool) -> None:
    """Look at a data file or folder."""
    from ganglion.data.inspection import inspect
    from ganglion.data.read import read, with_target

    with shown_warnings():
        dataset = read(data)
        seen = inspect(with_target(dataset, target) if target else dataset)
    print_json(seen.to_dict()) if as_json else screen.print(seen)


def evaluate_model(
    model: Path,
    data: Path,
    *,
    target: Sequence[str] | None,
    train: Path | None,
    report: Path | None,
    sensitive: Sequence[str],
    asked: dict[str, Any],
    as_json: bool,
) -> None:
    """Evaluate a saved model on a data file; of one that keeps a part for testing, on that part.

    `asked` holds what `evaluate` is asked for beside the usual: coverage, costs, groups, time.
    """
    from ganglion.cli.train import names_of
    from ganglion.data.read import read_as, read_test_part
    from ganglion.estimators.artifact import load
    from ganglion.evaluation.evaluate import evaluate
    from ganglion.fairness.audit import audit

    with shown_warnings():
        estimator = load(model)
        whole = read_as(data, _reading(estimator))
        tested = read_test_part(data, whole)
        X, y = _features_and_target(whole if tested is None else tested, target, estimator)
        seen = None if tested is None else _features_and_target(whole, target, estimator)
        if train is not None:
            seen = _features_and_target(read_as(train, _reading(estimator)), target, estimator)
        result = evaluate(estimator, X, y, train=seen, **asked)
        if sensitive:
            result = result.with_audit(audit(estimator, X, y, sensitive=names_of(sensitive)))
    if tested is not None:
        say(f"evaluated on the part for testing, {len(tested):,} of {len(tested) + len(whole):,}")
    if report is not None:
        result.to_html(report)
        say(f"report {escape(str(report))}")
    print_json(result.to_dict()) if as_json else screen.print(result)


def audit_model(
    model: Path,
    data: Path,
    *,
    sensitive: Sequence[str],
    target: Sequence[str] | None,
    positive: str | None,
    html: Path | None,
    as_json: bool,
) -> None:
    """Compare how a saved model treats groups of people; on the part for testing of files that keep one."""
    from ganglion.cli.train import names_of
    from ganglion.data.read import read_as, read_test_part
    from ganglion.estimators.artifact import load
    from ganglion.fairness.audit import audit

    with shown_warnings():
        estimator = load(model)
        whole = read_as(data, _reading(estimator))
        tested = read_test_part(data, whole)
        X, y = _features_and_target(whole if tested is None else tested, target, estimator)
        result = audit(estimator, X, y, sensitive=names_of(sensitive), positive=positive)
    if html is not None:
        result.to_html(html)
        say(f"report {escape(str(html))}")
    print_json(result.to_dict()) if as_json else screen.print(result)


def predict_rows(model: Path, data: Path, *, out: Path | None, probabilities: bool, as_json: bool) -> None:
    """Predict every row of a data file."""
    from ganglion.estimators.artifact import load

    with shown_warnings():
        estimator = load(model)
        dataset = features_of(data, estimator)
        names = {name: dataset.values(name) for name in dataset.index if dataset.field(name).kind == "text"}
        if estimator.tags.task == "segmentation":
            _write_masks(estimator, dataset, check_masks_file(out), names, probabilities=probabilities)
            return
        if estimator.tags.task == "detection":
            columns = _objects(estimator, dataset, names)
        elif estimator.tags.task == "forecasting":
            columns = _forecasts(estimator, dataset)
        elif estimator.tags.task == "anomaly_detection":
            columns = _marked(estimator, dataset)
        elif estimator.tags.task == "tagging":
            columns = names | _tagged(estimator, dataset, probabilities=probabilities)
        else:
            columns = names | _answers(estimator, dataset, probabilities=probabilities)
    written_rows(columns, out, as_json=as_json)


def written_rows(columns: dict[str, np.ndarray], out: Path | None, *, as_json: bool) -> None:
    """Write columns as CSV to the screen or a file, or as JSON to the screen."""
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in _rows(columns)])
        return
    if out is None:
        sys.stdout.writelines(_lines(columns))
        return
    from ganglion.storage import atomic_write

    with atomic_write(out) as file:
        file.writelines(lines.encode() for lines in _lines(columns))
    say(f"saved {escape(str(out))}")


def features_of(data: Path, estimator: Any) -> Any:
    """Return what a model reads of a data file."""
    from ganglion.data.read import read_as

    dataset = read_as(data, _reading(estimator))
    return dataset.drop([name for name in dataset.target if name not in _feature_names(estimator)])


def labelled_of(data: Path, estimator: Any, target: Sequence[str] | None) -> tuple[tuple[Any, Any], Any]:
    """Return features and target of a data file as a model reads them, and those of its part for testing, or None."""
    from ganglion.data.read import read_as, read_test_part

    whole = read_as(data, _reading(estimator))
    tested = read_test_part(data, whole)
    pair = _features_and_target(whole, target, estimator)
    return pair, None if tested is None else _features_and_target(tested, target, estimator)


def list_algorithms(name: str | None, *, as_json: bool) -> None:
    """List the algorithms, or the options of one."""
    from ganglion.registry import algorithm, all_algorithms

    if name is not None:
        _list_options(algorithm(name), as_json=as_json)
        return
    rows = [
        {
            "name": known,
            "task": cls.tags.task,
            "reads": ", ".join(cls.tags.modalities),
            "what": (cls.__doc__ or "").strip().split("\n")[0],
        }
        for known, cls in all_algorithms().items()
    ]
    print_json(rows) if as_json else screen.print(_table(rows))


def _list_options(cls: Any, *, as_json: bool) -> None:
    rows = [
        {"option": option, "default": _typed(default), "allowed": describe(annotation, declared), "what": declared.text}
        for option, (declared, annotation, default) in options_of(cls).items()
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        screen.print(f"[bold]{escape(row['option'])}={escape(row['default'])}[/]  {escape(row['allowed'])}")
        screen.print(Padding(escape(row["what"]), (0, 0, 0, 4)))


def _typed(default: Any) -> str:
    """Return a default as it is typed behind `--set OPTION=`."""
    if isinstance(default, tuple):
        return ",".join(map(str, default))
    return str(default).lower() if default is None or isinstance(default, bool) else str(default)


def _table(rows: list[dict[str, str]]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in rows[0]:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(value.replace("[", "\\[") for value in row.values()))
    return table


def _features_and_target(
    dataset: Dataset, target: Sequence[str] | None, estimator: Any
) -> tuple[Any, np.ndarray | None]:
    from ganglion.data.task import ALONE, MAKING
    from ganglion.workflow import with_known_target, with_labels

    trained = getattr(estimator, "target_name_", "")
    if estimator.tags.task in MAKING:
        named = list(target or [trained])
        return with_labels(dataset, [name for name in named if target or name in dataset.columns])
    if estimator.tags.task in ALONE:
        return dataset.drop(dataset.target), None
    if estimator.tags.task in ("forecasting", "anomaly_detection"):
        return dataset, None
    names = [trained] if trained in dataset.columns else [name for name in trained.split(", ") if name]
    return with_known_target(dataset, list(target or names)).X_y()


def _reading(estimator: Any) -> Any:
    """Return how files of pictures, music or sound are read to what the model was trained on."""
    from ganglion.data.resizing import Reading

    if estimator.modality_ == "music":
        return Reading(step=estimator.encoder_.step)
    if estimator.modality_ == "audio":
        return Reading(rate=estimator.encoder_.rate)
    return estimator.encoder_.reading if estimator.modality_ == "image" else Reading()


def _feature_names(estimator: Any) -> set[str]:
    return set(getattr(estimator, "feature_names_in_", ()))


def _answers(estimator: Any, X: Any, *, probabilities: bool) -> dict[str, np.ndarray]:
    if estimator.tags.task == "music_modelling":
        nats = estimator.surprisals(X)
        steps = np.array([*map(len, nats)])
        return {"log_likelihood": np.array([-each.sum() for each in nats]), "steps": steps}
    if estimator.tags.task == "language_modelling":
        return {"log_likelihood": estimator.score_samples(X)}
    if not hasattr(estimator, "predict"):
        return _codes(estimator, X)
    predicted = np.asarray(estimator.predict(X))
    columns = (
        {"prediction": predicted}
        if predicted.ndim == 1
        else {f"prediction_{i}": column for i, column in enumerate(predicted.T)}
    )
    if probabilities and hasattr(estimator, "predict_proba"):
        shares = estimator.predict_proba(X)
        columns |= {f"p_{label}": share for label, share in zip(estimator.classes_, shares.T, strict=True)}
    return columns


def _codes(estimator: Any, X: Any) -> dict[str, np.ndarray]:
    """Return the codes of rows, of a model that predicts nothing."""
    from ganglion.errors import InvalidInput

    name = type(estimator).__name__
    if not hasattr(estimator, "transform") or getattr(estimator, "conditional", False):
        raise InvalidInput(
            f"{name} predicts nothing of a row. Ask it for new ones with: ganglion sample MODEL, or judge it with: "
            "ganglion evaluate MODEL DATA."
        )
    return {f"code_{j}": column for j, column in enumerate(estimator.transform(X).T)}


def _marked(estimator: Any, X: Any) -> dict[str, np.ndarray]:
    """Return one row a step, as the file has them: its series and time, whether it is an alarm, and how rare it is."""
    panel = estimator.panel(X)
    steps = np.flatnonzero(panel.rows >= 0)
    steps = steps[np.argsort(panel.rows[steps])]
    scores = estimator.scores_of(panel)[steps]
    series = np.searchsorted(panel.offsets.numpy(), steps, side="right") - 1
    columns = {} if panel.ids == ("",) else {"series": np.array(panel.ids)[series]}
    columns["time"] = np.array([panel.grid.text(time) for time in panel.times[steps].tolist()])
    return columns | {
        "alarm": (scores > -estimator.offset_).astype(int),
        "score": scores,
        "p_value": estimator.p_values(X),
    }


def _tagged(estimator: Any, X: Any, *, probabilities: bool) -> dict[str, np.ndarray]:
    """Return one row a text, word/label behind word/label; of sequences of numbers the labels alone."""
    from ganglion.data.tokens import words_of

    said = estimator.predict(X)
    columns = {"prediction": [" ".join(map(str, labels)) for labels in said]}
    if estimator.modality_ == "text":
        words, distinct = words_of(X, estimator.encoder_.column if estimator.encoder_.column in X.columns else None)
        spelled = [[distinct[code] for code in text.tolist()] for text in words.split()]
        pairs = [zip(text, labels, strict=True) for text, labels in zip(spelled, said, strict=True)]
        columns = {"prediction": [" ".join(f"{word}/{label}" for word, label in text) for text in pairs]}
    if probabilities:
        shares = estimator.predict_proba(X)
        columns["probability"] = [" ".join(f"{share:.3f}" for share in each.max(axis=1)) for each in shares]
    return {name: np.array(column, dtype=object) for name, column in columns.items()}


def _forecasts(estimator: Any, X: Any) -> dict[str, np.ndarray]:
    """Return one row a step ahead: its series, its time, the forecast, and its quantiles."""
    return estimator.forecast(X).columns()


def _objects(estimator: Any, X: Any, names: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return one row an object: its picture, class, how sure the model is, and the box in pixels of the file."""
    from ganglion.data.image_folder import in_files

    found = in_files(estimator.predict(X), X)
    rows = np.repeat(np.arange(len(found)), [len(each) for each in found])
    boxes = np.concatenate([each.boxes for each in found])
    where = {name: column[rows] for name, column in names.items()} or {"row": rows}
    said = {"prediction": [each.labels for each in found], "score": [each.scores for each in found]}
    corners = dict(zip(("left", "top", "right", "bottom"), boxes.T, strict=True))
    return where | {name: np.concatenate(parts) for name, parts in said.items()} | corners


def _write_masks(estimator: Any, X: Any, out: Path, names: dict[str, np.ndarray], *, probabilities: bool) -> None:
    """Write the class of every pixel as an array, (n, height, width), and where wanted the classes' probabilities."""
    arrays: dict[str, Any] = {"prediction": estimator.predict(X), "classes": estimator.classes_}
    for column in names.values():
        arrays["files"] = column.astype(str)  # as objects they would be pickled
    if probabilities:
        arrays["probabilities"] = estimator.predict_proba(X)
    write_arrays(arrays, out)


def write_arrays(arrays: dict[str, Any], out: Path) -> None:
    """Write arrays to a file of them."""
    from ganglion.storage import atomic_write

    with atomic_write(out) as file:
        np.savez_compressed(file, **arrays)
    say(f"saved {escape(str(out))}")


def check_masks_file(out: Path | None) -> Path:
    """Return the file that masks are to be written to, or raise InvalidParameter if it can hold none."""
    from ganglion.errors import InvalidParameter

    if out is None or out.suffix != ".npz":
        raise InvalidParameter("masks are no lines of text: give --out FILE.npz, to which arrays are written.")
    return out


def _lines(columns: dict[str, np.ndarray]) -> Iterator[str]:
    """Give the lines of a CSV file, many at a time."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for start in range(0, len(next(iter(columns.values()))), LINES):
        writer.writerows(_rows({name: column[start : start + LINES] for name, column in columns.items()}))
        yield text.getvalue()
        text.seek(0)
        text.truncate()


def _rows(columns: dict[str, np.ndarray]) -> list[tuple[Any, ...]]:
    plain = [
        [round(value, 6) if isinstance(value, float) else value for value in column.tolist()]
        for column in columns.values()
    ]
    return list(zip(*plain, strict=True))
