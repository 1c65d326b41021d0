"""Pruned weights: how many, which, when, and that they stay zero."""

import math

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits, make_classification

import ganglion as gg
from ganglion.compression.cubic import CubicRise
from ganglion.compression.masks import magnitude_masks, prunable, sparsity_of
from ganglion.compression.prune import prune
from ganglion.compression.sparse_training import ZerosGrow, ZerosStay
from ganglion.errors import InvalidParameter
from ganglion.estimators.further import train_further


@pytest.fixture(scope="module")
def table():
    return make_classification(400, 12, n_informative=8, n_classes=3, random_state=0)


@pytest.fixture(scope="module")
def mlp(table):
    return gg.MLPClassifier(hidden=(32, 16), epochs=15, random_state=0).fit(*table)


@pytest.mark.parametrize(
    ("step", "share"),
    [(0, 0.5), (9, 0.5), (10, 0.5), (20, 0.5 + 0.4 * (1 - 0.8**3)), (60, 0.9), (1000, 0.9)],
)
def test_the_rise_is_that_of_the_paper(step, share):
    rise = CubicRise(final=0.9, initial=0.5, begin=10, updates=5, every=10)
    assert math.isclose(rise.at(step), share, rel_tol=1e-12)


def test_the_rise_is_due_at_its_steps_only():
    rise = CubicRise(final=0.9, begin=10, updates=2, every=5)
    assert [step for step in range(40) if rise.is_due(step)] == [10, 15, 20]


@pytest.mark.parametrize("settings", [{"final": 1.0}, {"final": 0.2, "initial": 0.4}, {"final": 0.5, "updates": 0}])
def test_a_rise_that_is_none_is_refused(settings):
    with pytest.raises(InvalidParameter, match="shares rise"):
        CubicRise(**settings)


def test_the_smallest_weights_go():
    weights = {"a": torch.tensor([[3.0, -1.0], [0.5, 2.0]]), "b": torch.tensor([[10.0, -20.0]])}
    by_layer = magnitude_masks(weights, 0.5)
    assert by_layer["a"].tolist() == [[True, False], [False, True]]
    assert by_layer["b"].tolist() == [[False, True]]
    of_all = magnitude_masks(weights, 0.5, scope="network")
    assert of_all["a"].tolist() == [[True, False], [False, False]]
    assert of_all["b"].tolist() == [[True, True]]


@pytest.mark.parametrize("method", ["gradual", "magnitude", "lottery"])
@pytest.mark.parametrize("scope", ["layer", "network"])
def test_so_many_weights_are_zero_and_the_rest_still_knows(mlp, table, method, scope):
    X, y = table
    before = {name: weight.clone() for name, weight in mlp.network_.state_dict().items()}
    pruned = prune(mlp, X, y, sparsity=0.6, method=method, scope=scope, epochs=8)
    weights = prunable(pruned.network_)
    n_zero = sum(int((weight == 0).sum()) for weight in weights.values())
    wanted = [weight.numel() for weight in weights.values()]
    assert n_zero == (sum(round(0.6 * n) for n in wanted) if scope == "layer" else round(0.6 * sum(wanted)))
    assert pruned.score(X, y) > mlp.score(X, y) - 0.1
    assert pruned.compression_[-1]["step"] == "prune"
    assert pruned.get_params() == mlp.get_params()
    assert all(torch.equal(before[name], weight) for name, weight in mlp.network_.state_dict().items())


def test_zeros_stay_through_momentum_decay_and_the_best_epoch(table):
    X, y = table
    model = gg.MLPClassifier(hidden=(16,), epochs=5, optimizer="sgd(momentum=0.9)", validation_fraction=0.2)
    model = model.set_params(random_state=0).fit(X, y)
    masks = magnitude_masks(prunable(model.network_), 0.7)
    on = train_further(model, X, y, beside=ZerosStay(masks).beside, epochs=6)
    for name, weight in prunable(on.network_).items():
        assert not weight[~masks[name]].any()
        assert weight[masks[name]].all()


def test_convolutions_lose_weights_too():
    digits = load_digits()
    X, y = digits.images[:300], digits.target[:300]
    model = gg.CNNClassifier(channels=(8,), hidden=(16,), epochs=8, random_state=0).fit(X, y)
    assert sparsity_of(prune(model, X, y, sparsity=0.5, epochs=4).network_) == pytest.approx(0.5, abs=0.01)


def test_zeros_grow_as_the_rise_says(mlp, table):
    X, y = table
    grow, seen = ZerosGrow(0.9, 8, updates=6, scope="network"), []
    after = grow.after_step
    grow.after_step = lambda: (after(), seen.append(1 - np.mean([*map(float, kept_share(grow))])))
    train_further(mlp, X, y, beside=grow.beside, epochs=8, validation_fraction=0.0)
    due = [i for i in range(1, len(seen) + 1) if grow.rise.is_due(i)]
    sizes = {name: weight.numel() for name, weight in grow.weights.items()}
    assert due
    assert grow.rise.at(due[-1]) == 0.9
    gone = sum(int((~mask).sum()) for mask in grow.masks.values())
    assert gone == round(0.9 * sum(sizes.values()))


def kept_share(grow):
    masks = grow.masks.values()
    return [sum(int(mask.sum()) for mask in masks) / max(1, sum(mask.numel() for mask in masks))]


def test_a_lottery_ticket_begins_where_the_model_began(table):
    """One step of next to no size: what stays has the first values of the model, and so of any fit of its seed."""
    X, y = table
    options = {"hidden": (16,), "epochs": 1, "learning_rate": 1e-30, "weight_decay": 0.0, "random_state": 3}
    first = gg.MLPClassifier(**options).fit(X, y)
    trained = clone(first).set_params(epochs=20, learning_rate="auto").fit(X, y)
    ticket = prune(trained, X, y, sparsity=0.6, method="lottery", epochs=1, learning_rate=1e-30)
    masks = magnitude_masks(prunable(trained.network_), 0.6)
    for name, weight in prunable(ticket.network_).items():
        torch.testing.assert_close(weight, prunable(first.network_)[name] * masks[name])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sparsity": 1.0}, "sparsity=1.0: give a number above 0 and below 1"),
        ({"sparsity": True}, "sparsity=True"),
        ({"method": "random"}, "method='random': give 'gradual'"),
        ({"scope": "all"}, "scope='all': give 'layer'"),
        ({"rounds": 0, "method": "magnitude"}, "rounds=0: give a whole number"),
        ({"epochs": 0}, "epochs=0: give a whole number"),
    ],
)
def test_settings_are_checked_before_work_starts(mlp, table, settings, message):
    with pytest.raises(InvalidParameter, match=message):
        prune(mlp, *table, **settings)


def test_a_lottery_needs_a_seed(table):
    model = gg.MLPClassifier(hidden=(8,), epochs=1).fit(*table)
    with pytest.raises(InvalidParameter, match="random_state=0"):
        prune(model, *table, method="lottery")
