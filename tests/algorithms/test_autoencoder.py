"""The autoencoder: PCA's span, outliers as scikit-learn has them, penalties and corruptions that do what they say."""

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA

from ganglion.algorithms.autoencoder import Autoencoder
from ganglion.checks.comparing import saved_and_loaded
from ganglion.errors import InvalidParameter

RNG = np.random.default_rng(0)
PLANE = RNG.normal(size=(300, 2)) @ RNG.normal(size=(2, 5)) + 0.1 * RNG.normal(size=(300, 5))
STRANGE = RNG.normal(size=(20, 5)) * PLANE.std(0)


def test_without_nonlinearity_it_finds_the_span_of_pca():
    X = RNG.normal(size=(200, 6)) @ RNG.normal(size=(6, 6))
    standardised = (X - X.mean(0)) / X.std(0)
    pca = PCA(2).fit(standardised)
    model = Autoencoder(latent=2, hidden=(), optimizer="lbfgs", epochs=80, random_state=0).fit(X)
    span = model.network_.decoder[0].weight.detach().numpy()
    assert np.degrees(subspace_angles(span, pca.components_.T)).max() < 1.0
    again = pca.inverse_transform(pca.transform(standardised))
    np.testing.assert_allclose(model.reconstruction_error(X), ((standardised - again) ** 2).mean(1), atol=0.01)


@pytest.fixture(scope="module")
def plane():
    options = {"latent": 2, "hidden": (16,), "epochs": 60, "learning_rate": 0.02, "contamination": 0.05}
    return Autoencoder(**options, random_state=0).fit(PLANE)


def test_what_is_off_the_plane_is_an_outlier(plane):
    assert (plane.predict(STRANGE) == -1).mean() > 0.8
    assert (plane.predict(PLANE) == -1).sum() == 15
    np.testing.assert_array_equal(plane.fit(PLANE).predict(PLANE), plane.fit_predict(PLANE))
    np.testing.assert_allclose(plane.decision_function(PLANE), plane.score_samples(PLANE) - plane.offset_)
    np.testing.assert_allclose(plane.score_samples(PLANE), -plane.reconstruction_error(PLANE))
    assert plane.score(PLANE) == pytest.approx(-plane.reconstruction_error(PLANE).mean())


def test_the_error_is_that_of_what_is_said_again(plane):
    missed = ((plane.reconstruct(STRANGE) - STRANGE) / PLANE.std(0)) ** 2
    np.testing.assert_allclose(plane.reconstruction_error(STRANGE), missed.mean(1), rtol=1e-3)
    np.testing.assert_allclose(plane.inverse_transform(plane.transform(PLANE)), plane.reconstruct(PLANE))


def test_a_file_keeps_the_threshold(plane):
    again = saved_and_loaded(plane)
    assert again.offset_ == plane.offset_
    np.testing.assert_array_equal(again.predict(STRANGE), plane.predict(STRANGE))


def test_an_unusual_pair_of_categories_is_an_outlier():
    kind = RNG.choice(["a", "b"], 400)
    frame = pd.DataFrame({"kind": kind, "same": kind, "number": RNG.normal(size=400)})
    model = Autoencoder(latent=2, hidden=(16,), epochs=40, learning_rate=0.02, random_state=0).fit(frame)
    odd = pd.DataFrame({"kind": ["a", "a"], "same": ["a", "b"], "number": [0.0, 0.0]})
    usual, unusual = model.reconstruction_error(odd)
    assert unusual > 5 * usual


def test_sparse_codes_are_sparser():
    plain, sparse = (
        Autoencoder(latent=8, hidden=(16,), epochs=30, learning_rate=0.02, random_state=0).set_params(**options)
        for options in ({}, {"sparsity": "l1", "sparsity_weight": 0.3})
    )
    sizes = [np.abs(model.fit(PLANE).transform(PLANE)).mean() for model in (plain, sparse)]
    assert sizes[1] < 0.3 * sizes[0]
    told = {"sparsity": "kl", "sparsity_weight": 1.0, "sparsity_target": 0.1}
    rare = Autoencoder(latent=8, hidden=(16,), epochs=60, learning_rate=0.01, random_state=0, **told).fit(PLANE)
    codes = rare.transform(PLANE)
    assert ((codes > 0) & (codes < 1)).all()
    assert codes.mean() == pytest.approx(0.1, abs=0.05)


def test_contraction_makes_codes_change_less():
    def slope(strength):
        model = Autoencoder(latent=2, hidden=(16,), activation="tanh", contraction=strength, epochs=30, random_state=0)
        model = model.set_params(learning_rate=0.02).fit(PLANE)
        step = 0.01 * PLANE.std(0) * RNG.normal(size=PLANE.shape)
        return np.linalg.norm(model.transform(PLANE + step) - model.transform(PLANE), axis=1).mean()

    assert slope(0.3) < 0.7 * slope(0.0)


def test_a_denoiser_removes_noise():
    images = np.zeros((200, 8, 8), dtype=np.uint8)
    for i, (top, left) in enumerate(RNG.integers(0, 5, (200, 2))):
        images[i, top : top + 4, left : left + 4] = 255
    speckled = images.copy()
    salt = RNG.random(images.shape)
    speckled[salt < 0.1], speckled[salt > 0.9] = 0, 255
    options = {"latent": 16, "hidden": (64,), "epochs": 60, "learning_rate": 3e-3, "random_state": 0}
    trained = {"corruption": "salt_and_pepper", "corruption_level": 0.2, "loss": "cross_entropy"}
    cleaned = Autoencoder(**options, **trained).fit(images).reconstruct(speckled)
    assert cleaned.dtype == np.uint8

    def missed(said):
        return ((said.astype(float) - images) ** 2).mean()

    assert missed(cleaned) < 0.5 * missed(speckled)


def test_convolutions_read_pictures():
    images = (RNG.random((40, 9, 7)) > 0.5).astype(np.float32)
    options = {"architecture": "convolutional", "channels": 4, "latent": 3, "epochs": 3}
    model = Autoencoder(**options, random_state=0).fit(images)
    assert model.transform(images).shape == (40, 3)
    assert model.reconstruct(images).shape == images.shape


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"contraction": 0.1, "activation": "gelu"}, "identity, relu, sigmoid, tanh"),
        ({"sparsity": "kl", "code": "relu"}, r"means of units in \(0, 1\)"),
        ({"code": "gelu"}, "code='gelu': give one of"),
        ({"corruption": "masking", "corruption_level": 1.5}, "one below 1"),
        ({"contamination": 0.7}, "contamination"),
        ({"architecture": "convolutional"}, "X is a table"),
        ({"corruption": "dropout"}, "corruption"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, match):
    with pytest.raises(InvalidParameter, match=match):
        Autoencoder(epochs=1).set_params(**options).fit(PLANE)


def test_answers_need_a_fit():
    with pytest.raises(AttributeError, match="offset_ after fit"):
        Autoencoder().offset_  # noqa: B018


def test_what_only_says_data_again_makes_none():
    assert not hasattr(Autoencoder(), "sample")


def test_series_are_standardised_by_the_numbers_of_a_step():
    steps = np.linspace(0, 2 * np.pi, 24)
    phase, size = RNG.uniform(0, 6, (200, 1)), RNG.uniform(1, 2, (200, 1))
    X = np.stack([size * np.sin(steps + phase), 1000 + 50 * size * np.cos(steps + phase)], axis=2)
    options = {"latent": 3, "hidden": (), "optimizer": "lbfgs", "epochs": 60, "random_state": 0}
    model = Autoencoder(**options).fit(X)
    entry = model.network_.input
    np.testing.assert_allclose(entry.center.flatten(), X.mean((0, 1)), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(1 / entry.factor.flatten(), X.std((0, 1)), rtol=1e-6)
    again = model.reconstruct(X)
    assert again.shape == X.shape
    missed = (((again - X) / X.std((0, 1))) ** 2).mean((1, 2))
    np.testing.assert_allclose(model.reconstruction_error(X), missed, rtol=1e-3, atol=1e-6)
    assert missed.mean() < 1e-3  # two directions span all phases
    far = X[:1] + np.array([8.0, 0.0])  # beyond the range of training, which no clamp may hide
    assert model.reconstruction_error(far)[0] > 10 * missed.max()
    np.testing.assert_array_equal(saved_and_loaded(model).reconstruction_error(far), model.reconstruction_error(far))


@pytest.mark.parametrize("options", [{"loss": "cross_entropy"}, {"corruption": "salt_and_pepper"}])
def test_what_is_for_pixels_is_refused_of_series(options):
    with pytest.raises(InvalidParameter, match="Scale X to"):
        Autoencoder(**options).fit(RNG.normal(size=(20, 5, 2)))


def test_trimmed_does_not_learn_outliers():
    far = RNG.normal(size=(30, 1)) * np.array([0.0, 0.0, 0.0, 0.0, 20.0])
    flat = PLANE.copy()
    flat[:, 4] = flat[:, :2].sum(1)
    X = np.vstack([flat, far])
    options = {"latent": 2, "hidden": (), "epochs": 100, "learning_rate": 0.1, "random_state": 0}
    plain, trimmed = (Autoencoder(trimmed=share, **options).fit(X).reconstruction_error(X) for share in (0.0, 0.3))
    assert np.median(plain[-30:]) < 3 * np.median(plain[:-30])  # the far ones are said as well as the others
    assert np.median(trimmed[-30:]) > 10 * np.median(trimmed[:-30])
