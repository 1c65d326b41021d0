"""The algorithm that suits the data, and why."""

import numpy as np
import pandas as pd
import pytest

import ganglion as gg
from ganglion.data.convert import as_dataset
from ganglion.data.task import Task
from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.estimators.selection import labels_of, select, task_of

X = np.random.default_rng(0).normal(size=(40, 3))


@pytest.mark.parametrize(
    ("y", "name", "task"),
    [
        (np.array(["a", "b"] * 20), "MLPClassifier", "binary"),
        (np.arange(40) % 3, "MLPClassifier", "multiclass"),
        ((X > 0).astype(int), "MLPClassifier", "multilabel"),
        (X[:, 0] + X[:, 1], "MLPRegressor", "regression"),
        (X[:, :2] ** 3, "MLPRegressor", "multioutput_regression"),
    ],
)
def test_by_the_target(y, name, task):
    chosen = select(X, y)
    assert (chosen.name, chosen.task.name) == (name, task)
    assert "a table" in chosen.reason
    assert str(chosen) == f"{name}: {chosen.reason}"
    model = chosen.estimator(hidden=(3,), epochs=1)
    assert model.fit(X, y).predict(X).shape == y.shape
    assert type(model).__name__ == name


def test_images():
    chosen = select(np.zeros((40, 8, 8)), np.arange(40) % 2)
    assert chosen.name == "CNNClassifier"
    assert "images" in chosen.reason


def test_the_user_knows_better():
    assert select(X, np.arange(40) % 3, task="regression").name == "MLPRegressor"
    assert select(X, np.round(X[:, 0], 1), task="classification").name == "MLPClassifier"
    with pytest.raises(InvalidParameter, match="task='clustering': a task is 'classification' or 'regression'"):
        select(X, X[:, 0], task="clustering")


def test_from_a_file_a_frame_and_a_dataset(tmp_path):
    frame = pd.DataFrame(X, columns=list("abc")).assign(y=["u", "v"] * 20)
    frame.to_csv(tmp_path / "data.csv", index=False)
    for data in (frame, as_dataset(frame), tmp_path / "data.csv", str(tmp_path / "data.csv")):
        assert gg.select(data, target="y").task.name == "binary"
    assert gg.select(frame, target=-1).name == "MLPClassifier"
    with pytest.raises(InvalidInput, match=r"no column.*'z'"):
        gg.select(frame, target="z")
    with pytest.raises(InvalidInput, match="target"):
        gg.select(frame)


def test_overrides_keep_the_shape_of_the_target():
    assert task_of(X, "regression").name == "multioutput_regression"
    assert task_of((X > 0).astype(int), "classification").name == "multilabel"
    assert task_of(np.array([1.0, 2.0, 1.0]), "classification").name == "binary"


def test_whole_numbers_become_labels_as_people_write_them():
    classes = Task("multiclass", "")
    assert labels_of(np.array([1.0, 2.0]), classes).dtype == np.int64
    assert labels_of(np.array([1.5, 2.0]), classes).dtype == np.float64
    assert labels_of(np.array([1.0, np.nan]), classes).dtype == np.float64
    assert labels_of(np.array([1.0, 2.0]), Task("regression", "")).dtype == np.float64
    assert labels_of(np.array(["a"]), classes).dtype.kind == "U"


def test_texts_alone_are_gone_on_with():
    chosen = select(["some text, and more of it", "another one"])
    assert (chosen.name, chosen.task.name) == ("LanguageModel", "language_modelling")
    assert chosen.reason == "language modelling from texts; there is no target"
    with pytest.raises(InvalidInput, match="no target column"):
        select(pd.DataFrame({"number": [1.5, 2.5], "text": ["a b c d e f", "g h i j k l"]}))


def test_a_target_is_left_out_of_what_is_gone_on_with():
    texts = pd.DataFrame({"text": ["a b c d e f", "g h i j k l"], "label": ["x", "y"]})
    assert select(texts, target="label", task="language_modelling").name == "LanguageModel"
    with pytest.raises(InvalidInput, match="needs a target, and there is none"):
        select(["some text"], task="classification")


def test_lists_of_words_and_their_labels_are_tagged():
    words, labels = [["the", "cat"], ["a", "dog", "eats"]], [["at", "nn"], ["at", "nn", "vb"]]
    for X, y in ((words, labels), ([words[0]] * 3, [labels[0]] * 3)):
        chosen = gg.select(X, y)
        assert (chosen.name, chosen.task.name) == ("RNNTagger", "tagging")
        assert gg.select(X, y, task="tagging").name == "RNNTagger"
    with pytest.raises(InvalidInput, match="needs a target of masks, boxes or lists of labels"):
        gg.select(np.zeros((4, 2)), [0, 1, 0, 1], task="tagging")
    with pytest.raises(InvalidParameter, match="the target is one of tagging"):
        gg.select(words, labels, task="classification")


@pytest.mark.parametrize(("task", "name"), [("generation", "VAE"), ("reconstruction", "Autoencoder")])
@pytest.mark.parametrize("shape", [(20, 3), (20, 8, 8)])
def test_models_of_the_data_themselves_are_chosen_when_asked_for(task, name, shape):
    chosen = select(np.random.default_rng(0).random(shape), task=task)
    assert (chosen.name, chosen.task.name) == (name, task)
    assert "as asked" in chosen.reason
