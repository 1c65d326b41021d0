"""Shuffled weights: what stays of explanations, and what is said of it."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

import ganglion as gg
from ganglion.errors import InvalidInput
from ganglion.explanation.sanity import Sanity, sanity, shuffled

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 8))
Y = X[:, 0] * X[:, 1] + X[:, 2] > 0
IMAGES = RNG.integers(0, 255, (24, 8, 8)).astype(np.uint8)


@pytest.fixture(scope="module")
def model():
    return gg.MLPClassifier(hidden=(16,), activation="silu", epochs=30, random_state=0).fit(X, Y)


def test_shuffled_weights_are_the_same_numbers_elsewhere_and_the_model_keeps_its_own(model):
    before = {name: tensor.clone() for name, tensor in model.network_.state_dict().items()}
    other = shuffled(model, ["body.0.layers.0"], 0)
    for name, tensor in other.network_.state_dict().items():
        assert torch.equal(model.network_.state_dict()[name], before[name])
        assert torch.equal(tensor.flatten().sort().values, before[name].flatten().sort().values)
        assert torch.equal(tensor, before[name]) != name.startswith("body.0.layers.0")


@pytest.mark.parametrize("method", ["integrated_gradients", "saliency", "permutation"])
def test_methods_that_tell_of_the_weights_pass(model, method):
    found = sanity(model, X[:12], method, background=X[:2])
    assert found.passed, str(found)
    assert found.agreements.shape == found.sizes.shape == (1, 5, 12)
    assert found.to_dict()["passed"] is True


def test_cascading_shuffles_from_the_output_down(model):
    found = sanity(model, X[:12], "integrated_gradients", cascading=True, repeats=2)
    assert found.layers == ("body.1", "body.0.layers.0")
    assert found.agreements.shape == (2, 2, 12)
    assert "body.0.layers.0:" in str(found)


def test_samples_are_explained_by_the_outputs_that_they_were_explained_by_before():
    model = gg.CNNClassifier(channels=(4,), epochs=1, random_state=0).fit(IMAGES, np.arange(24) % 3)
    found = sanity(model, IMAGES[:4], "grad_cam", parts=6, repeats=1)
    assert found.agreements.shape == (1, 1, 4)


@pytest.mark.parametrize(
    ("signed", "sizes", "said"), [(0.1, 0.2, "passed"), (0.1, 0.8, "in doubt"), (0.9, 0.9, "FAILED")]
)
def test_verdicts(signed, sizes, said):
    found = Sanity("x", ("all layers",), np.full((1, 1, 3), signed), np.full((1, 1, 3), sizes))
    assert found.verdict.startswith(said)
    assert found.passed == (said == "passed")
    assert "passed" in repr(found)


def test_only_networks_have_weights():
    with pytest.raises(InvalidInput, match="LogisticRegression is none"):
        sanity(LogisticRegression().fit(X, Y), X)
