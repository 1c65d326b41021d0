"""The variational autoencoder: what it learns of data whose law is known, its answers, its alarm."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal
from sklearn.base import clone

from ganglion.algorithms.vae import VAE
from ganglion.errors import InvalidInput, InvalidParameter, TrainingWarning

RNG = np.random.default_rng(0)
LINE = RNG.normal(size=(600, 1)) @ [[2.0, -1.0, 3.0]] + 0.3 * RNG.normal(size=(600, 3)) + [10.0, 0.0, -5.0]


@pytest.fixture(scope="module")
def line():
    model = VAE(latent=1, hidden=(32,), epochs=120, batch_size=50, learning_rate=0.01, random_state=0)
    return model.fit(LINE)


def test_the_likelihood_of_normal_data_is_nearly_the_true_one(line):
    said = line.log_likelihood(LINE, samples=300)
    true = multivariate_normal(LINE.mean(0), np.cov(LINE.T)).logpdf(LINE)
    assert said.mean() == pytest.approx(true.mean(), abs=0.15)
    assert np.corrcoef(said, true)[0, 1] > 0.9


def test_the_bound_is_below_the_likelihood(line):
    assert line.elbo(LINE).mean() < line.log_likelihood(LINE, samples=100).mean()
    assert line.score(LINE) == pytest.approx(line.elbo(LINE).mean())


def test_samples_have_the_covariance_of_the_data(line):
    samples = line.sample(4000, random_state=1)
    np.testing.assert_allclose(samples.mean(0), LINE.mean(0), atol=0.4)
    np.testing.assert_allclose(np.cov(samples.T), np.cov(LINE.T), atol=1.2)


def test_codes_go_there_and_back(line):
    codes = line.transform(LINE)
    assert abs(np.corrcoef(codes[:, 0], LINE[:, 2])[0, 1]) > 0.98
    np.testing.assert_allclose(line.inverse_transform(codes), line.reconstruct(LINE))
    between = line.interpolate(LINE[:2], steps=5)
    np.testing.assert_allclose(between[[0, -1]], line.reconstruct(LINE[:2]))
    assert between.shape == (5, 3)
    assert (np.sign(np.diff(between[:, 2])) == np.sign(between[-1, 2] - between[0, 2])).all()
    assert list(line.get_feature_names_out()) == ["vae0"]


def test_the_history_tells_of_every_unit(line):
    row = line.history_.rows[-1]
    assert row["active_units"] == 1
    assert row["kl"] == pytest.approx(row["kl_1"])
    assert line.history_.alarms == []


def test_a_mixed_frame_is_sampled_with_what_hangs_together():
    kind = RNG.choice(["left", "right"], 500)
    frame = pd.DataFrame({"place": np.where(kind == "left", -3.0, 3.0) + 0.1 * RNG.normal(size=500), "kind": kind})
    model = VAE(latent=2, hidden=(32,), epochs=60, batch_size=50, learning_rate=5e-3, random_state=0).fit(frame)
    samples = model.sample(400, random_state=0)
    assert ((samples["place"] > 0) == (samples["kind"] == "right")).mean() > 0.9
    assert 0.3 < (samples["kind"] == "left").mean() < 0.7


def test_samples_of_a_class_are_like_it():
    X = np.concatenate([LINE[:200], -LINE[:200]])
    y = np.repeat(["here", "there"], 200)
    model = VAE(latent=1, hidden=(16,), conditional=True, epochs=30, learning_rate=5e-3, random_state=0).fit(X, y)
    here, there = (model.sample(100, y=label, random_state=0) for label in ("here", "there"))
    assert here[:, 0].mean() > 5 > -5 > there[:, 0].mean()
    assert model.elbo(X, y=y).mean() > model.elbo(X, y=y[::-1]).mean()
    with pytest.raises(InvalidInput, match="depends on labels, but y is None"):
        model.transform(X)
    assert len(model.interpolate(X[:2], steps=3, y="here")) == 3


def test_images_are_drawn_as_ink_and_bytes_come_back():
    images = np.zeros((64, 6, 6), dtype=np.uint8)
    images[:32, :3], images[32:, 3:] = 255, 255
    model = VAE(latent=1, hidden=(16,), binarize=True, epochs=60, learning_rate=0.01, random_state=0).fit(images)
    samples = model.sample(20, random_state=0)
    assert samples.shape == (20, 6, 6)
    assert samples.dtype == np.uint8
    top, bottom = samples[:, :3].mean((1, 2)), samples[:, 3:].mean((1, 2))
    assert (abs(top - bottom) > 100).mean() > 0.7
    assert model.log_likelihood(images, samples=50).mean() > -5  # log 2 and what is left to learn


def test_a_collapse_is_noticed_and_kept():
    with pytest.warns(
        TrainingWarning, match=r"posterior collapse: 0 of 4 latent units .*0\.\d % .* Try beta below 1000"
    ):
        model = VAE(latent=4, hidden=(8,), beta=1000.0, epochs=40, learning_rate=0.01, random_state=0).fit(LINE)
    (alarm,) = model.history_.alarms
    assert alarm["name"] == "posterior collapse"
    assert "0 of 4" in alarm["evidence"]


def test_draws_do_not_depend_on_the_global_random_state(line):
    state = np.random.get_state()[1].copy()
    once = line.elbo(LINE[:5], random_state=3)
    np.testing.assert_array_equal(once, line.elbo(LINE[:5], random_state=3))
    assert (once != line.elbo(LINE[:5], random_state=4)).any()
    np.testing.assert_array_equal(state, np.random.get_state()[1])


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"latent": 0}, "latent"),
        ({"beta": -1.0}, "beta"),
        ({"likelihood": "poisson"}, "likelihood"),
        ({"architecture": "convolutional"}, "X is a table"),
        ({"hidden": (0,)}, "hidden"),
    ],
)
def test_options_outside_their_limits_are_refused(options, match):
    with pytest.raises(InvalidParameter, match=match):
        VAE(epochs=1).set_params(**options).fit(LINE)


@pytest.mark.parametrize(
    ("ask", "kind", "match"),
    [
        (lambda m: m.log_likelihood(LINE, samples=0), InvalidParameter, "samples=0"),
        (lambda m: m.elbo(LINE[:, :2]), ValueError, "2 features"),
        (lambda m: m.interpolate(LINE[:3]), InvalidInput, "X has 3"),
        (lambda m: m.interpolate(LINE[:2], steps=1), InvalidParameter, "steps=1"),
        (lambda m: m.inverse_transform(LINE), InvalidInput, r"Z has shape \(600, 3\)"),
        (lambda m: m.elbo(LINE, random_state="x"), InvalidParameter, "random_state='x'"),
    ],
)
def test_bad_questions_are_refused(line, ask, kind, match):
    with pytest.raises(kind, match=match):
        ask(line)


def test_no_warning_comes_from_a_plain_fit():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clone(VAE(latent=1, hidden=(8,), epochs=30, learning_rate=0.01, random_state=0)).fit(LINE)
