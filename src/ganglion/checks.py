"""The contract's own checks, chosen by an algorithm's tags: what every estimator promises beside scikit-learn's.

    @pytest.mark.parametrize(("estimator", "check"), checks_for([MyAlgorithm]), ids=name_of)
    def test_contract(estimator, check):
        check(estimator)

A check takes an estimator with any options, works on clones of it, and raises AssertionError. For tests and authors of
plugins: it needs the extra "tables", and starts Python anew for what must hold from one process to the next.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import pickle
import random
import signal
import struct
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from ganglion.data.boxes import Boxes
from ganglion.data.convert import as_dataset
from ganglion.errors import DataWarning, GanglionError, InvalidInput, UnknownParameter
from ganglion.estimators.artifact import load
from ganglion.estimators.base import Estimator, Tags
from ganglion.training.checkpoint import Checkpoints, CheckpointWriter

Check = Callable[[Any], None]

EPOCHS = 5
METHODS = ("predict", "predict_proba", "decision_function", "heat_maps", "score_samples")
WORDS = "Some words of which texts are made, short ones and long: naïve, 東京, don't, 12, well-known! Good or bad?"
RARE_TEXT, RARE_NUMBER = "zyzzyva-7741", 0.7310585786300049


def checks_for(estimators: Iterable[Any]) -> list[tuple[Estimator, Check]]:
    """Return every check that the tags of each estimator ask for.

    Parameters
    ----------
    estimators : iterable of classes or instances
        A class stands for its instance with default options.

    Returns
    -------
    list of (estimator, check)
        To be called as `check(estimator)`.
    """
    instances = [each() if isinstance(each, type) else each for each in estimators]
    return [(estimator, check) for estimator in instances for suits, check in CHECKS if suits(estimator.tags)]


def name_of(part: Any) -> str:
    """Return a readable name of an estimator or a check, for the ids of tests."""
    return part.__name__.removeprefix("check_") if callable(part) else " ".join(repr(part).removesuffix("()").split())


# what is promised of fitting


def check_refit_equals_fit(estimator: Estimator) -> None:
    """A second fit forgets the first, whatever the first was given."""
    X, y = data_for(estimator)
    again = fresh(estimator).fit(*other_data_for(estimator)).fit(X, y)
    once = fresh(estimator).fit(X, y)
    same_answers(again, once, X)
    stale = vars(again).keys() ^ vars(once).keys()
    ensure(not stale, f"attributes are left from the first fit: {sorted(stale)}")


def check_same_seed_gives_same_bits_in_two_processes(estimator: Estimator) -> None:
    """The same seed gives the same bits, here and in another process."""
    given = every_data_for(estimator)
    there = in_another_process(
        "model, data = joblib.load(given)\n"
        "joblib.dump([checks.answers(checks.fresh(model).fit(X, y), X) for X, y in data], taken)",
        (fresh(estimator), given),
    )
    for (X, y), other in zip(given, there, strict=True):
        same_bits(answers(fresh(estimator).fit(X, y), X), other)


def check_different_seeds_differ(estimator: Estimator) -> None:
    """Another seed gives another model: of four, at least two differ."""
    X, y = data_for(estimator)
    several = [answers(fresh(estimator).set_params(random_state=seed).fit(X, y), X) for seed in range(4)]
    ensure(len({pickle.dumps(each) for each in several}) > 1, "four seeds gave one and the same model")


def check_process_is_left_as_it_was(estimator: Estimator) -> None:
    """Neither `fit` nor `predict` changes a setting or a random state of the process."""
    X, y = data_for(estimator)
    before = process_state()
    model = fresh(estimator).fit(X, y)
    after_fit = process_state()
    answers(model, X)
    for name, value in before.items():
        ensure(after_fit[name] == value, f"fit changed {name}")
        ensure(process_state()[name] == value, f"predict changed {name}")


def check_options_are_left_as_given(estimator: Estimator) -> None:
    """`clone` keeps the options, `fit` does not touch them, and one that does not exist is refused by name."""
    X, y = data_for(estimator)
    given = fresh(estimator)
    before = given.get_params()
    ensure(unfitted(given).get_params() == before, "clone changed an option")
    given.fit(X, y)
    changed = [name for name, value in given.get_params().items() if value is not before[name]]
    ensure(not changed, f"fit changed the options {changed}")
    refused(lambda: type(given)(no_such_option=1), UnknownParameter, "no_such_option")


def check_data_are_left_as_given(estimator: Estimator) -> None:
    """Neither `fit` nor `predict` writes into what it was given."""
    X, y = data_for(estimator)
    weight = np.linspace(1, 2, len(y))
    copies = X.copy(), y.copy(), weight.copy()
    answers(fresh(estimator).fit(X, y, sample_weight=weight), X)
    for given, kept in zip((X, y, weight), copies, strict=True):
        np.testing.assert_array_equal(given, kept)


def check_read_only_memory_map(estimator: Estimator) -> None:
    """A read-only array on disk is read like one in memory."""
    X, y = data_for(estimator)
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder, "x.npy"), X)
        mapped = np.load(Path(folder, "x.npy"), mmap_mode="r")
        model = fresh(estimator).fit(mapped, y)
        same_bits(answers(model, mapped), answers(fresh(estimator).fit(X, y), X))
        del mapped, model


def check_float32_is_close_to_float64(estimator: Estimator) -> None:
    """Numbers that float32 holds exactly give nearly the same model in float32 as in float64."""
    X, y = data_for(estimator)
    single = X.astype(np.float32)
    expected = answers(fresh(estimator).fit(X, y), X)
    close(answers(fresh(estimator).fit(single, y), single), expected, atol=1e-4)


def check_zero_weight_equals_absence(estimator: Estimator) -> None:
    """Rows of weight 0 leave no trace: no statistic, no category, no class, no step."""
    frame, y = mixed_frame(estimator)
    weight = np.ones(len(y))
    weight[::4] = 0
    kept = np.flatnonzero(weight)
    frame.loc[weight == 0, "number"] = 1e6
    frame.loc[weight == 0, "kind"] = "only in rows of weight 0"
    if estimator.tags.task == "classification":
        y = np.where(weight == 0, "no class", y)
    weighted = fresh(estimator).fit(frame, y, sample_weight=weight)
    without = fresh(estimator).fit(frame.iloc[kept], y[kept])
    close_answers(weighted, without, frame)


def check_constant_weight_changes_nothing(estimator: Estimator) -> None:
    """Weights count by their ratios: 3 for all is as good as 1 for all."""
    X, y = data_for(estimator)
    close_answers(fresh(estimator).fit(X, y), fresh(estimator).fit(X, y, sample_weight=np.full(len(y), 3.0)), X)


def check_history(estimator: Estimator) -> None:
    """`history_` has a row an epoch, which callbacks have seen, and says why training ended."""
    X, y = data_for(estimator)
    seen: list[tuple[dict[str, Any], int]] = []
    model = fresh(estimator).fit(X, y, callbacks=[lambda row, epochs: seen.append((row, epochs))])
    rows = model.history_.rows
    ensure([row["epoch"] for row in rows] == list(range(1, len(rows) + 1)), "epochs are not counted from 1")
    ensure(all(np.isfinite(row["loss"]) for row in rows), "a loss is no number")
    ensure([row for row, _ in seen] == rows, "the callback did not see every row once")
    ensure(all(epochs >= len(rows) for _, epochs in seen), "more epochs than planned")
    ensure(bool(model.history_.stopped), "the history does not say why training ended")


def check_killed_and_resumed_equals_never_killed(estimator: Estimator) -> None:
    """A run that stops right after any of its checkpoints goes on to the bits of one that never stopped."""
    for X, y in every_data_for(estimator):
        _resumes(estimator, X, y)


def _resumes(estimator: Estimator, X: Any, y: Any) -> None:
    whole = fresh(estimator).fit(X, y)
    for stop in (1, 3, 4):
        with tempfile.TemporaryDirectory() as folder:
            settings = Checkpoints(folder=folder, seconds=None, steps=1)
            if not _killed(fresh(estimator), X, y, settings, stop):
                continue  # it ended before
            resumed = fresh(estimator).set_params(random_state=None).fit(X, y, resume=folder)
            same_answers(resumed, whole, X)
            rows = [[{**row, "seconds": 0.0} for row in each.history_.rows] for each in (resumed, whole)]
            ensure(rows[0] == rows[1], f"stopped after checkpoint {stop}, the resumed run has another history")


def _killed(estimator: Estimator, X: Any, y: Any, settings: Checkpoints, stop: int) -> bool:
    """Fit, and stop as by a kill right after so many checkpoints; returns whether there were so many."""

    class Killed(BaseException):
        pass

    written = []
    write = CheckpointWriter.write

    def write_and_die(self: Any, snapshot: Any, *, best: bool = False) -> Any:
        path = write(self, snapshot, best=best)
        written.append(path)
        if len(written) == stop:
            raise Killed
        return path

    CheckpointWriter.write = write_and_die
    try:
        estimator.fit(X, y, checkpoint=settings)
    except Killed:
        return True
    finally:
        CheckpointWriter.write = write
    return False


def check_bad_features_are_refused(estimator: Estimator) -> None:
    """Features of a wrong shape, type or size, and infinite ones, are refused before anything is trained."""
    X, y = data_for(estimator)
    infinite = X.copy()
    infinite[3, 1] = np.inf
    narrower, wider = X[..., :-1], np.concatenate([X, X], -1)
    nothing = fresh(estimator)
    for bad in (infinite, X[:, 0], X[:0], X[:, :0], X + 1j, X[:-1], np.zeros((4,) * 5), "a text", None):
        refused(lambda bad=bad: nothing.fit(bad, y), InvalidInput)
    ensure(not nothing.__sklearn_is_fitted__(), "an estimator that refused its data counts as fitted")
    model = fresh(estimator).fit(X, y)
    for bad in (infinite, X[0], X[:0], *(() if estimator.tags.any_size else (narrower, wider))):
        refused(lambda bad=bad: model.predict(bad), ValueError)


def check_bad_texts_are_refused(estimator: Estimator) -> None:
    """What is no list of texts, and texts without anything in them, are refused before anything is trained."""
    X, y = data_for(estimator)
    nothing, empty = fresh(estimator), X.astype(object)
    empty[3] = ""
    for bad in ("a text", None, [], np.zeros((len(X), 3)), X[:, None, None], empty, [*X[:-1], 7], [*X[:-1], b"bytes"]):
        refused(lambda bad=bad: nothing.fit(bad, y), InvalidInput)
    ensure(not nothing.__sklearn_is_fitted__(), "an estimator that refused its data counts as fitted")
    model = fresh(estimator).fit(X, y)
    for bad in (str(X[0]), [], [""], [7]):
        refused(lambda bad=bad: answers(model, bad), ValueError)


def check_bad_targets_are_refused(estimator: Estimator) -> None:
    """Missing, infinite, too few and misshapen targets are refused."""
    X, y = data_for(estimator)
    missing = y.astype(object)
    missing[5] = None
    gaps = np.where(np.arange(len(y)) == 5, np.nan, np.arange(len(y)) % 2.0)
    endless = np.where(np.arange(len(y)) == 5, np.inf, np.arange(len(y)) % 2.0)
    for bad in (missing, gaps, endless, y[:-1], np.tile(np.arange(3), (len(y), 2, 1)), None, gaps + 1j):
        refused(lambda bad=bad: fresh(estimator).fit(X, bad), (InvalidInput, ValueError))


def check_bad_weights_are_refused(estimator: Estimator) -> None:
    """Weights that are negative, missing, all zero or of a wrong number are refused."""
    X, y = data_for(estimator)
    ones = np.ones(len(y))
    for bad in (-ones, ones * np.nan, ones * np.inf, ones * 0, ones[:-1], np.ones((len(y), 2))):
        refused(lambda bad=bad: fresh(estimator).fit(X, y, sample_weight=bad), InvalidInput)


def check_bad_validation_is_refused(estimator: Estimator) -> None:
    """Held-out data that differ in their columns or targets are refused."""
    X, y = data_for(estimator)
    half = X[..., : X.shape[-1] // 2]
    for bad in ((half, y), (X, y[:-1]), (X,), X):
        refused(lambda bad=bad: fresh(estimator).fit(X, y, validation=bad), ValueError)


def check_unfitted_is_refused(estimator: Estimator) -> None:
    """Nothing answers or is saved before `fit`."""
    X, _ = data_for(estimator)
    for method in METHODS:
        if hasattr(estimator, method):
            refused(lambda method=method: getattr(fresh(estimator), method)(X), NotFittedError, "fit")
    refused(lambda: fresh(estimator).save("never-written"), NotFittedError, "fit")


def check_one_class_is_refused(estimator: Estimator) -> None:
    """One class alone cannot be told apart from anything."""
    X, y = data_for(estimator)
    refused(lambda: fresh(estimator).fit(X, np.full(len(y), "only")), InvalidInput, "only")
    lonely = np.where(y == y[0], 1.0, 0.0)
    refused(lambda: fresh(estimator).fit(X, y, sample_weight=lonely), InvalidInput, "one class")


def check_class_weight_counts(estimator: Estimator) -> None:
    """A class that weighs much is answered more often; one that does not exist is refused."""
    X, y = data_for(estimator, noise=3.0)
    heavy = fresh(estimator, epochs=40).set_params(class_weight={"b": 1000.0}).fit(X, y)
    plain = fresh(estimator, epochs=40).fit(X, y)
    more, usual = (np.mean(model.predict(X) == "b") for model in (heavy, plain))
    ensure(more > usual, f"with a weight of 1000 the class is answered in {more:.0%}, without in {usual:.0%}")
    refused(lambda: fresh(estimator).set_params(class_weight={"z": 1.0}).fit(X, y), GanglionError, "z")


# what is promised of predictions


def check_predictions_do_not_depend_on_their_batch(estimator: Estimator) -> None:
    """A row is answered alike, alone and among others, in any order, however long the others are."""
    for X, y in every_data_for(estimator):
        model = fresh(estimator).fit(X, y)
        together, alone = answers(model, X), [answers(model, X[i : i + 1]) for i in range(len(X))]
        # many convolutions, one after the other, sum in another order for one image than for many
        rounding = 5e-6 if estimator.tags.modalities == ("image",) else 1e-6
        close({name: np.concatenate([each[name] for each in alone]) for name in together}, together, atol=rounding)
        reverse = answers(model, np.ascontiguousarray(X[::-1]))
        close({name: answer[::-1] for name, answer in reverse.items()}, together, atol=1e-6)


def check_containers_agree(estimator: Estimator) -> None:
    """The same numbers give the same model, as array, list, tensor or frame."""
    X, y = table(estimator)
    expected = answers(fresh(estimator).fit(X, y), X)
    names = [f"f{i}" for i in range(X.shape[1])]
    frame = pd.DataFrame(X, columns=names)
    columns = {name: X[:, i] for i, name in enumerate(names)}
    for given in (X.tolist(), torch.from_numpy(X), np.asfortranarray(X), frame, columns, X.astype(object)):
        close(answers(fresh(estimator).fit(given, y.tolist()), given), expected)


def check_mixed_frame(estimator: Estimator) -> None:
    """A frame of numbers, categories, dates and truth values is read, with gaps, and with categories never seen."""
    frame, y = mixed_frame(estimator)
    model = fresh(estimator).fit(frame, y)
    strange = frame.assign(kind="never seen")
    empty = frame.assign(number=np.nan, kind=None)
    for given in (frame, strange, empty, frame.iloc[:1]):
        for name, answer in answers(model, given).items():
            ensure(len(answer) == len(given), f"{name} gave {len(answer)} answers for {len(given)} rows")
            ensure(answer.dtype.kind != "f" or bool(np.isfinite(answer).all()), f"{name} gave no number")
    # never seen and missing are both "nothing is known"
    same_bits(answers(model, strange), answers(model, frame.assign(kind=None)))


def check_feature_names(estimator: Estimator) -> None:
    """Names of columns are kept, and compared with those at prediction."""
    frame, y = mixed_frame(estimator)
    model = fresh(estimator).fit(frame, y)
    ensure(list(model.feature_names_in_) == list(frame.columns), "feature_names_in_ are not the columns' names")
    ensure(model.n_features_in_ == frame.shape[1], "n_features_in_ is not the number of columns")
    refused(lambda: model.predict(frame.rename(columns={"number": "nummer"})), ValueError, "number")
    refused(lambda: model.predict(frame.drop(columns="kind")), ValueError, "kind")
    X, y = table(estimator)
    ensure(not hasattr(fresh(estimator).fit(X, y), "feature_names_in_"), "an array has no names of columns")


def check_text_where_numbers_were_is_refused(estimator: Estimator) -> None:
    """A column of numbers in training that holds words at prediction is refused by name."""
    frame, y = mixed_frame(estimator)
    model = fresh(estimator).fit(frame, y)
    refused(lambda: model.predict(frame.assign(number=["word"] * len(y))), InvalidInput, "number")


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


# what is promised of files


def check_saved_and_loaded_in_another_process(estimator: Estimator) -> None:
    """What was saved answers to the bit in another process."""
    given = [*every_data_for(estimator), other_data_for(estimator)]
    models, data = [fresh(estimator).fit(X, y) for X, y in given], [X for X, _ in given]
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, f"{i}.ganglion") for i in range(len(models))]
        for model, path in zip(models, paths, strict=True):
            model.save(path)
        there = in_another_process(
            "paths, data = joblib.load(given)\n"
            "joblib.dump([checks.answers(checks.load(path), X) for path, X in zip(paths, data)], taken)",
            (paths, data),
        )
    for model, X, loaded in zip(models, data, there, strict=True):
        same_bits(answers(model, X), loaded)


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


# what is promised of images


def check_image_stacks(estimator: Estimator) -> None:
    """Grey and colour images are read in any order of axes, whole numbers or not.

    Other channels are refused, and another size too, unless the tags say that any is read.
    """
    grey, y = image_stack(estimator)
    colour = np.stack([grey, grey // 2, 255 - grey], axis=-1)
    expected = answers(fresh(estimator).fit(grey, y), grey)
    for given in (grey[..., None], grey[:, None], grey.astype(np.float32), grey.astype(np.int64)):
        same_bits(answers(fresh(estimator).fit(given, y), given), expected)
    model = fresh(estimator).fit(colour, y)
    first_axis = np.ascontiguousarray(colour.transpose(0, 3, 1, 2))
    same_bits(answers(model, first_axis), answers(model, colour))
    same_answers(fresh(estimator).fit(first_axis, y), model, colour)
    other_sizes = colour[:, :-1], colour[:, :, :-1]
    for bad in (grey, grey.reshape(len(grey), -1), *(() if estimator.tags.any_size else other_sizes)):
        refused(lambda bad=bad: model.predict(bad), ValueError)
    for given in other_sizes if estimator.tags.any_size else ():
        ensure(len(model.predict(given)) == len(given), "images of another size were not answered")
    broken = grey.astype(np.float32)
    broken[2, 1, 1] = np.nan
    refused(lambda: fresh(estimator).fit(broken, y), InvalidInput, "NaN")


def check_zero_weight_of_images(estimator: Estimator) -> None:
    """An image of weight 0 leaves no trace either."""
    grey, y = image_stack(estimator)
    weight = np.ones(len(y))
    weight[1::3] = 0
    grey[weight == 0] = 255
    kept = np.flatnonzero(weight)
    same_answers(fresh(estimator).fit(grey, y, sample_weight=weight), fresh(estimator).fit(grey[kept], y[kept]), grey)


# what is promised of texts


def check_text_containers_agree(estimator: Estimator) -> None:
    """The same texts give the same model, as list, array, series, column of a frame or data set."""
    X, y = texts_for(estimator)
    expected = answers(fresh(estimator).fit(X, y), X)
    dataset = as_dataset(pd.DataFrame({"text": pd.Series(X, dtype=str)}))
    for given in (X.tolist(), tuple(X), pd.Series(X), pd.DataFrame({"text": X}), X.astype(str), dataset):
        same_bits(answers(fresh(estimator).fit(given, y), given), expected)


def check_unseen_words_are_answered(estimator: Estimator) -> None:
    """A text of words never seen is answered, as any other such text of its length."""
    X, y = texts_for(estimator)
    model = fresh(estimator).fit(X, y)
    unseen = answers(model, [RARE_TEXT.replace("-", " ")])
    same_bits(answers(model, ["qwertz 8812"]), unseen)
    ensure(all(len(answer) == 1 for answer in unseen.values()), "not one answer for one text")
    ensure(all(np.isfinite(a).all() for a in unseen.values() if a.dtype.kind == "f"), "what was answered is no number")


def check_empty_texts_are_refused(estimator: Estimator) -> None:
    """An empty text is refused with its row, in training and after; so are no texts, and what is none."""
    X, y = texts_for(estimator)
    for nothing in ("", "  \n", None):
        empty = X.copy()
        empty[3] = nothing
        refused(lambda empty=empty: fresh(estimator).fit(empty, y), InvalidInput, "3")
    model = fresh(estimator).fit(X, y)
    refused(lambda: model.predict(["word", ""]), InvalidInput, "row 1")
    for bad in ([], "one text", [b"bytes", b"more"]):
        refused(lambda bad=bad: model.predict(bad), ValueError)


def check_zero_weight_of_texts(estimator: Estimator) -> None:
    """A text of weight 0 leaves no trace, no word in the vocabulary."""
    X, y = texts_for(estimator)
    weight = np.ones(len(y))
    weight[1::4] = 0
    X[weight == 0] = " ".join([RARE_TEXT] * 5)
    kept = np.flatnonzero(weight)
    weighted, without = fresh(estimator).fit(X, y, sample_weight=weight), fresh(estimator).fit(X[kept], y[kept])
    close_answers(weighted, without, X)
    ensure(weighted.encoder_.to_json() == without.encoder_.to_json(), "texts of weight 0 are in the vocabulary")


def check_model_file_holds_no_single_text(estimator: Estimator) -> None:
    """No word that stands in one text alone can be found in the file."""
    X, y = texts_for(estimator)
    X[7] += f" {RARE_TEXT}"
    model = fresh(estimator).fit(X, y)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.ganglion")
        model.save(path)
        content = path.read_bytes()
    found = [word for word in RARE_TEXT.split("-") if word.encode() in content]
    ensure(not found, f"the model file holds {found}")


# what is promised of several targets


def check_several_labels(estimator: Estimator) -> None:
    """Labels that can occur together are answered together, and survive a file."""
    X, _ = data_for(estimator)
    y = (X.reshape(len(X), -1)[:, :3] > 0).astype(int)
    model = fresh(estimator).fit(X, y)
    answered, shares = model.predict(X), model.predict_proba(X)
    ensure(answered.shape == y.shape and set(np.unique(answered)) <= {0, 1}, "not one 0 or 1 a label")
    np.testing.assert_array_equal(answered, shares > 0.5)
    same_answers(saved_and_loaded(model), model, X)
    refused(lambda: fresh(estimator).fit(X, y + 1), InvalidInput, "zeros and ones")
    refused(lambda: fresh(estimator).fit(X, y, validation=(X, y[:, :2])), InvalidInput, "3")


def check_several_numbers(estimator: Estimator) -> None:
    """Several numbers are answered in their shape, also one alone in a column, and survive a file."""
    X, _ = table(estimator)
    for y in (X[:, :3] ** 2 * 7 + 100, X[:, :1] ** 2):
        model = fresh(estimator).fit(X, y)
        ensure(model.predict(X).shape == y.shape, f"{model.predict(X).shape} were answered for {y.shape}")
        same_answers(saved_and_loaded(model), model, X)
        refused(lambda y=y: fresh(estimator).fit(X, y, validation=(X, np.hstack([y, y]))), InvalidInput)


def check_target_scale_does_not_matter(estimator: Estimator) -> None:
    """Targets are standardised inside: in other units, the same predictions in these units."""
    X, y = table(estimator)
    plain, scaled = fresh(estimator).fit(X, y), fresh(estimator).fit(X, y * 1e6 - 5e7)
    np.testing.assert_allclose((scaled.predict(X) + 5e7) / 1e6, plain.predict(X), atol=1e-6)


def always(tags: Tags) -> bool:
    """Return True: the check suits every estimator."""
    return True


def reads_tables(tags: Tags) -> bool:
    """Return whether the check's tables suit the estimator."""
    return "table" in tags.modalities


def reads_images(tags: Tags) -> bool:
    """Return whether the check's images suit the estimator."""
    return "image" in tags.modalities


def reads_texts(tags: Tags) -> bool:
    """Return whether the check's texts, each with a class or a number, suit the estimator."""
    return "text" in tags.modalities and tags.task in ("classification", "regression")


def has_target(tags: Tags) -> bool:
    """Return whether there is a target to learn."""
    return tags.task != "language_modelling"


def reads_texts_alone(tags: Tags) -> bool:
    """Return whether the estimator reads texts and nothing else."""
    return tags.modalities == ("text",)


def reads_numbers(tags: Tags) -> bool:
    """Return whether the estimator reads numbers, of tables, pictures or sequences."""
    return bool({"table", "image", "sequence"} & {*tags.modalities})


CHECKS: tuple[tuple[Callable[[Tags], bool], Check], ...] = (
    (always, check_refit_equals_fit),
    (always, check_same_seed_gives_same_bits_in_two_processes),
    (always, check_different_seeds_differ),
    (always, check_process_is_left_as_it_was),
    (always, check_options_are_left_as_given),
    (always, check_data_are_left_as_given),
    (reads_numbers, check_read_only_memory_map),
    (reads_numbers, check_float32_is_close_to_float64),
    (reads_tables, check_zero_weight_equals_absence),
    (always, check_history),
    (always, check_killed_and_resumed_equals_never_killed),
    (reads_numbers, check_bad_features_are_refused),
    (reads_texts_alone, check_bad_texts_are_refused),
    (has_target, check_bad_targets_are_refused),
    (always, check_bad_weights_are_refused),
    (reads_numbers, check_bad_validation_is_refused),
    (always, check_unfitted_is_refused),
    (always, check_predictions_do_not_depend_on_their_batch),
    (reads_tables, check_containers_agree),
    (reads_tables, check_mixed_frame),
    (reads_tables, check_feature_names),
    (reads_tables, check_text_where_numbers_were_is_refused),
    (always, check_copies_answer_alike),
    (always, check_saved_and_loaded_in_another_process),
    (always, check_saved_model_is_whole),
    (reads_tables, check_model_file_holds_no_training_rows),
    (lambda tags: tags.task == "classification", check_one_class_is_refused),
    (lambda tags: tags.task == "classification", check_class_weight_counts),
    (lambda tags: tags.gradients, check_constant_weight_changes_nothing),
    (lambda tags: tags.gradients and tags.task == "regression", check_target_scale_does_not_matter),
    (lambda tags: tags.multilabel, check_several_labels),
    (lambda tags: tags.multioutput, check_several_numbers),
    (reads_texts, check_text_containers_agree),
    (reads_texts, check_unseen_words_are_answered),
    (reads_texts, check_empty_texts_are_refused),
    (reads_texts, check_zero_weight_of_texts),
    (reads_texts, check_model_file_holds_no_single_text),
    (reads_images, check_image_stacks),
    (reads_images, check_zero_weight_of_images),
)


# data and comparisons


def unfitted(estimator: Any) -> Any:
    """Return an unfitted clone: scikit-learn's `clone`, for one estimator."""
    return clone(estimator)


def fresh(estimator: Any, *, epochs: int = EPOCHS) -> Any:
    """Return an unfitted clone with seed 0, and few epochs where there are any."""
    cloned = unfitted(estimator).set_params(random_state=0)
    return cloned.set_params(epochs=epochs) if "epochs" in cloned.get_params() else cloned


def data_for(estimator: Any, *, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers that float32 holds exactly, or texts, samples first, and a target, as suits the estimator."""
    if reads_texts_alone(estimator.tags):
        return sentences(estimator, n=24)
    made = {"segmentation": discs, "detection": squares, "tagging": waves}.get(estimator.tags.task)
    if made:
        return made(n=24)
    if "table" in estimator.tags.modalities:
        return table(estimator, noise=noise)
    if "sequence" in estimator.tags.modalities:
        return signals(estimator, noise=noise)
    return pictures(estimator, n=60, sides=(6, 5), noise=noise)


def every_data_for(estimator: Any) -> list[tuple[Any, np.ndarray]]:
    """Return data, as arrays, and a target of every modality that an estimator reads, the plainest first."""
    given: list[tuple[Any, np.ndarray]] = [data_for(estimator)]
    if reads_images(estimator.tags):
        given.append(image_stack(estimator))
    if reads_texts(estimator.tags):
        given.append(texts_for(estimator))
    if estimator.tags.task == "tagging":
        given.append(tagged(n=30))
    elif "sequence" in estimator.tags.modalities:
        given.append(sequences_for(estimator))
    return given


def other_data_for(estimator: Any) -> tuple[Any, np.ndarray]:
    """Return data of another shape and a target, as suits the estimator's task."""
    if reads_texts_alone(estimator.tags):
        return sentences(estimator, n=15, words=("sun", "moon", "star", "sky"))
    made = {"segmentation": discs, "detection": squares, "tagging": waves}.get(estimator.tags.task)
    if made:
        return made(n=20, sides=(9, 14))
    if "table" in estimator.tags.modalities:
        return mixed_frame(estimator)
    if "sequence" in estimator.tags.modalities:
        return sequences_for(estimator)
    return pictures(estimator, n=50, sides=(9, 7))


def sentences(
    estimator: Any, *, n: int, words: tuple[str, ...] = ("good", "bad", "very", "film", "so", "a")
) -> tuple[np.ndarray, np.ndarray]:
    """Return texts of some words each, (n,), and a target: which of two words they have more of, or them backwards."""
    rng = np.random.default_rng(12)
    texts = [rng.choice(words, size=length).tolist() for length in rng.integers(3, 9, size=n)]
    if estimator.tags.task == "translation":
        backwards = np.array([" ".join(reversed(text)) for text in texts], dtype=object)
        return np.array([" ".join(text) for text in texts]), backwards
    signal = np.array([text.count(words[0]) - text.count(words[1]) for text in texts], dtype=np.float64)
    return np.array([" ".join(text) for text in texts]), _target(estimator, signal)


def discs(*, n: int, sides: tuple[int, int] = (12, 10)) -> tuple[np.ndarray, np.ndarray]:
    """Return noisy images of a disc each, (n, height, width), and their masks: 1 in the disc, 2 at its centre."""
    rng = np.random.default_rng(10)
    down, right = np.indices(sides)
    centres = rng.integers(3, min(sides) - 3, (n, 2, 1, 1))
    distance = np.hypot(down - centres[:, 0], right - centres[:, 1])
    masks = (distance < 3.5).astype(np.uint8) + (distance < 1.5)
    return np.round((masks + 0.3 * rng.normal(size=masks.shape)) * 64) / 64, masks


def squares(*, n: int, sides: tuple[int, int] = (12, 10)) -> tuple[np.ndarray, np.ndarray]:
    """Return noisy images of up to two squares, (n, height, width), and the box of each: "dark" and "light" ones."""
    rng = np.random.default_rng(11)
    images, objects = rng.normal(0, 0.3, (n, *sides)), np.empty(n, dtype=object)
    for i, image in enumerate(images):
        tops, lefts = (rng.integers(0, side - 5, 2) for side in sides)
        kinds = ["dark", "light"][: i % 3]
        for kind, top, left in zip(kinds, tops, lefts, strict=False):
            image[top : top + 5, left : left + 5] += 2.0 if kind == "light" else -2.0
        corners = np.stack([lefts, tops, lefts + 5, tops + 5], 1)[: len(kinds)]
        objects[i] = Boxes(corners.astype(np.float32), np.array(kinds, dtype=str))
    return np.round(images * 64) / 64, objects


def waves(*, n: int, sides: tuple[int, int] = (7, 3)) -> tuple[np.ndarray, np.ndarray]:
    """Return sequences, (n, steps, numbers), and a label of each step, (n, steps): whether a sum has risen."""
    rng = np.random.default_rng(12)
    X = np.round(rng.normal(size=(n, *sides)) * 64) / 64
    rise = np.diff(X.sum(axis=2), axis=1, prepend=0.0)
    return X, np.array(["falls", "stays", "rises"])[np.digitize(rise, [-1.0, 1.0])]


def tagged(*, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return texts of four words, (n, 4), and a label of each: of "x" that of the word before."""
    rng = np.random.default_rng(13)
    X = rng.choice(["Walking", "talks", "x", "1984"], (n, 4))
    y = np.array(["verb", "number"])[(X == "1984").astype(int)]
    y[:, 1:] = np.where(X[:, 1:] == "x", y[:, :-1], y[:, 1:])
    return X, y


def table(estimator: Any, *, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers, (60, 4), that float32 holds exactly, and a noisy target that suits the estimator's task."""
    rng = np.random.default_rng(7)
    X = np.round(rng.normal(size=(60, 4)) * 64) / 64
    return X, _target(estimator, X[:, 0] - X[:, 1] + noise * rng.normal(size=60))


def mixed_frame(estimator: Any) -> tuple[pd.DataFrame, np.ndarray]:
    """Return a frame of numbers, categories, truth values and dates, with gaps, and a target."""
    rng = np.random.default_rng(8)
    number = rng.normal(size=60)
    kind = rng.choice(["red", "green", "blue"], 60).astype(object)
    kind[rng.random(60) < 0.1] = None
    frame = pd.DataFrame(
        {
            "number": np.where(rng.random(60) < 0.1, np.nan, number),
            "kind": kind,
            "flag": rng.random(60) < 0.5,
            "day": pd.Timestamp("2024-02-29") + pd.to_timedelta(rng.integers(0, 900, 60), unit="D"),
            "other": rng.normal(size=60) * 1e3,
        }
    )
    return frame, _target(estimator, number + (kind == "red") + rng.normal(size=60))


def image_stack(estimator: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return grey images, (40, 8, 6) uint8 or (40, 12, 10), and a target."""
    if estimator.tags.task == "detection":
        images, objects = squares(n=40)
        return (np.clip(images, -3, 3) * 40 + 120).astype(np.uint8), objects
    if estimator.tags.task == "segmentation":
        images, masks = discs(n=40)
        return (np.clip(images, -1, 3) * 60 + 60).astype(np.uint8), masks
    rng = np.random.default_rng(9)
    images = rng.integers(0, 256, (40, 8, 6)).astype(np.uint8)
    return images, _target(estimator, images[:, :4].mean((1, 2)) - images[:, 4:].mean((1, 2)))


def pictures(estimator: Any, *, n: int, sides: tuple[int, int], noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return noisy images, (n, height, width), that float32 holds exactly, and a target: which half is brighter."""
    rng = np.random.default_rng(11)
    X = np.round(rng.normal(size=(n, *sides)) * 64) / 64
    signal = X[:, : sides[0] // 2].mean((1, 2)) - X[:, sides[0] // 2 :].mean((1, 2))
    return X, _target(estimator, signal + noise * signal.std() * rng.normal(size=n))


def signals(estimator: Any, *, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return equally long sequences, (60, 6, 4), that float32 holds exactly, and a target: how much they rise."""
    rng = np.random.default_rng(12)
    X = np.round(rng.normal(size=(60, 6, 4)) * 64) / 64
    return X, _target(estimator, X[:, 3:, 0].mean(1) - X[:, :3, 0].mean(1) + noise * rng.normal(size=60) / 2)


def sequences_for(estimator: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return sequences of two numbers a step, of 1 to 9 steps, with gaps, and a target."""
    rng = np.random.default_rng(13)
    X, signal = np.empty(40, dtype=object), np.empty(40)
    for i, length in enumerate(rng.integers(1, 10, 40)):
        X[i] = np.round(rng.normal(size=(length, 2)) * 64) / 64
        signal[i] = X[i][:, 0].max() - X[i][:, 1].min()
        X[i][rng.random(X[i].shape) < 0.05] = np.nan
    return X, _target(estimator, signal)


def texts_for(estimator: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return texts of 1 to 14 words, an array of objects, and a target: how often some of the words stand there."""
    rng = np.random.default_rng(14)
    words, worth = np.array(WORDS.split(), dtype=object), rng.normal(size=len(WORDS.split()))
    X, signal = np.empty(40, dtype=object), np.empty(40)
    for i, length in enumerate(rng.integers(1, 15, 40)):
        chosen = rng.integers(0, len(words), length)
        X[i], signal[i] = " ".join(words[chosen]), worth[chosen].sum()
    return X, _target(estimator, signal)


def _target(estimator: Any, signal: np.ndarray) -> np.ndarray:
    if estimator.tags.task == "regression":
        return signal
    return np.array(["a", "b", "c"])[np.digitize(signal, np.quantile(signal, [0.4, 0.7]))]


def answers(model: Any, X: Any) -> dict[str, np.ndarray]:
    """Return everything that a fitted estimator answers, by method."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return {name: _numbers(getattr(model, name)(X), model) for name in METHODS if hasattr(model, name)}


def _numbers(answer: np.ndarray, model: Any) -> np.ndarray:
    """Return the boxes of pictures as numbers, one row a box, filled up with 0; labels of steps as a matrix."""
    if model.tags.task == "tagging":
        return np.array(list(answer))  # samples are equally long here
    if model.tags.task != "detection" or answer.dtype != object:
        return answer
    rows = np.zeros((len(answer), model.max_detections, 6), dtype=np.float32)
    for i, each in enumerate(answer):
        rows[i, : len(each)] = np.column_stack([each.boxes, np.searchsorted(model.classes_, each.labels), each.scores])
    return rows


def same_bits(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    """Compare two sets of answers to the bit."""
    ensure(one.keys() == other.keys(), f"{sorted(one)} answered here, {sorted(other)} there")
    for name, answer in one.items():
        np.testing.assert_array_equal(answer, other[name], err_msg=name, strict=True)


def close(one: dict[str, np.ndarray], other: dict[str, np.ndarray], *, atol: float = 1e-5) -> None:
    """Compare two sets of answers, numbers to within `atol` of their scale (rounding may come in another order)."""
    ensure(one.keys() == other.keys(), f"{sorted(one)} answered here, {sorted(other)} there")
    for name, answer in one.items():
        if answer.dtype.kind == "f":
            scale = max(1.0, np.abs(other[name]).max())
            np.testing.assert_allclose(answer / scale, other[name] / scale, rtol=0, atol=atol, err_msg=name)
        else:
            np.testing.assert_array_equal(answer, other[name], err_msg=name)


def close_answers(one: Any, other: Any, X: Any) -> None:
    """Compare what two fitted estimators answer, but for rounding."""
    close(answers(one, X), answers(other, X))


def same_answers(one: Any, other: Any, X: Any) -> None:
    """Compare what two fitted estimators answer, to the bit."""
    same_bits(answers(one, X), answers(other, X))


def saved_and_loaded(model: Any) -> Any:
    """Return a model after a trip through a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.ganglion")
        model.save(path)
        return load(path)


def ensure(condition: bool, otherwise: str) -> None:
    """Raise AssertionError with a reason, also under `python -O`."""
    if not condition:
        raise AssertionError(otherwise)


def refused(call: Callable[[], Any], kinds: Any, words: str = "") -> None:
    """Expect an error of one of these kinds, whose message is more than a few words and holds `words`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            call()
    except kinds as error:
        message = str(error)
        ensure(len(message.split()) >= 5, f"the message says too little: {message!r}")
        ensure(words.lower() in message.lower(), f"the message does not name {words!r}: {message!r}")
    else:
        raise AssertionError(f"nothing was raised, where {kinds} was expected")


def process_state() -> dict[str, Any]:
    """Return what belongs to the process and not to an estimator."""
    return {
        "numpy's random state": str(np.random.get_state()),  # noqa: NPY002
        "torch's random state": torch.get_rng_state().numpy().tobytes(),
        "Python's random state": random.getstate(),
        "torch's threads": torch.get_num_threads(),
        "precision of products": torch.get_float32_matmul_precision(),
        "default dtype": torch.get_default_dtype(),
        "determinism": (torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark),
        "autograd": (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu")),
        "warning filters": list(warnings.filters),
        "numpy's error handling": np.geterr(),
        "handler of Ctrl-C": signal.getsignal(signal.SIGINT),
        "environment": dict(os.environ),
        "working directory": os.getcwd(),
    }


def in_another_process(code: str, given: Any) -> Any:
    """Run code in a new Python, which reads `given` by joblib and leaves its result in `taken`."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        joblib.dump(given, "given")
        script = f"import joblib\nfrom ganglion import checks\ngiven, taken = 'given', 'taken'\n{code}\n"
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", script], env=environment, capture_output=True, text=True, timeout=300
        )
        ensure(done.returncode == 0, f"the other process failed: {json.dumps(done.stderr[-2000:])}")
        return joblib.load("taken")
