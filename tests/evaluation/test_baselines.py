from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

from ganglion.data.convert import as_dataset
from ganglion.evaluation.baselines import run_baselines
from ganglion.evaluation.matrices import matrices_of
from ganglion.evaluation.metrics import point_values
from ganglion.evaluation.predictions import Truth

N = 240
NAMES = ["majority class", "logistic regression", "gradient-boosted trees"]


def frame(seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(
        {"age": rng.normal(40, 10, N), "job": rng.choice(["chef", "clerk", "smith"], N), "empty": np.nan}
    )
    y = ((data.age > 40) ^ (data.job == "chef")).to_numpy().astype(int)
    data.loc[::9, "age"] = np.nan
    data.loc[::7, "job"] = None
    return data, y


@pytest.mark.parametrize("convert", [lambda f: f, pl.from_pandas, as_dataset], ids=["pandas", "polars", "Dataset"])
def test_mixed_tables_with_holes_and_unseen_categories(convert):
    (seen, y_seen), (data, y) = frame(0), frame(1)
    data.loc[::11, "job"] = "astronaut"
    truth, train = (Truth("binary", each, ("no", "yes")) for each in (y, y_seen))
    raced = run_baselines(truth, convert(data), train=(convert(seen), train))
    assert [each.name for each in raced] == NAMES
    accuracy = [point_values(truth, each.predictions)["accuracy"] for each in raced]
    assert accuracy[2] > accuracy[0] + 0.15
    assert all("fitted on 240 training rows" in each.note for each in raced)
    assert all(np.allclose(each.predictions.probabilities.sum(axis=1), 1) for each in raced)


def test_out_of_fold_rows_are_never_fitted_on():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(N, 5)), rng.integers(0, 2, N)
    truth = Truth("binary", y, ("no", "yes"))
    raced = run_baselines(truth, X)
    assert all(each.note.startswith("out of fold") for each in raced)
    assert all(0.3 < point_values(truth, each.predictions)["accuracy"] < 0.7 for each in raced)  # noise stays noise


def test_large_images_are_reduced_and_it_is_said():
    rng = np.random.default_rng(0)
    y = np.arange(90) % 3
    images = rng.integers(0, 60, (90, 20, 20)).astype(np.uint8)
    images[np.arange(90), y * 5] += 150
    truth = Truth("multiclass", y, ("a", "b", "c"))
    raced = run_baselines(truth, images)
    assert "from 400 pixels to 64 principal components" in raced[1].note
    assert point_values(truth, raced[1].predictions)["accuracy"] > 0.9


def test_several_labels_and_several_targets():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, 3))
    labels = Truth(
        "multilabel", np.stack([X[:, 0] > 0, X[:, 1] > 0, np.zeros(N)], axis=1).astype(int), ("a", "b", "never")
    )
    assert point_values(labels, run_baselines(labels, X)[1].predictions)["subset_accuracy"] > 0.8
    numbers = Truth("regression", X[:, :2] * 3 + 1, ("u", "v"))
    raced = run_baselines(numbers, X)
    assert [each.name for each in raced] == ["mean", "ridge regression", "gradient-boosted trees"]
    assert point_values(numbers, raced[1].predictions)["r2"] > 0.99


def test_a_class_that_training_lacks_gets_no_probability():
    X = np.random.default_rng(0).normal(size=(30, 2))
    truth = Truth("multiclass", np.arange(30) % 3, ("a", "b", "c"))
    train = Truth("multiclass", np.arange(30) % 2, ("a", "b", "c"))
    for each in run_baselines(truth, X, train=(X, train)):
        assert (each.predictions.probabilities[:, 2] == 0).all()


def test_weights_of_zero_are_not_seen():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 2))
    truth = Truth("binary", (np.arange(100) < 50).astype(int), ("no", "yes"))
    majority = run_baselines(truth, X, weight=(np.arange(100) < 50).astype(float))[0]
    assert (majority.predictions.values == 1).all()


def test_fits_see_a_sample_where_all_rows_would_take_too_long(monkeypatch):
    monkeypatch.setattr("ganglion.evaluation.baselines.FEWEST_FIT_ROWS", 50)
    monkeypatch.setattr("ganglion.evaluation.baselines.TREE_CELLS", 100)
    X = np.random.default_rng(0).normal(size=(N, 2))
    truth = Truth("binary", (X[:, 0] > 0).astype(int), ("no", "yes"))
    trees = run_baselines(truth, X, train=(X, truth))[2]
    assert "a random sample of 50 of 240 rows" in trees.note


def test_matrices_tell_trees_which_columns_are_categories():
    data, _ = frame()
    matrices = matrices_of(data)
    assert matrices.fit is matrices.score
    assert [matrices.fit.shape[1] - 1] == matrices.tree_categories()
    assert not np.isinf(matrices.fit).any()
