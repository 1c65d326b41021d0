"""Every promise of the contract, for every registered algorithm, and for algorithms with options of every kind."""

import pytest

from ganglion.algorithms.mlp import MLPClassifier, MLPRegressor
from ganglion.checks import checks_for, name_of
from ganglion.registry import all_algorithms

UNUSUAL = [
    MLPClassifier(hidden=(), optimizer="lbfgs"),
    MLPClassifier(hidden=(8, 8), normalization="batch", dropout=0.2, residual=True, batch_size=16, precision="float32"),
    MLPRegressor(hidden=(8,), scaling="robust", loss="gaussian_nll", validation_fraction=0.2, optimizer="muon"),
    MLPRegressor(hidden=(6,), activation="tanh", loss="huber(delta=0.5)", schedule="plateau", optimizer="sgd"),
]


SMALL = {  # what is promised holds at any size, and at their own these would take minutes
    "CNNClassifier": {"channels": (8, 16), "hidden": (16,)},
    "CNNRegressor": {"channels": (8, 16), "hidden": (16,)},
    "VisionTransformer": {"width": 16, "layers": 1},
    "SegmentationCNN": {"channels": 4},
    "DetectionCNN": {"channels": 4},
    "RNNClassifier": {"width": 16},
    "RNNRegressor": {"width": 16},
    "RNNTagger": {"width": 16},
    "TextCNN": {"embedding": 16},
    "TransformerClassifier": {"width": 16},
    "TransformerRegressor": {"width": 16, "layers": 1},
    "LanguageModel": {"width": 16, "layers": 1},
    "MusicModel": {"width": 16, "chord_units": 16},
    "SpeechRecognizer": {"width": 16, "layers": 1, "channels": 4},
    "Translator": {"width": 16, "layers": 1},
    "RBM": {"units": 8, "burn_in": 20},
    "DBN": {"hidden": (8, 16), "visible": "bernoulli", "learning_rate": 0.5},  # so that labels count
    "DBNClassifier": {"hidden": (8, 8)},
    "Diffusion": {"width": 16, "depth": 1, "channels": 8, "steps": 5},
    "GAN": {"latent": 3, "hidden": (16,), "channels": 8},
    "Autoencoder": {"hidden": (16,)},
    "VAE": {"latent": 3, "hidden": (16,)},
}
ALGORITHMS = [cls(**SMALL.get(name, {})) for name, cls in all_algorithms().items()]


@pytest.mark.parametrize(("estimator", "check"), checks_for(ALGORITHMS), ids=name_of)
def test_algorithm(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    ("estimator", "check"),
    [pair for pair in checks_for(UNUSUAL) if "two_processes" not in name_of(pair[1])],
    ids=name_of,
)
def test_options(estimator, check):
    check(estimator)
