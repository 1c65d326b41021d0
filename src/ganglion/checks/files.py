"""What is promised of copies and of model files."""

from __future__ import annotations

import copy
import pickle
import struct
import tempfile
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from ganglion.checks.comparing import answers, ensure, fresh, same_answers, same_bits, unfitted
from ganglion.checks.data import RARE_TEXT, every_data_for, mixed_frame, other_data_for
from ganglion.checks.elsewhere import in_another_process
from ganglion.checks.suiting import always, reads_tables
from ganglion.estimators.artifact import load
from ganglion.estimators.base import Estimator

RARE_NUMBER = 0.7310585786300049


def check_copies_answer_alike(estimator: Estimator) -> None:
    """Pickle, joblib and deepcopy keep a fitted estimator to the bit."""
    for X, y in every_data_for(estimator):
        model = fresh(estimator).fit(X, y)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "model.joblib")
            joblib.dump(model, path)
            for copied in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model), joblib.load(path)):
                same_answers(copied, model, X)
                ensure(copied.history_.rows == model.history_.rows, "the history was lost")


def check_saved_and_loaded_in_another_process(estimator: Estimator) -> None:
    """What was saved answers to the bit in another process."""
    given = [*every_data_for(estimator), other_data_for(estimator)]
    models, data = [fresh(estimator).fit(X, y) for X, y in given], [X for X, _ in given]
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{i}.ganglion") for i in range(len(models))]
        for model, path in zip(models, paths, strict=True):
            model.save(path)
        there = in_another_process(_loaded_answers, paths, data)
    for model, X, loaded in zip(models, data, there, strict=True):
        same_bits(answers(model, X), loaded)


def _loaded_answers(paths: list[Path], data: list[Any]) -> list[dict[str, np.ndarray]]:
    return [answers(load(path), X) for path, X in zip(paths, data, strict=True)]


def check_saved_model_is_whole(estimator: Estimator) -> None:
    """A loaded model has the options, names and history of the saved one, can be fitted and be saved again."""
    X, y = other_data_for(estimator)
    model = fresh(estimator).fit(X, y)
    with tempfile.TemporaryDirectory() as folder:
        path, second = Path(folder, "model.ganglion"), Path(folder, "second.ganglion")
        model.save(path)
        loaded = load(path)
        loaded.save(second)
        same_answers(load(second), model, X)
    ensure(type(loaded) is type(model), "another class came back")
    ensure(str(loaded) == str(model), f"{model} came back as {loaded}")
    names = [list(getattr(each, "feature_names_in_", ())) for each in (loaded, model)]
    ensure(names[0] == names[1], "the names of columns were lost")
    ensure(loaded.history_.to_dict() == model.history_.to_dict(), "the history was lost")
    same_answers(unfitted(loaded).fit(X, y), model, X)


def check_model_file_holds_no_training_rows(estimator: Estimator) -> None:
    """Nothing of a single training row can be found in the file: no rare text, no number, no row."""
    frame, y = mixed_frame(estimator)
    frame.loc[7, "kind"] = RARE_TEXT
    frame.loc[7, "number"] = RARE_NUMBER
    model = fresh(estimator).fit(frame, y)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.ganglion")
        model.save(path)
        content = path.read_bytes()
    traces = {
        "the rare text": RARE_TEXT.encode(),
        "the number as text": repr(RARE_NUMBER).encode()[:12],
        "the number in float64": struct.pack("<d", RARE_NUMBER),
        "the number in float32": struct.pack("<f", RARE_NUMBER),
        "the numbers of a row": frame.loc[7, ["number", "other"]].to_numpy(np.float64).tobytes(),
    }
    found = [name for name, trace in traces.items() if trace in content]
    ensure(not found, f"the model file holds {found}")


CHECKS = (
    (always, check_copies_answer_alike),
    (always, check_saved_and_loaded_in_another_process),
    (always, check_saved_model_is_whole),
    (reads_tables, check_model_file_holds_no_training_rows),
)
