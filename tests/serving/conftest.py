"""Small fitted models of each modality."""

import numpy as np
import pytest
from tests.serving.asking import frame, service_of

import ganglion as gg


@pytest.fixture(scope="session")
def mixed():
    table = frame()
    labels = np.where((table["color"] == "red") ^ (table["weight"] > 0.3), "yes", "no")
    return gg.MLPClassifier(hidden=(8,), epochs=10, random_state=0).fit(table, labels)


@pytest.fixture(scope="session")
def numbers():
    X = np.random.default_rng(0).normal(size=(80, 3))
    return gg.MLPRegressor(hidden=(4,), epochs=5, random_state=0).fit(X, X @ [1.0, -2.0, 0.5])


@pytest.fixture(scope="session")
def pictures():
    X = np.random.default_rng(0).integers(0, 255, (40, 12, 10, 3), dtype=np.uint8)
    return gg.MLPClassifier(hidden=(4,), epochs=2, random_state=0).fit(X, np.arange(40) % 2)


@pytest.fixture(scope="session")
def texts():
    X = ["a good film", "a bad film", "what a good day", "what a bad day"] * 10
    return gg.TextCNN(epochs=2, random_state=0).fit(X, ["good", "bad"] * 20)


@pytest.fixture
def table_service(mixed):
    return service_of({"mixed": mixed})
