"""What is promised of predictions, and of several targets."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from ganglion.checks.comparing import (
    answers,
    ask,
    close,
    ensure,
    fresh,
    has_answers,
    refused,
    same_answers,
    same_bits,
    saved_and_loaded,
)
from ganglion.checks.data import data_for, every_data_for, mixed_frame, table
from ganglion.checks.suiting import answers_rows, reads_tables, takes_several_labels, takes_several_numbers
from ganglion.errors import InvalidInput
from ganglion.estimators.base import Estimator


def check_predictions_do_not_depend_on_their_batch(estimator: Estimator) -> None:
    """A row is answered alike, alone and among others, in any order, however long the others are."""
    for X, y in every_data_for(estimator) if has_answers(estimator) else ():
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
    if has_answers(model):
        refused(lambda: ask(model, frame.rename(columns={"number": "nummer"})), ValueError, "number")
        refused(lambda: ask(model, frame.drop(columns="kind")), ValueError, "kind")
    X, y = table(estimator)
    ensure(not hasattr(fresh(estimator).fit(X, y), "feature_names_in_"), "an array has no names of columns")


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


CHECKS = (
    (answers_rows, check_predictions_do_not_depend_on_their_batch),
    (reads_tables, check_containers_agree),
    (reads_tables, check_mixed_frame),
    (reads_tables, check_feature_names),
    (takes_several_labels, check_several_labels),
    (takes_several_numbers, check_several_numbers),
)
