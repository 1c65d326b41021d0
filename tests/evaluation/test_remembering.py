"""How far back networks look: gradients by hand, Elman's that vanish, and an LSTM's that do not."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

import ganglion as gg
from ganglion.algorithms.rnn import RNNClassifier, RNNRegressor
from ganglion.errors import InvalidInput
from ganglion.evaluation.remembering import gradient_norms, plot_gradients

RNG = np.random.default_rng(0)
WALKS = [RNG.normal(size=(length, 2)) for length in (4, 6, 3, 6)] * 5


@pytest.fixture(scope="module")
def regressor():
    return RNNRegressor(cell="elman", bidirectional=False, epochs=1, random_state=0).fit(WALKS, range(20))


def test_norms_are_those_of_the_gradient_by_each_step(regressor):
    found = gradient_norms(regressor, WALKS[:2])
    assert found.shape == (6,)
    network, sums, counts = regressor.network_, np.zeros(6), np.zeros(6)
    for walk in WALKS[:2]:
        given = {"sequence": torch.from_numpy(walk)[None], "sequence_length": torch.tensor([len(walk)])}
        steps = network.input(network.prepare(given))
        x = steps.x.clone().requires_grad_()
        (slope,) = torch.autograd.grad(network.body(type(steps)(x, steps.lengths)).sum(), x)
        norms = slope[0].norm(dim=1).numpy()[::-1]
        sums[: len(norms)] += norms
        counts[: len(norms)] += 1
    np.testing.assert_allclose(found, sums / counts, rtol=1e-5)


def adding(n: int, length: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers, two of them marked, and the sum of these two: Hochreiter & Schmidhuber 1997, section 5.4."""
    rng = np.random.default_rng(seed)
    X, rows = np.zeros((n, length, 2), dtype=np.float32), np.arange(n)
    X[..., 0] = rng.random((n, length))
    places = rng.integers(0, length // 2, n), rng.integers(length // 2, length, n)
    for place in places:
        X[rows, place, 1] = 1
    return X, X[rows, places[0], 0] + X[rows, places[1], 0]


def test_elman_forgets_and_lstm_adds_over_a_hundred_steps():
    (X, y), (X_test, y_test) = adding(2000, 100, 0), adding(200, 100, 1)
    options = {"bidirectional": False, "width": 24, "batch_size": 50, "learning_rate": 0.015, "random_state": 0}
    cells = ("elman", "lstm")
    models = {cell: RNNRegressor(cell=cell, epochs=9, threads=1, **options).fit(X, y) for cell in cells}
    error = {name: float(np.mean((model.predict(X_test) - y_test) ** 2)) for name, model in models.items()}
    assert error["elman"] > 0.9 * y_test.var()  # no better than the mean
    assert error["lstm"] < 0.02
    elman, lstm = (gradient_norms(model, X_test) for model in models.values())
    assert elman[50] < 1e-4 * elman[0]
    assert lstm[50] > 0.1 * lstm[0]
    chart = plot_gradients(models, X_test)
    assert "norm of the gradient (log scale)" in chart.svg
    assert "elman" in chart.svg
    assert "lstm" in chart.svg


def test_texts_and_taggers_have_gradients_too():
    texts = ["a good film", "a bad film", "so good"] * 10
    model = RNNClassifier(width=4, embedding=4, epochs=1, random_state=0).fit(texts, [1, 0, 1] * 10)
    assert gradient_norms(model, texts).shape == (3,)
    words = [text.split() for text in texts]
    tagger = gg.RNNTagger(width=4, epochs=1, random_state=0).fit(words, [["x", "y", "z"][: len(w)] for w in words])
    assert (gradient_norms(tagger, words) > 0).all()


def test_the_network_is_left_as_it_was(regressor):
    before = regressor.predict(WALKS)
    gradient_norms(regressor, WALKS)
    assert not regressor.network_.input._forward_hooks
    np.testing.assert_array_equal(regressor.predict(WALKS), before)


def test_what_has_no_steps_is_refused():
    with pytest.raises(InvalidInput, match="RNNRegressor is not fitted yet"):
        plot_gradients(RNNRegressor(), WALKS)
    table = gg.MLPRegressor(hidden=(2,), epochs=1).fit(np.zeros((20, 2)) + np.arange(20)[:, None], np.arange(20.0))
    with pytest.raises(InvalidInput, match="MLPRegressor reads no sequences"):
        plot_gradients({"mlp": table}, np.zeros((3, 2)))
    with pytest.raises(InvalidInput, match="there is no model to draw"):
        plot_gradients({}, WALKS)
    with pytest.raises(InvalidInput, match="SimpleNamespace is not fitted"):
        plot_gradients(SimpleNamespace(), WALKS)
