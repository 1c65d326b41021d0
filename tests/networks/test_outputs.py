"""From scores to answers, also where scores are extreme."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.extra.numpy import arrays
from hypothesis.strategies import floats
from scipy.special import expit, softmax

from ganglion.networks.outputs import Bernoulli, Exponential, Rescale, RescaleNormal, Sigmoid, Softmax

SCORES = np.random.default_rng(0).normal(size=(7, 4)) * 5
EXTREME = floats(-1e30, 1e30, allow_subnormal=False)


def run(layer, scores):
    return layer(torch.from_numpy(np.asarray(scores))).numpy()


def test_values():
    np.testing.assert_allclose(run(Softmax(), SCORES), softmax(SCORES, axis=1), rtol=1e-12)
    np.testing.assert_allclose(run(Sigmoid(), SCORES), expit(SCORES), rtol=1e-12)
    first = expit(-SCORES[:, 0])
    np.testing.assert_allclose(run(Bernoulli(), SCORES[:, :1]), np.stack([first, expit(SCORES[:, 0])], 1), rtol=1e-12)
    np.testing.assert_allclose(run(Exponential(), SCORES), np.exp(SCORES), rtol=1e-12)


@pytest.mark.parametrize("layer", [Softmax(), Bernoulli()], ids=["softmax", "bernoulli"])
@given(scores=arrays("float64", (3, 5), elements=EXTREME))
def test_rows_of_probabilities_sum_to_one(layer, scores):
    shares = run(layer, scores if isinstance(layer, Softmax) else scores[:, :1])
    assert np.isfinite(shares).all()
    assert ((shares >= 0) & (shares <= 1)).all()
    np.testing.assert_allclose(shares.sum(1), 1, rtol=1e-12)


@given(scores=arrays("float32", (4, 1), elements=floats(-100, 100, width=32)))
def test_rows_sum_to_one_in_float32_too(scores):
    np.testing.assert_allclose(run(Bernoulli(), scores).sum(1), 1, rtol=1e-6)


@given(scores=arrays("float64", (3, 5), elements=EXTREME))
def test_sigmoid_of_extreme_scores(scores):
    shares = run(Sigmoid(), scores)
    assert ((shares >= 0) & (shares <= 1)).all()


def test_bernoulli_does_not_lose_small_probabilities():
    small = run(Bernoulli(), np.array([[50.0], [-50.0]]))
    np.testing.assert_allclose([small[0, 0], small[1, 1]], np.exp(-50), rtol=1e-12)  # 1 - p would be 0


def test_rescale_brings_targets_back():
    layer = Rescale(2)
    layer.adapt(torch.tensor([10.0, -3.0]), torch.tensor([2.0, 0.5]))
    np.testing.assert_allclose(run(layer, [[1.0, 1.0], [0.0, -2.0]]), [[12, -2.5], [10, -4]])
    assert run(layer, np.zeros((1, 2), "float32")).dtype == np.float64  # a target of 1e9 ± 1 has too many digits


def test_a_normal_answers_means_beside_deviations():
    layer = RescaleNormal(2)
    layer.adapt(torch.tensor([10.0, -3.0]), torch.tensor([2.0, 0.5]))
    scores = [[1.0, 1.0, np.log(9.0), np.log(4.0)]]
    np.testing.assert_allclose(run(layer, scores), [[12, -2.5, 3 * 2, 2 * 0.5]])


@pytest.mark.parametrize(
    "layer", [Softmax(), Sigmoid(), Exponential(), RescaleNormal(2)], ids=lambda each: type(each).__name__
)
def test_gradient(layer):
    assert torch.autograd.gradcheck(layer, torch.from_numpy(SCORES / 5).requires_grad_())
