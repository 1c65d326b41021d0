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


@pytest.mark.parametrize(("estimator", "check"), checks_for(all_algorithms().values()), ids=name_of)
def test_algorithm(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    ("estimator", "check"),
    [pair for pair in checks_for(UNUSUAL) if "two_processes" not in name_of(pair[1])],
    ids=name_of,
)
def test_options(estimator, check):
    check(estimator)
