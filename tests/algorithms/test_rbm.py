"""Restricted Boltzmann machines: what they learn, what they say of data, resuming, alarms, bad input."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.neural_network import BernoulliRBM

import ganglion as gg
from ganglion.algorithms.rbm import RBM
from ganglion.errors import GanglionError, InvalidInput, InvalidParameter, TrainingWarning
from ganglion.estimators.boltzmann import alarms_of
from ganglion.training.checkpoint import Checkpoints

# trained in moments, most of these are not worth their samples yet, and say so
pytestmark = pytest.mark.filterwarnings("ignore:(mode collapse|dead hidden units)")

BARS = np.repeat([[1, 1, 0, 0, 1, 1], [0, 0, 1, 1, 0, 0]], 40, axis=0).astype(float)
DIGITS = (load_digits().images[:400] * 15).astype(np.uint8)
BLACK_AND_WHITE = np.where(DIGITS > 110, 255, 0).astype(np.uint8)
QUICK = {"units": 8, "epochs": 20, "random_state": 0}
BINARY = QUICK | {"visible": "bernoulli"}


def test_two_patterns_take_half_of_the_mass_each():
    model = RBM(units=3, visible="bernoulli", persistent=True, epochs=400, learning_rate=0.1, random_state=0).fit(BARS)
    likelihoods = np.exp(model.score_samples(BARS[[0, -1]]) - model.log_partition().value)
    assert likelihoods.min() > 0.2
    assert likelihoods.sum() < 1
    assert model.log_likelihood(BARS).value == pytest.approx(np.log(likelihoods).mean(), abs=1e-6)
    dreamt = np.rint(model.sample(200, random_state=0))
    assert np.mean([any((row == bar).all() for bar in BARS[[0, -1]]) for row in dreamt]) > 0.5


def test_scikit_learns_machine_and_ours_agree_at_the_same_weights():
    theirs = BernoulliRBM(n_components=5, n_iter=5, random_state=0).fit(BARS)
    ours = RBM(units=5, visible="bernoulli", epochs=1).fit(BARS)
    with torch.no_grad():
        for own, other in zip(
            ours.machine_.parameters(),
            (theirs.components_, theirs.intercept_visible_, theirs.intercept_hidden_),
            strict=True,
        ):
            own.copy_(torch.from_numpy(other))
    np.testing.assert_allclose(ours.transform(BARS), theirs.transform(BARS), rtol=1e-6)
    np.testing.assert_allclose(ours.free_energy(BARS), theirs._free_energy(BARS), rtol=1e-6)


def test_learns_as_much_as_scikit_learns_machine():
    X = (DIGITS.reshape(-1, 64) > 100).astype(float)
    settings = {"learning_rate": 0.05, "batch_size": 20, "random_state": 0}
    theirs = BernoulliRBM(n_components=12, n_iter=15, **settings).fit(X)
    ours = RBM(units=12, visible="bernoulli", epochs=15, persistent=True, chains=20, schedule="constant", **settings)
    ours.set_params(optimizer="sgd(momentum=0.0)").fit(X)
    likelihood = ours.log_likelihood(X).value
    with torch.no_grad():
        for own, other in zip(
            ours.machine_.parameters(),
            (theirs.components_, theirs.intercept_visible_, theirs.intercept_hidden_),
            strict=True,
        ):
            own.copy_(torch.from_numpy(other))
    assert likelihood > ours.log_likelihood(X).value


def test_exact_and_annealed_partition_agree():
    model = RBM(**QUICK | {"units": 10}).fit(DIGITS)
    exact, annealed = model.log_partition("exact"), model.log_partition("ais", steps=2000)
    assert exact.low == exact.value == exact.high
    assert annealed.low < annealed.value < annealed.high
    assert abs(exact.value - annealed.value) < 0.3
    assert model.log_partition("ais", steps=50) == model.log_partition("ais", steps=50)
    assert model.log_partition("ais", steps=50) != model.log_partition("ais", steps=50, random_state=1)
    assert model.log_partition() == exact


def test_gaussian_units_know_the_deviation_of_the_data():
    X = np.random.default_rng(0).normal([3, -5], [2, 0.1], size=(400, 2))
    model = RBM(units=2, epochs=30, random_state=0).fit(X)
    drawn = model.sample(4000, random_state=0)
    np.testing.assert_allclose(drawn.mean(0), [3, -5], atol=0.2)
    np.testing.assert_allclose(drawn.std(0), [2, 0.1], rtol=0.15)
    assert model.log_likelihood(X).value == pytest.approx(-math.log(2 * math.pi) - 1, abs=0.1)  # standard normal


def test_mixed_columns_come_back_in_their_frame():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"size": rng.normal(size=90), "kind": rng.choice(["x", "y", "z"], 90), "on": rng.random(90) > 0.5}
    )
    model = RBM(**QUICK).fit(frame)
    for made in (model.sample(5, random_state=0), model.gibbs(frame[:5], 3), model.inverse_transform(np.ones((5, 8)))):
        assert list(made.columns) == list(frame.columns)
        assert set(made["kind"]) <= {"x", "y", "z"}
        assert made["on"].dtype == bool


def test_transform_is_not_random_and_inverse_gives_means():
    model = RBM(**QUICK).fit(DIGITS)
    H = model.transform(DIGITS)
    np.testing.assert_array_equal(H, model.transform(DIGITS))
    assert H.shape == (400, 8)
    assert model.get_feature_names_out().tolist() == [f"rbm{i}" for i in range(8)]
    again = model.inverse_transform(H)
    assert again.shape == DIGITS.shape
    assert again.dtype == np.uint8
    blank = np.full_like(DIGITS, DIGITS.mean(0))
    errors = [np.square(DIGITS - guess.astype(float)).mean() for guess in (again, blank)]
    assert errors[0] < errors[1]


def test_gibbs_follows_its_seed():
    model = RBM(**QUICK).fit(DIGITS)
    one, same, other = (model.gibbs(DIGITS[:9], 2, random_state=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    assert set(np.unique(one)) <= {0, 255}


def test_binarize_draws_pixels_anew():
    grey = np.full((300, 4, 4), 128, dtype=np.uint8)
    model = RBM(units=2, epochs=5, binarize=True, random_state=0).fit(grey)
    assert model.history_["loss"][-1] != RBM(units=2, epochs=5, random_state=0).fit(grey).history_["loss"][-1]


def test_sparsity_brings_units_to_their_target():
    settings = {"units": 16, "epochs": 60, "learning_rate": 0.1, "random_state": 0}
    plain = RBM(**settings).fit(DIGITS)
    sparse = RBM(**settings, sparsity_target=0.1, sparsity_cost=10.0).fit(DIGITS)
    often = [model.transform(DIGITS).mean() for model in (plain, sparse)]
    assert abs(often[1] - 0.1) < 0.05 < abs(often[0] - 0.1)


@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize("step", [3, 20, 31])
def test_killed_and_resumed_to_the_same_bits(tmp_path, persistent, step):
    options = QUICK | {"epochs": 3, "batch_size": 32, "persistent": persistent, "chains": 10, "binarize": True}
    whole = RBM(**options).fit(DIGITS, checkpoint=Checkpoints(folder=tmp_path, seconds=None, steps=1, keep=100))
    resumed = RBM(**options).fit(DIGITS, resume=tmp_path / f"step-{step:012d}.checkpoint", checkpoint=tmp_path / "new")
    for name, tensor in whole.network_.state_dict().items():
        assert torch.equal(tensor, resumed.network_.state_dict()[name]), name
    assert len(whole.machine_.chain) == (10 if persistent else 0)
    assert whole.history_["loss"] == resumed.history_["loss"]


def test_saved_machine_dreams_on(tmp_path):
    model = RBM(**QUICK, persistent=True).fit(DIGITS)
    model.save(tmp_path / "rbm.ganglion")
    loaded = gg.load(tmp_path / "rbm.ganglion")
    np.testing.assert_array_equal(loaded.sample(3, random_state=0), model.sample(3, random_state=0))
    assert loaded.log_partition() == model.log_partition()


def test_history_watches_held_out_rows():
    model = RBM(**QUICK, validation_fraction=0.25).fit(DIGITS)
    for name in ("free_energy_gap", "free_energy_deviation", "dead_units"):
        assert len(model.history_[name]) == 20
    assert model.history_.stopped == "all epochs done"
    assert model.history_.best_epoch is None
    assert "free_energy_gap" not in RBM(**QUICK).fit(DIGITS).history_.rows[0]


def test_alarm_of_a_machine_that_knows_its_rows_by_heart():
    options = {"units": 200, "epochs": 300, "learning_rate": 0.1, "batch_size": 20, "k": 1}
    with pytest.warns(TrainingWarning, match=r"overfitting by free energy.*Try fewer hidden units"):
        model = RBM(**options, validation_fraction=0.5, random_state=0).fit(BLACK_AND_WHITE[:60])
    assert model.history_.alarms[0]["name"] == "overfitting by free energy"


def test_alarm_of_chains_that_left_the_data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 20)) @ rng.normal(size=(20, 20))
    with pytest.warns(TrainingWarning, match=r"diverging free-energy gap.*Try a learning rate ten times smaller"):
        RBM(units=32, epochs=20, learning_rate=0.3, batch_size=20, random_state=0).fit(X)


def test_alarm_of_units_that_a_large_rate_has_killed():
    with pytest.warns(TrainingWarning, match="dead hidden units: 32 of 32 hidden units have the same chance"):
        RBM(units=32, epochs=5, learning_rate=5.0, batch_size=20, random_state=0).fit(DIGITS)


def test_alarm_of_dead_units():
    row = {"loss": 0.1, "free_energy_deviation": 3.0, "dead_units": 5, "step": 100}
    assert [name for name, _, _ in alarms_of(row, 10)] == ["dead hidden units"]
    assert not alarms_of(row, 100)
    assert not alarms_of(row | {"step": 10}, 10)


def test_a_gap_that_few_held_out_rows_explain_is_no_alarm():
    row = {"loss": 0.1, "free_energy_deviation": 3.0, "dead_units": 0, "step": 100, "free_energy_gap": 2.5}
    assert [name for name, _, _ in alarms_of(row, 10)] == ["overfitting by free energy"]
    assert not alarms_of(row | {"free_energy_gap_error": 1.5}, 10)


def test_alarm_of_dreams_that_are_all_alike():
    """Without weights every sample is the mean of the data."""
    with pytest.warns(TrainingWarning, match=r"mode collapse: what is made is all alike.*Try more epochs"):
        RBM(units=8, epochs=3, batch_size=20, learning_rate=1e-6, random_state=0).fit(DIGITS)


@pytest.mark.parametrize("options", [{}, {"persistent": True}, {"k": 3}, {"units": 64}])
def test_healthy_machines_raise_no_alarm(options):
    able = {"units": 40, "epochs": 60, "learning_rate": 0.3}
    model = RBM(**QUICK | able | options, validation_fraction=0.2).fit(BLACK_AND_WHITE)
    assert model.history_.alarms == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": 0}, "units"),
        ({"visible": "binary"}, "visible"),
        ({"k": 0}, "k"),
        ({"sparsity_target": 1.5}, "sparsity_target"),
        ({"optimizer": "sdg"}, "sdg"),
    ],
)
def test_bad_options_are_refused_before_training(options, message):
    with pytest.raises(GanglionError, match=message):
        RBM(**options).fit(BARS)


def test_bad_questions_are_refused():
    model = RBM(units=23, visible="bernoulli", epochs=1).fit(np.tile(BARS, 4))
    with pytest.raises(InvalidParameter, match=r"2\^23 states; up to 22 .*Take method='ais'"):
        model.log_partition("exact")
    with pytest.raises(InvalidParameter, match="'auto', 'exact' and 'ais'"):
        model.log_partition("guess")
    with pytest.raises(InvalidParameter, match="runs=0"):
        model.log_partition("ais", runs=0)
    with pytest.raises(InvalidParameter, match="steps"):
        model.gibbs(np.tile(BARS, 4)[:2], 0)
    with pytest.raises(InvalidInput, match=r"\(n_samples, 23\).*\(2, 3\)"):
        model.inverse_transform(np.ones((2, 3)))
    with pytest.raises(InvalidInput, match="finite"):
        model.inverse_transform(np.full((2, 23), np.nan))
    with pytest.raises(GanglionError, match="fit"):
        RBM().log_partition()
