"""shap and captum, where they are right: a small ReLU network, by values stored once, and theirs where installed."""

import json

import numpy as np
import pytest
import torch

import ganglion as gg
from ganglion.explanation.explain import explain

from .peers_values import PLACE, by_captum, by_shap, said

STORED = json.loads(PLACE.read_text())
ARRAYS = {name: np.array(STORED[name]) for name in ("W0", "b0", "W1", "b1", "X", "background")}


@pytest.fixture(scope="module")
def model():
    """Return a network of ours with the stored weights."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(64, 5))
    network = gg.MLPClassifier(hidden=(7,), epochs=1, random_state=0).fit(X, np.arange(64) % 2)
    first, last = (each for each in network.network_.body.modules() if isinstance(each, torch.nn.Linear))
    center, factor = (
        each.numpy().astype(float) for each in (network.network_.input.center, network.network_.input.factor)
    )
    weights = {
        first.weight: ARRAYS["W0"] / factor,
        first.bias: ARRAYS["b0"] + ARRAYS["W0"] @ center,
        last.weight: ARRAYS["W1"],
        last.bias: ARRAYS["b1"],
    }
    with torch.no_grad():
        for parameter, values in weights.items():
            parameter.copy_(torch.from_numpy(values))
    np.testing.assert_allclose(network.predict_proba(ARRAYS["X"])[:, 1], said(ARRAYS, ARRAYS["X"]), atol=1e-6)
    return network


def test_exact_values_are_those_that_shap_gave(model):
    found = explain(model, ARRAYS["X"], "exact", background=ARRAYS["background"], output="1")
    np.testing.assert_allclose(found.values, STORED["shap exact"], atol=1e-5)


def test_integrated_gradients_are_those_that_captum_gave(model):
    base = ARRAYS["background"].mean(axis=0, keepdims=True)
    found = explain(model, ARRAYS["X"], "integrated_gradients", background=base, output="1", n_evaluations=1024)
    apart = np.abs(found.values - STORED["captum integrated gradients"]).max()
    assert apart < 0.01 * np.ptp(STORED["captum integrated gradients"])


def test_shap_still_says_what_is_stored():
    pytest.importorskip("shap", reason="shap is not installed: python -m benchmarks.peers explainers")
    np.testing.assert_allclose(by_shap(ARRAYS), STORED["shap exact"], atol=1e-9)


def test_captum_still_says_what_is_stored():
    pytest.importorskip("captum", reason="captum is not installed: python -m benchmarks.peers explainers")
    np.testing.assert_allclose(by_captum(ARRAYS), STORED["captum integrated gradients"], atol=1e-9)
