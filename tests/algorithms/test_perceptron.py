"""Rosenblatt's rule: the steps of scikit-learn's, the bound of Novikoff, and a trace that tells it all."""

import numpy as np
import pytest
import sklearn.linear_model
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, make_blobs

from ganglion.algorithms.perceptron import Perceptron
from ganglion.errors import InvalidParameter
from ganglion.estimators.artifact import load

IRIS, SPECIES = load_iris(return_X_y=True)


def weights(model: Perceptron) -> tuple[np.ndarray, np.ndarray]:
    unit = model.network_.body[-1]
    return unit.weight.detach().numpy(), unit.bias.detach().numpy()


def with_one(X: np.ndarray) -> np.ndarray:
    return np.column_stack([X, np.ones(len(X))])


DATA = {
    "iris": (IRIS, SPECIES),
    "two of iris": (IRIS[50:], SPECIES[50:]),
    "cancer": load_breast_cancer(return_X_y=True),
    "digits": load_digits(return_X_y=True),
    "blobs": make_blobs(400, centers=2, n_features=3, cluster_std=4, random_state=0),
    "numbers that cannot be split": (np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 2),
}


@pytest.mark.parametrize("epochs", [1, 7])
@pytest.mark.parametrize("rate", [1.0, 0.25])
@pytest.mark.parametrize("name", DATA)
def test_same_steps_as_scikit_learn(name, rate, epochs):
    X, y = DATA[name]
    ours = Perceptron(shuffle=False, epochs=epochs, learning_rate=rate).fit(X, y)
    theirs = sklearn.linear_model.Perceptron(shuffle=False, tol=None, max_iter=epochs, eta0=rate).fit(X, y)
    coefficients, biases = weights(ours)
    np.testing.assert_allclose(coefficients, theirs.coef_, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(biases, theirs.intercept_, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), rtol=1e-6, atol=1e-6)


@st.composite
def separable(draw):
    """Points with a margin around a hyperplane through a space of (x, 1)."""
    n, d = draw(st.integers(2, 30)), draw(st.integers(1, 4))
    numbers = st.floats(-10, 10).map(lambda value: round(value, 3))
    u = draw(arrays("float64", d + 1, elements=numbers))
    assume(np.linalg.norm(u[:d]) > 0.1)
    u = u / np.linalg.norm(u)
    X = draw(arrays("float64", (n, d), elements=numbers))
    scores = with_one(X) @ u
    margin = draw(st.sampled_from([0.2, 0.5, 1.0]))
    kept = np.abs(scores) >= margin
    y = (scores > 0).astype(int)[kept]
    assume(len(np.unique(y)) == 2)
    return X[kept], y, u


@settings(max_examples=60, deadline=None)
@given(problem=separable(), seed=st.integers(0, 3), shuffle=st.booleans(), rate=st.sampled_from([1.0, 0.1, 3.0]))
def test_the_bound_of_novikoff(problem, seed, shuffle, rate):
    X, y, u = problem
    margin = (np.where(y == 1, 1, -1) * (with_one(X) @ u)).min()
    bound = (np.linalg.norm(with_one(X), axis=1).max() / margin) ** 2
    model = Perceptron(epochs=int(bound) + 2, shuffle=shuffle, learning_rate=rate, random_state=seed).fit(X, y)
    corrections = sum(abs(correction.amount) for correction in model.trace_) / rate
    assert model.converged_
    assert corrections <= bound + 1e-6
    assert model.score(X, y) == 1
    assert model.history_["loss"][-1] == 0


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("name", ["iris", "two of iris", "blobs"])
def test_the_trace_replays_to_the_final_weights(name, shuffle):
    X, y = DATA[name]
    model = Perceptron(shuffle=shuffle, epochs=5, random_state=1).fit(X, y)
    replayed = np.zeros((len(weights(model)[0]), X.shape[1] + 1))
    positive = [1] if len(replayed) == 1 else list(range(len(replayed)))
    classes = np.unique(y)
    for correction in model.trace_:
        sign = 1 if y[correction.sample] == classes[positive[correction.unit]] else -1
        assert np.sign(correction.amount) == sign
        assert sign * (with_one(X)[correction.sample] @ replayed[correction.unit]) <= 1e-9  # it was wrong just then
        replayed[correction.unit] += correction.amount * with_one(X)[correction.sample]
    np.testing.assert_allclose(replayed, np.column_stack(weights(model)), rtol=1e-9, atol=1e-9)
    epochs = [correction.epoch for correction in model.trace_]
    assert max(epochs) <= 5
    if len(replayed) == 1:
        assert epochs == sorted(epochs)


@pytest.mark.parametrize("shuffle", [False, True])
def test_the_trace_names_the_samples_as_they_were_given(shuffle):
    X, y = DATA["two of iris"]
    weight = np.where(np.arange(100) % 3 == 0, 0.0, 1.0)
    model = Perceptron(shuffle=shuffle, epochs=5, random_state=1).fit(X, y, sample_weight=weight)
    assert all(weight[correction.sample] == 1 for correction in model.trace_)
    replayed = sum(correction.amount * with_one(X)[correction.sample] for correction in model.trace_)
    np.testing.assert_allclose(replayed, np.column_stack(weights(model))[0], rtol=1e-9)


@given(times=arrays("int64", 30, elements=st.integers(0, 4)))
@settings(max_examples=25, deadline=None)
def test_a_weight_of_k_is_k_presentations_in_a_row(times):
    X, y = DATA["numbers that cannot be split"][0][:30], np.arange(30) % 2
    assume(len(np.unique(y[times > 0])) == 2)
    weighted = Perceptron(shuffle=False, epochs=4).fit(X, y, sample_weight=times)
    repeated = Perceptron(shuffle=False, epochs=4).fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    for one, other in zip(weights(weighted), weights(repeated), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


def test_a_part_of_a_presentation_corrects_by_that_part():
    model = Perceptron(shuffle=False, epochs=1).fit([[1.0], [-1.0]], [1, 0], sample_weight=[0.5, 2.0])
    assert [correction.amount for correction in model.trace_] == [0.5, -1.0]


def test_class_weight_is_presentations_too():
    X, y = DATA["numbers that cannot be split"]
    by_class = Perceptron(shuffle=False, epochs=3, class_weight={0: 1.0, 1: 3.0}).fit(X, y)
    by_sample = Perceptron(shuffle=False, epochs=3).fit(X, y, sample_weight=np.where(y == 1, 3.0, 1.0))
    np.testing.assert_array_equal(weights(by_class)[0], weights(by_sample)[0])


def test_the_learning_rate_scales_the_weights_and_decides_nothing():
    X, y = DATA["blobs"]
    one, other = (Perceptron(learning_rate=rate, random_state=0, epochs=10).fit(X, y) for rate in (1.0, 8.0))
    np.testing.assert_allclose(weights(other)[0], 8 * weights(one)[0], rtol=1e-12)
    np.testing.assert_array_equal(one.predict(X), other.predict(X))


def test_the_order_of_rows_does_not_matter_when_they_are_shuffled():
    X, y = DATA["blobs"]
    back = np.random.default_rng(0).permutation(len(X))
    one = Perceptron(random_state=3, epochs=5).fit(X, y)
    other = Perceptron(random_state=3, epochs=5).fit(X[back], y[back])
    np.testing.assert_array_equal(weights(one)[0], weights(other)[0])


def test_converged_says_whether_the_data_are_separated():
    separated = Perceptron(random_state=0).fit(IRIS, SPECIES == 0)
    assert separated.converged_
    assert separated.history_.stopped == "an epoch without a mistake"
    assert separated.trace_[-1].epoch == len(separated.history_) - 1
    mixed = Perceptron(random_state=0, epochs=6).fit(*DATA["numbers that cannot be split"])
    assert not mixed.converged_
    assert mixed.history_.stopped == "all epochs done"
    assert len(mixed.history_) == 6
    mistakes = [sum(correction.epoch == epoch for correction in mixed.trace_) for epoch in range(1, 7)]
    np.testing.assert_allclose(mixed.history_["loss"], np.array(mistakes) / 60)


def test_logical_functions():
    X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    for y in ([0, 0, 0, 1], [0, 1, 1, 1], [1, 1, 1, 0], [0, 0, 1, 1]):
        model = Perceptron(random_state=0).fit(X, y)
        assert model.predict(X).tolist() == y
        assert model.converged_
    assert not Perceptron(random_state=0, epochs=50).fit(X, [0, 1, 1, 0]).converged_  # Minsky & Papert 1969


@pytest.mark.parametrize("separated", [True, False])
def test_a_loaded_one_knows_whether_the_data_were_separated(separated, tmp_path):
    model = Perceptron(random_state=0, epochs=50).fit(IRIS, (0 if separated else 1) == SPECIES)
    model.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert isinstance(loaded, Perceptron)
    assert loaded.converged_ == model.converged_ == separated


def test_it_learns_images():
    digits = load_digits()
    model = Perceptron(random_state=0, epochs=20).fit(digits.images.astype("uint8"), digits.target)
    assert model.modality_ == "image"
    assert model.score(digits.images.astype("uint8"), digits.target) > 0.93


def test_it_has_no_probabilities_and_no_options_of_gradients():
    assert not hasattr(Perceptron(), "predict_proba")
    assert not {"optimizer", "schedule", "loss", "batch_size"} & set(Perceptron().get_params())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"epochs": 0}, r"Perceptron\(epochs=0\): epochs is an integer at least 1"),
        ({"learning_rate": 0.0}, "learning_rate is a number above 0"),
        ({"shuffle": "yes"}, "shuffle is True or False"),
    ],
)
def test_options_are_checked(options, words):
    with pytest.raises(InvalidParameter, match=words):
        Perceptron(**options).fit(IRIS, SPECIES)
