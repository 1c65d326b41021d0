"""What was saved comes back, whatever the options, the target and the columns."""

import functools
import json
import zipfile

import numpy as np
import pandas as pd
import pytest
import torch

import ganglion as gg
from ganglion.algorithms.mlp import MLPClassifier, MLPRegressor
from ganglion.algorithms.perceptron import Perceptron
from ganglion.checks.comparing import same_answers, saved_and_loaded
from ganglion.checks.data import mixed_frame
from ganglion.data.convert import as_dataset
from ganglion.errors import InvalidParameter, TrainingDiverged
from ganglion.options import hyperparameters
from ganglion.training.losses import REGRESSION, Quantile
from ganglion.training.optimizers import OPTIMIZERS, SGD
from ganglion.training.schedules import SCHEDULES, Step

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 3))
CLASSES, NUMBERS = np.array(["no", "yes"])[(X[:, 0] > 0).astype(int)], X[:, 0] * 3 + X[:, 1] ** 2


def classifier(**options) -> MLPClassifier:
    return MLPClassifier(**{"hidden": (4,), "epochs": 2, "random_state": 0} | options)


def regressor(**options) -> MLPRegressor:
    return MLPRegressor(**{"hidden": (4,), "epochs": 2, "random_state": 0} | options)


OPTIONS = [
    *[{"optimizer": name} for name in OPTIMIZERS],
    *[{"schedule": name} for name in SCHEDULES],
    *[{"loss": name} for name in REGRESSION if name != "poisson"],
    *[{"scaling": name} for name in ("none", "standard", "robust", "quantile")],
    *[{"precision": name} for name in ("float32", "float64", "bfloat16")],
    {"hidden": ()},
    {"hidden": [3, 3], "residual": True, "dropout": 0.2},
    {"hidden": (5, 5), "normalization": "batch"},
    {"hidden": (5, 5), "normalization": "layer", "activation": "gelu"},
    {"optimizer": SGD(momentum=0.3), "schedule": Step(every=3), "loss": Quantile(0.9)},
    {"optimizer": "sgd(momentum=0.3)", "schedule": "warm_up(steps=2, then='cosine')", "loss": "huber(delta=0.5)"},
    {"weight_decay": 0.5, "clip_norm": 1.0, "batch_size": np.int64(16), "learning_rate": np.float64(0.01)},
    {"validation_fraction": 0.2, "patience": None, "threads": 1, "verbose": False},
    {"random_state": None},
    {"random_state": np.int64(7)},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_options(options):
    model = regressor(**options).fit(X, NUMBERS)
    loaded = saved_and_loaded(model)
    same_answers(loaded, model, X)
    for name, value in model.get_params().items():
        kept = getattr(loaded, name)
        same = str(value) if name in ("optimizer", "schedule", "loss") else tuple(value) if name == "hidden" else value
        assert kept == same, name
    if model.target_.normal:
        np.testing.assert_array_equal(loaded.predict_deviation(X), model.predict_deviation(X))


@pytest.mark.parametrize(
    "y",
    [
        CLASSES,
        CLASSES == "yes",
        (CLASSES == "yes").astype("uint8"),
        np.digitize(X[:, 0], [-0.5, 0.5]) - 1.0,
        np.array(["ä", "ß 日本", ""])[np.digitize(X[:, 0], [-0.5, 0.5])],
        (X[:, :2] > 0).astype(int),
        pd.Series(CLASSES, dtype="category"),
        CLASSES.astype(object),
    ],
    ids=["text", "truth", "uint8", "floats", "unicode", "several", "categories", "objects"],
)
def test_kinds_of_labels(y):
    model = classifier().fit(X, y)
    loaded = saved_and_loaded(model)
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert loaded.predict(X).dtype.kind == ("i" if model.predict(X).dtype.kind == "u" else model.predict(X).dtype.kind)


@pytest.mark.parametrize("class_weight", [{"no": 2, "yes": 0.5}, "balanced", {"yes": np.float64(3.0)}])
def test_class_weights(class_weight):
    loaded = saved_and_loaded(classifier(class_weight=class_weight).fit(X, CLASSES))
    assert loaded.class_weight == class_weight
    loaded.fit(X, CLASSES)


def own_loss(scores, target):
    return (scores - target).abs().sum(1)


@pytest.mark.parametrize(
    "loss", [own_loss, lambda scores, target: own_loss(scores, target), functools.partial(own_loss), torch.nn.MSELoss()]
)
def test_a_function_stays_outside_and_its_weights_come_along(loss, tmp_path):
    model = regressor(loss=loss).fit(X, NUMBERS)
    model.save(tmp_path / "m")
    loaded = gg.load(tmp_path / "m")
    same_answers(loaded, model, X)
    assert loaded.loss == "mse"  # what it was is not in the file, and nothing is executed to find out
    with zipfile.ZipFile(tmp_path / "m") as archive:
        assert "function" in json.loads(archive.read("manifest.json"))["options"]["loss"]


def test_a_stream_of_seeds_is_not_kept():
    loaded = saved_and_loaded(regressor(random_state=np.random.RandomState(0)).fit(X, NUMBERS))
    assert loaded.random_state is None


def test_a_class_outside_the_registry_is_refused_before_anything_is_written(tmp_path):
    @hyperparameters
    class Homemade(MLPClassifier):
        """An algorithm that no file could name."""

    model = Homemade(hidden=(4,), epochs=1).fit(X, CLASSES)
    with pytest.raises(InvalidParameter, match=r"Homemade is in no registry.*registry.py.*entry point"):
        model.save(tmp_path / "m")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "given",
    [
        X,
        X.astype("float32"),
        X.tolist(),
        pd.DataFrame(X, columns=["a", "b", "c"]),
        {"block": X, "more": X[:, 0], "kind": np.where(X[:, 1] > 0, "x", "y").astype(object)},
        np.where(X > 0, X, np.nan),
        np.where(X[:, :2] > 0, "a", "b").astype(object),
        as_dataset({"a": X[:, 0], "b": X[:, 1]}),
        RNG.integers(0, 255, (50, 6, 5)).astype("uint8"),
        RNG.random((50, 3, 6, 5)),
    ],
    ids=["array", "float32", "list", "frame", "mapping", "gaps", "categories", "dataset", "grey", "colour"],
)
@pytest.mark.parametrize("make", [classifier, regressor, Perceptron], ids=["classifier", "regressor", "perceptron"])
def test_kinds_of_columns(make, given):
    model = make().fit(given, NUMBERS if make is regressor else CLASSES)
    loaded = saved_and_loaded(model)
    same_answers(loaded, model, given)
    assert loaded.n_features_in_ == model.n_features_in_
    assert loaded.modality_ == model.modality_
    assert loaded.encoder_ == model.encoder_


def test_what_stands_beside_the_weights(tmp_path):
    frame, y = mixed_frame(classifier())
    model = classifier(validation_fraction=0.2).fit(frame, y)
    model.target_name_ = "what"
    model.metrics_ = {"accuracy": {"value": 0.5, "low": 0.25, "high": 0.75}}
    model.save(tmp_path / "m")
    loaded = gg.load(tmp_path / "m")
    assert loaded.target_name_ == "what"
    assert loaded.metrics_ == model.metrics_
    assert loaded.history_.rows == model.history_.rows
    assert loaded.history_.best_epoch == model.history_.best_epoch
    assert loaded.history_.execution == model.history_.execution
    with zipfile.ZipFile(tmp_path / "m") as archive:
        card = archive.read("README.md").decode()
    for words in (
        "# MLPClassifier for what",
        "kind (categorical: blue, green, red)",
        "| accuracy | 0.5 | 0.25 to 0.75 |",
        "## Limits",
    ):
        assert words in card, words


def test_a_loaded_model_can_be_trained_further_from_scratch():
    model = classifier().fit(X, CLASSES)
    loaded = saved_and_loaded(model)
    assert all(parameter.requires_grad and parameter.is_leaf for parameter in loaded.network_.parameters())
    same_answers(loaded.fit(X, CLASSES), model, X)


def test_the_same_model_gives_the_same_file_but_for_its_date(tmp_path):
    for name in ("a", "b"):
        classifier(epochs=1).fit(X, CLASSES).save(tmp_path / name)
    contents = []
    for name in ("a", "b"):
        with zipfile.ZipFile(tmp_path / name) as archive:
            manifest = json.loads(archive.read("manifest.json"))
            contents.append((archive.read("weights.safetensors"), manifest["options"], manifest["encoder"]))
    assert contents[0] == contents[1]


def test_rare_categories_are_not_written_down(tmp_path):
    frame = pd.DataFrame({"name": ["only once", *["often"] * 20, *["sometimes"] * 2], "x": np.arange(23.0)})
    model = classifier().fit(frame, np.arange(23) % 2)
    assert model.encoder_.categorical[0].categories == ("often", "sometimes")
    model.save(tmp_path / "m")
    assert b"only once" not in (tmp_path / "m").read_bytes()
    same = frame.assign(name="never")
    np.testing.assert_array_equal(model.predict_proba(same), model.predict_proba(frame.assign(name="only once")))


def test_a_loss_without_end_is_an_error_and_not_an_unwritable_file():
    held_out = RNG.normal(size=(20, 1))
    held_out[3] = 1e6
    model = regressor(loss="poisson", hidden=(), learning_rate=1.0, precision="float32", scaling="none")
    with pytest.raises(TrainingDiverged, match="validation_loss"):
        model.fit(X[:, :1], np.abs(NUMBERS), validation=(held_out, np.ones(20)))
