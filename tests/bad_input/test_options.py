"""Mistakes with options: each is named with its value, what is allowed, and the nearest thing that exists."""

import numpy as np
import pytest
import torch

import ganglion as gg
from ganglion.cli.train import parse_settings
from ganglion.errors import GanglionError, InvalidParameter, UnknownParameter

X = np.random.default_rng(0).normal(size=(60, 5))
Y = (X[:, 0] > 0).astype(int)

UNKNOWN = {
    "hiden": "hidden",
    "lr": "learning_rate",
    "hidden_layer_sizes": "hidden",
    "max_iter": "epochs",
    "solver": "optimizer",
    "alpha": "weight_decay",
    "Epochs": "epochs",
    "early_stopping_patience": None,
}


@pytest.mark.parametrize("given", UNKNOWN)
def test_unknown_option(given):
    near = UNKNOWN[given]
    message = (
        f"MLPClassifier has no option '{given}'.{f' Did you mean .{near}.' if near else ' Its options: activation'}"
    )
    with pytest.raises(UnknownParameter, match=message):
        gg.MLPClassifier(**{given: 1})
    with pytest.raises(UnknownParameter, match=message):
        gg.MLPClassifier().set_params(**{given: 1})
    with pytest.raises(UnknownParameter, match=message):
        parse_settings("MLPClassifier", [f"{given}=1"])


def test_unknown_option_is_a_type_error_and_a_value_error():
    for kind in (TypeError, ValueError, GanglionError):
        with pytest.raises(kind):
            gg.MLPClassifier(hiden=3)


def test_options_by_position():
    with pytest.raises(UnknownParameter, match=r"MLPClassifier\(\(3,\)\): options are given by name, as in"):
        gg.MLPClassifier((3,))


def test_option_of_another_algorithm():
    with pytest.raises(UnknownParameter, match=r"Perceptron has no option 'hidden'. Its options: class_weight, epochs"):
        gg.Perceptron(hidden=(3,))


WRONG = {
    "learning_rate": [(0, "a number above 0 or 'auto'"), (-1e-3, "above 0"), (float("nan"), "above 0")],
    "hidden": [((0,), "a tuple of integers at least 1"), (100, r"Did you mean \(100,\)\?"), ((1.5,), "integers")],
    "dropout": [(1.0, "a number at least 0 and below 1"), (-0.1, "at least 0"), ("0.5", "a number")],
    "epochs": [
        (0, "an integer at least 1 or 'auto'"),
        (2.5, "an integer"),
        ("many", "an integer"),
        (True, "an integer"),
    ],
    "batch_size": [(0, "an integer at least 1"), ("all", "an integer at least 1 or 'auto'")],
    "patience": [(0, "an integer at least 1 or None")],
    "clip_norm": [(0, "a number above 0 or None"), (float("inf"), "a number above 0")],
    "weight_decay": [(-1, "a number at least 0"), (10**400, "a number at least 0")],
    "validation_fraction": [(1.0, "below 1"), (-0.1, "at least 0")],
    "normalization": [("batchnorm", "'batch', 'layer' or None. Did you mean 'batch'")],
    "scaling": [("standart", "Did you mean 'standard'"), (None, "'none', 'standard', 'robust' or 'quantile'")],
    "precision": [("float16", "'auto', 'float32', 'float64' or 'bfloat16'")],
    "embedding": [(0, "an integer at least 1 and at most 4096 or None"), (10**6, "at most 4096")],
    "residual": [("yes", "True or False"), (1, "True or False")],
    "verbose": [(2, "True or False")],
    "threads": [(0, "an integer at least 1 or None")],
    "random_state": [("x", "an integer, RandomState or None"), (1.5, "an integer")],
    "activation": [
        ("rellu", "no activation is called 'rellu'. Did you mean 'relu'"),
        (np.tanh, "activation is a text"),
    ],
    "device": [("gpu", "not to be had here. Here: 'auto', 'cpu'"), ("cuda:99", "not to be had"), (0, "a text")],
    "optimizer": [
        ("adamm", "no optimizer is called 'adamm'. Did you mean 'adam'"),
        ("sgd(momentun=0.9)", "optimizer sgd has no option 'momentun'. Did you mean 'momentum'"),
        ("sgd(momentum=1.5)", "momentum is a number at least 0 and below 1"),
        ("sgd(momentum='high')", "momentum is a number"),
        ("sgd(nesterov=3)", "nesterov is True or False"),
        ("lbfgs(memory=2.5)", "memory is an integer"),
        ("sgd(1, 2, 3, 4, 5)", r"sgd has 2 settings \(momentum, nesterov\)"),
        ("sgd(momentum=", "give a name, or a name with settings in brackets"),
        ("sgd(**{'momentum': 0.9})", "give a name, or a name with settings in brackets"),
        ("__import__('os').system('true')", "give a name, or a name with settings in brackets"),
        ("sgd(momentum=exec('1'))", "give a name, or a name with settings in brackets"),
        (None, "give a name"),
        (torch.optim.Adam, "give a name"),
        ("(" * 900, "give a name"),
    ],
    "schedule": [
        ("cosin", "no schedule is called 'cosin'. Did you mean 'cosine'"),
        ("step(every=0)", "every is a number at least 1"),
        ("step(evry=3)", "Did you mean 'every'"),
        ("plateau(gamma=2)", "gamma is a number above 0 and below 1"),
        ("warm_up(then='warm_up')", "the schedule after a warm-up is another one"),
        ("warm_up(then='cosin')", "no schedule is called 'cosin'"),
    ],
    "loss": [
        ("crossentropy", "no loss is called 'crossentropy'. Did you mean 'cross_entropy'"),
        ("mse", "no loss is called 'mse'. Known: cross_entropy, focal"),
        ("focal(gama=2)", "loss focal has no option 'gama'. Did you mean 'gamma'"),
        ("focal(gamma=-1)", "gamma is a number at least 0"),
        (torch.nn.CrossEntropyLoss, "give a name"),
    ],
}


@pytest.mark.parametrize(
    ("name", "value", "message"), [(name, *pair) for name, pairs in WRONG.items() for pair in pairs]
)
def test_value(name, value, message):
    for model in (gg.MLPClassifier(**{name: value}), gg.MLPClassifier().set_params(**{name: value})):
        with pytest.raises(InvalidParameter, match=message):
            model.fit(X, Y)
        assert not hasattr(model, "network_")


# what a command line reads as it is meant, yes for True or 0.5 without quotes, or says in other words
MEANT = [("residual", "yes"), ("dropout", "0.5"), ("epochs", True), ("hidden", 100), ("device", 0)]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (name, value, message)
        for name, pairs in WRONG.items()
        for value, message in pairs
        if isinstance(value, str | int | float) and (name, value) not in MEANT
    ],
)
def test_value_on_the_command_line(name, value, message):
    """The same text as in Python."""
    with pytest.raises(InvalidParameter, match=message):
        parse_settings("MLPClassifier", [f"{name}={value}"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("huber(delta=0)", "delta is a number above 0"),
        ("quantile(q=1.5)", "q is a number above 0 and below 1"),
        ("cross_entropy", "no loss is called 'cross_entropy'.*Known: gaussian_nll, huber"),
    ],
)
def test_loss_of_a_regressor(given, message):
    with pytest.raises(InvalidParameter, match=message):
        gg.MLPRegressor(loss=given).fit(X, X[:, 0])


@pytest.mark.parametrize(
    ("loss", "found"),
    [(lambda scores, target: scores, r"shape \(60, 1\)"), (lambda scores, target: 1.0, "a float")],
    ids=["wrong shape", "no tensor"],
)
def test_loss_function_that_cannot_be_averaged(loss, found):
    with pytest.raises(
        InvalidParameter, match=f"the function returned {found} for scores of shape .*one loss a sample"
    ):
        gg.MLPClassifier(loss=loss, epochs=1).fit(X, Y)


def test_held_out_part_of_nothing():
    with pytest.raises(InvalidParameter, match=r"that is 0 of 60 samples. Leave at least one on each side"):
        gg.MLPClassifier(validation_fraction=0.001).fit(X, Y)


def test_unknown_algorithm():
    from ganglion.registry import algorithm

    with pytest.raises(InvalidParameter, match=r"no algorithm is called 'mlp'. Did you mean 'MLPClassifier'"):
        algorithm("mlp")


def test_unknown_name_of_the_package():
    with pytest.raises(AttributeError, match=r"has no attribute 'MLPClasifier'. Did you mean 'MLPClassifier'"):
        gg.MLPClasifier  # noqa: B018


def test_unknown_task():
    with pytest.raises(InvalidParameter, match="task='clasification': a task is 'classification' or 'regression'"):
        gg.select(X, Y, task="clasification")
