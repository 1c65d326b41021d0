"""Going on: what stays of a fitted estimator that is trained further, and what moves."""

import copy

import numpy as np
import pytest
import torch
from sklearn.datasets import make_classification

import ganglion as gg
from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.estimators.beside import Beside
from ganglion.estimators.further import labelled_batches, train_further


@pytest.fixture(scope="module")
def data():
    return make_classification(300, 6, random_state=0)


@pytest.fixture(scope="module")
def model(data):
    return gg.MLPClassifier(hidden=(8,), epochs=10, random_state=0).fit(*data)


def state(model):
    return {name: tensor.clone() for name, tensor in model.network_.state_dict().items()}


def test_weights_go_on_and_everything_else_stays(model, data):
    X, y = data
    before = state(model)
    other = X * 7 + 3  # of another scale: statistics that were fitted anew would show it
    on = train_further(model, other, y, epochs=3, learning_rate=1e-3)
    assert all(torch.equal(before[name], tensor) for name, tensor in state(model).items())
    after = state(on)
    assert torch.equal(before["input.center"], after["input.center"])
    assert not torch.equal(before["body.1.weight"], after["body.1.weight"])
    assert on.encoder_ is model.encoder_
    assert on.get_params() == model.get_params()
    assert len(on.history_) == 3


def test_a_rate_of_nothing_leaves_the_answers(model, data):
    X, y = data
    on = train_further(model, X, y, epochs=2, learning_rate=1e-12, weight_decay=0.0)
    np.testing.assert_allclose(on.predict_proba(X), model.predict_proba(X), atol=1e-6)


def test_a_network_of_ones_own_is_trained_in_place(model, data):
    network = copy.deepcopy(model.network_)
    assert train_further(model, *data, network=network, epochs=1).network_ is network


def test_what_joins_is_told_the_steps_of_an_epoch(model, data):
    told = []
    beside = Beside({}, lambda network, own: own, told.append)
    train_further(model, *data, beside=beside, epochs=1, batch_size=50, validation_fraction=0.0)
    assert told == [6]


def test_rows_of_no_weight_are_absent(model, data):
    X, y = data
    weight = np.ones(len(X))
    weight[::3] = 0
    plain = {"epochs": 2, "optimizer": "gradient_descent", "validation_fraction": 0.0}
    weighted = train_further(model, X, y, weight, **plain)
    without = train_further(model, X[weight > 0], y[weight > 0], **plain)
    np.testing.assert_allclose(weighted.predict_proba(X), without.predict_proba(X), atol=1e-6)


def test_labelled_batches_are_those_of_training(model, data):
    X, y = data
    batches = labelled_batches(model, X, y, size=100, most=2)
    assert [len(batch["target"]) for batch in batches] == [100, 100]
    rows = np.unique(np.linspace(0, len(X) - 1, 200).astype(int))
    target = torch.cat([batch["target"] for batch in batches])
    assert target.flatten().tolist() == y[rows].tolist()
    scores = torch.cat([model.network_.scores(batch) for batch in batches]).detach().numpy()
    np.testing.assert_allclose(scores[:, 0], model.decision_function(X[rows]), atol=1e-6)


def test_what_cannot_go_on_is_refused(model, data):
    X, y = data
    with pytest.raises(InvalidParameter, match="epochs"):
        train_further(model, X, y, epochs=0)
    with pytest.raises(InvalidInput):
        train_further(model, X[:, :3], y, epochs=1)
    perceptron = gg.Perceptron().fit(X, y)
    with pytest.raises(InvalidParameter, match="is not trained by gradients, so it cannot go on"):
        train_further(perceptron, X, y)
