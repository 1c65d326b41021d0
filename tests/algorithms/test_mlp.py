"""The multi-layer perceptron: without hidden layers it is a generalised linear model; with them it learns."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, make_moons
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge
from sklearn.metrics import r2_score
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_sample_weight

from ganglion.algorithms.mlp import MLPClassifier, MLPRegressor
from ganglion.errors import InvalidInput, InvalidParameter, TrainingDiverged
from ganglion.networks.activations import ACTIVATIONS
from ganglion.networks.mlp import BatchNorm
from ganglion.training.losses import CLASSIFICATION, REGRESSION, Huber
from ganglion.training.optimizers import OPTIMIZERS

IRIS, SPECIES = load_iris(return_X_y=True)
IRIS = StandardScaler().fit_transform(IRIS)
CANCER, BENIGN = load_breast_cancer(return_X_y=True)
CANCER = StandardScaler().fit_transform(CANCER)
SICK, PROGRESS = load_diabetes(return_X_y=True)
SICK = StandardScaler().fit_transform(SICK)
MOONS, SIDE = make_moons(200, noise=0.2, random_state=0)

# L-BFGS to the bottom, on the numbers as they are, so that what is lowered is exactly the textbook's sum
LINEAR = {
    "hidden": (),
    "scaling": "none",
    "optimizer": "lbfgs",
    "schedule": "constant",
    "epochs": 100,
    "random_state": 0,
}


def quick(**options):
    return {"hidden": (16,), "epochs": 60, "learning_rate": 0.02, "random_state": 0} | options


# an MLP without hidden layer is a GLM


@pytest.mark.parametrize("weight_decay", [1e-3, 0.1])
@pytest.mark.parametrize(("X", "y"), [(CANCER, BENIGN), (IRIS, SPECIES)], ids=["binary", "multiclass"])
def test_without_hidden_layer_it_is_logistic_regression(X, y, weight_decay):
    ours = MLPClassifier(**LINEAR, weight_decay=weight_decay).fit(X, y)
    theirs = LogisticRegression(C=1 / (weight_decay * len(X)), tol=1e-10, max_iter=10_000).fit(X, y)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-5)
    np.testing.assert_allclose(ours.network_.body[0].weight.detach(), theirs.coef_, atol=1e-4)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 3.0, 1: 0.5}], ids=str)
def test_weights_are_those_of_logistic_regression(class_weight):
    weight = np.random.default_rng(0).integers(1, 4, len(CANCER)).astype(float)
    ours = MLPClassifier(**LINEAR, weight_decay=0.01, class_weight=class_weight).fit(
        CANCER, BENIGN, sample_weight=weight
    )
    # scikit-learn adds where Ganglion takes the mean: the penalty counts beside weights of 1 on average
    both = weight * (1 if class_weight is None else compute_sample_weight(class_weight, BENIGN))
    theirs = LogisticRegression(C=1 / (0.01 * len(CANCER)), tol=1e-10, max_iter=10_000)
    theirs.fit(CANCER, BENIGN, sample_weight=both / both.mean())
    np.testing.assert_allclose(ours.predict_proba(CANCER), theirs.predict_proba(CANCER), atol=1e-5)


def test_a_class_weight_equals_sample_weights():
    by_class = MLPClassifier(**quick(scaling="none", class_weight={0: 2.0, 1: 1.0, 2: 5.0})).fit(IRIS, SPECIES)
    by_sample = MLPClassifier(**quick(scaling="none")).fit(
        IRIS, SPECIES, sample_weight=np.array([2.0, 1.0, 5.0])[SPECIES]
    )
    np.testing.assert_allclose(by_class.predict_proba(IRIS), by_sample.predict_proba(IRIS), atol=1e-9)
    assert (
        np.abs(by_class.predict_proba(IRIS) - MLPClassifier(**quick()).fit(IRIS, SPECIES).predict_proba(IRIS)).max()
        > 0.05
    )


@pytest.mark.parametrize("alpha", [1e-3, 1.0, 100.0])
def test_without_hidden_layer_it_is_ridge_regression(alpha):
    ours = MLPRegressor(**LINEAR, weight_decay=2 * alpha / len(SICK)).fit(SICK, PROGRESS)
    theirs = Ridge(alpha).fit(SICK, PROGRESS)
    np.testing.assert_allclose(ours.predict(SICK), theirs.predict(SICK), atol=1e-3)


def test_several_targets_are_as_many_ridges():
    y = np.column_stack([PROGRESS, -PROGRESS * 3 + SICK[:, 0] * 50, SICK[:, 2] ** 2])
    # in units of each target's deviation the mean over three targets weighs each by a third
    ours = MLPRegressor(**LINEAR, weight_decay=2 * 1.0 / (3 * len(SICK))).fit(SICK, y)
    theirs = Ridge(1.0).fit(SICK, y).predict(SICK)
    np.testing.assert_allclose(ours.predict(SICK) / y.std(0), theirs / y.std(0), atol=1e-4)


def test_without_hidden_layer_it_is_poisson_regression():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    y = rng.poisson(np.exp(0.5 * X[:, 0] - 0.8 * X[:, 1] + 1))
    ours = MLPRegressor(**LINEAR, loss="poisson", weight_decay=0.01).fit(X, y)
    theirs = PoissonRegressor(alpha=0.01, tol=1e-10, max_iter=1000).fit(X, y)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-4)


def test_several_labels_are_as_many_logistic_regressions():
    y = np.stack([IRIS[:, 0] + IRIS[:, 1] ** 2 > 0.7, IRIS[:, 2] * IRIS[:, 3] > 0.4], axis=1).astype(int)
    ours = MLPClassifier(**LINEAR, weight_decay=0.05).fit(IRIS, y)
    for label in range(2):
        theirs = LogisticRegression(C=1 / (0.05 * len(IRIS)), tol=1e-10, max_iter=10_000).fit(IRIS, y[:, label])
        np.testing.assert_allclose(ours.predict_proba(IRIS)[:, label], theirs.predict_proba(IRIS)[:, 1], atol=1e-5)


# what the options do


@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name != "identity"])
def test_every_activation_bends_the_boundary(activation):
    model = MLPClassifier(**quick(activation=activation, epochs=400, learning_rate=0.1, weight_decay=0.0)).fit(
        MOONS, SIDE
    )
    assert model.score(MOONS, SIDE) > 0.9  # no straight line does better than 0.88


def test_identity_does_not():
    model = MLPClassifier(**quick(activation="identity", epochs=300)).fit(MOONS, SIDE)
    assert 0.8 < model.score(MOONS, SIDE) < 0.9


@pytest.mark.parametrize("normalization", ["batch", "layer"])
@pytest.mark.parametrize("residual", [False, True])
def test_normalizations_and_shortcuts_learn(normalization, residual):
    model = MLPClassifier(
        **quick(hidden=(16, 16, 16), normalization=normalization, residual=residual, weight_decay=0.0, epochs=200)
    ).fit(MOONS, SIDE)
    assert model.score(MOONS, SIDE) > 0.93
    kinds = {type(part) for part in model.network_.modules()}
    assert ({"batch": BatchNorm, "layer": torch.nn.LayerNorm}[normalization] in kinds) is True


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", ["constant", "one_cycle"])
def test_every_optimizer_learns_at_its_own_rate(optimizer, schedule):
    model = MLPClassifier(hidden=(16,), optimizer=optimizer, schedule=schedule, weight_decay=0.0, epochs=200)
    model.set_params(random_state=0, learning_rate=0.01 if optimizer == "muon" else "auto")
    assert model.fit(IRIS, SPECIES).score(IRIS, SPECIES) > 0.85
    assert model.history_["loss"][-1] < 0.7 * model.history_["loss"][0]


def test_dropout_is_off_at_prediction():
    model = MLPClassifier(**quick(dropout=0.5)).fit(IRIS, SPECIES)
    np.testing.assert_array_equal(model.predict_proba(IRIS), model.predict_proba(IRIS))
    assert not model.network_.training
    without = MLPClassifier(**quick()).fit(IRIS, SPECIES)
    assert model.history_["loss"][-1] > without.history_["loss"][-1]


@pytest.mark.parametrize("loss", [*CLASSIFICATION, "cross_entropy(label_smoothing=0.1)", "focal(gamma=0.5)"])
@pytest.mark.parametrize("y", [SPECIES, BENIGN], ids=["multiclass", "binary"])
def test_every_loss_for_classes(loss, y):
    X = IRIS if len(y) == len(IRIS) else CANCER
    assert MLPClassifier(**quick(loss=loss)).fit(X, y).score(X, y) > 0.93


def test_label_smoothing_keeps_probabilities_from_the_ends():
    options = quick(hidden=(), optimizer="lbfgs", learning_rate=1.0, epochs=100)
    plain = MLPClassifier(**options).fit(IRIS, SPECIES == 0).predict_proba(IRIS)
    smooth = (
        MLPClassifier(**options, loss="cross_entropy(label_smoothing=0.2)").fit(IRIS, SPECIES == 0).predict_proba(IRIS)
    )
    assert plain.max() > 0.999
    assert 0.85 < smooth.max() < 0.99


@pytest.mark.parametrize("loss", [loss for loss in REGRESSION if loss != "poisson"])
def test_every_loss_for_numbers(loss):
    model = MLPRegressor(**quick(loss=loss, epochs=40, batch_size=64)).fit(SICK, PROGRESS)
    assert r2_score(PROGRESS, model.predict(SICK)) > 0.35


def test_mean_and_median_of_a_skewed_target():
    """Without features the best answer is the mean for mse, the median for mae, a quantile for its own loss."""
    y = np.random.default_rng(0).exponential(size=400)
    X = np.zeros((400, 1))
    options = quick(hidden=(), optimizer="sgd", epochs=100, validation_fraction=0.0)
    found = {
        loss: MLPRegressor(**options, loss=loss).fit(X, y).predict(X[:1])[0]
        for loss in ("mse", "mae", "quantile(q=0.9)", "quantile(q=0.25)")
    }
    assert found["mse"] == pytest.approx(y.mean(), abs=0.02)
    assert found["mae"] == pytest.approx(np.median(y), abs=0.05)
    assert found["quantile(q=0.9)"] == pytest.approx(np.quantile(y, 0.9), abs=0.15)
    assert found["quantile(q=0.25)"] == pytest.approx(np.quantile(y, 0.25), abs=0.05)


def test_a_function_as_loss():
    def absolute(scores, target):
        return (scores - target).abs().mean(1)

    ours = MLPRegressor(**quick(loss=absolute, epochs=5)).fit(SICK, PROGRESS)
    named = MLPRegressor(**quick(loss="mae", epochs=5)).fit(SICK, PROGRESS)
    np.testing.assert_array_equal(ours.predict(SICK), named.predict(SICK))
    given = MLPRegressor(**quick(loss=Huber(0.5), epochs=5)).fit(SICK, PROGRESS)
    text = MLPRegressor(**quick(loss="huber(delta=0.5)", epochs=5)).fit(SICK, PROGRESS)
    np.testing.assert_array_equal(given.predict(SICK), text.predict(SICK))


def heteroscedastic(n: int = 1500):
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, size=(n, 1))
    return x, 50 + 30 * x[:, 0] + rng.normal(size=n) * 5 * np.exp(x[:, 0])


def test_gaussian_nll_learns_the_deviation_of_each_sample():
    X, y = heteroscedastic()
    model = MLPRegressor(**quick(loss="gaussian_nll", hidden=(), optimizer="lbfgs", learning_rate=1.0, epochs=100)).fit(
        X, y
    )
    at = np.array([[-0.8], [0.0], [0.8]])
    np.testing.assert_allclose(model.predict_deviation(at), 5 * np.exp(at[:, 0]), rtol=0.15)
    np.testing.assert_allclose(model.predict(at), 50 + 30 * at[:, 0], rtol=0.05)
    inside = np.abs(y - model.predict(X)) < 1.96 * model.predict_deviation(X)
    assert inside.mean() == pytest.approx(0.95, abs=0.02)


def test_deviations_of_several_targets_have_their_shape():
    X, y = heteroscedastic(200)
    model = MLPRegressor(**quick(loss="gaussian_nll")).fit(X, np.column_stack([y, -2 * y]))
    assert model.predict(X).shape == model.predict_deviation(X).shape == (200, 2)
    assert (model.predict_deviation(X) > 0).all()


def test_no_deviation_without_its_loss():
    with pytest.raises(InvalidParameter, match=r"loss='mse' gives no deviation.*gaussian_nll"):
        MLPRegressor(**quick()).fit(SICK, PROGRESS).predict_deviation(SICK)


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_a_quantile_covers_its_share(q):
    X, y = heteroscedastic()
    model = MLPRegressor(**quick(loss=f"quantile(q={q})", epochs=60, learning_rate=0.005, batch_size=256)).fit(X, y)
    assert (y <= model.predict(X)).mean() == pytest.approx(q, abs=0.04)
    right = X[:, 0] > 0.5
    assert (y <= model.predict(X))[right].mean() == pytest.approx(q, abs=0.08)  # where the noise is large, too


def test_poisson_answers_positive_rates():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    y = rng.poisson(np.exp(X[:, 0]))
    model = MLPRegressor(**quick(loss="poisson")).fit(X, y)
    assert (model.predict(X * 3) > 0).all()
    assert model.predict(X).mean() == pytest.approx(y.mean(), rel=0.1)
    with pytest.raises(InvalidInput, match=r"poisson.*0 or more.*lowest is -1"):
        MLPRegressor(**quick(loss="poisson")).fit(X, y - 1)


# held-out data


def test_a_given_validation_set_chooses_the_weights():
    rng = np.random.default_rng(0)
    X, noise = rng.normal(size=(60, 8)), rng.normal(size=60)
    train, held_out = slice(0, 30), slice(30, 60)
    y = X[:, 0] + noise
    model = MLPRegressor(**quick(hidden=(64,), epochs=300, patience=None, weight_decay=0.0, schedule="constant"))
    model.fit(X[train], y[train], validation=(X[held_out], y[held_out]))
    losses = model.history_["validation_loss"]
    assert model.history_.best_epoch == int(np.argmin(losses)) + 1 < 300
    standardised = (y[held_out] - y[train].mean()) / y[train].std()
    answered = (model.predict(X[held_out]) - y[train].mean()) / y[train].std()
    assert np.mean((answered - standardised) ** 2) == pytest.approx(min(losses), rel=1e-9)
    assert losses[-1] > 1.2 * min(losses)  # it overfitted, and would have been worse


def test_patience_stops_early():
    X, y = heteroscedastic(300)
    model = MLPRegressor(**quick(epochs=2000, patience=5, validation_fraction=0.3)).fit(X, y)
    assert len(model.history_) < 2000
    assert model.history_.stopped == "no progress for 5 epochs"
    assert len(model.history_) - model.history_.best_epoch == 5


def test_the_held_out_part_is_not_trained_on():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 30)), rng.integers(0, 2, 50)  # nothing to learn, but easy to learn by heart
    model = MLPClassifier(**quick(hidden=(64,), epochs=100, validation_fraction=0.4, patience=None, weight_decay=0.0))
    model.fit(X, y)
    assert model.history_["loss"][-1] < 0.1
    assert model.history_["validation_loss"][-1] > 0.6
    assert 0.2 < model.history_["validation_score"][-1] < 0.8


def test_auto_holds_out_a_tenth_from_a_thousand_samples_on():
    X, y = heteroscedastic(1000)
    seen = MLPRegressor(**quick(epochs=1)).fit(X, y).history_
    assert "validation_loss" in seen.rows[0]
    assert "validation_loss" not in MLPRegressor(**quick(epochs=1)).fit(X[:999], y[:999]).history_.rows[0]


def test_a_held_out_part_keeps_the_shares_of_classes():
    y = np.repeat([0, 1], [180, 20])
    X = np.random.default_rng(0).normal(size=(200, 2)) + y[:, None]
    model = MLPClassifier(**quick(epochs=1, validation_fraction=0.1))
    rows = []
    model._split = lambda samples, seed: rows.append(type(model)._split(model, samples, seed)) or rows[0]
    model.fit(X, y)
    train, held_out = rows[0]
    assert np.bincount(y[held_out.numpy()]).tolist() == [18, 2]
    assert len(train) == 180


def test_validation_has_its_own_checks():
    model = MLPClassifier(**quick(epochs=1))
    with pytest.raises(
        InvalidInput, match=r"validation: .*labels \[7\].*not among the classes of training, \[0, 1, 2\]"
    ):
        model.fit(IRIS, SPECIES, validation=(IRIS[:5], [0, 1, 2, 7, 0]))
    with pytest.raises(InvalidParameter, match=r"validation_fraction=0.001.*0 of 150 samples.*at least one"):
        MLPClassifier(**quick(validation_fraction=0.001)).fit(IRIS, SPECIES)
    with pytest.raises(InvalidParameter, match=r"validation_fraction is .* below 1"):
        MLPClassifier(**quick(validation_fraction=1.0)).fit(IRIS, SPECIES)


# the rest of the contract that is the MLP's own


def test_auto_options_follow_the_size_of_the_data():
    X, y = heteroscedastic(300)
    small = MLPRegressor(random_state=0, hidden=(2,)).fit(X[:100], y[:100]).history_
    assert small.execution["batch_size"] == 100
    assert len(small) == 400
    larger = MLPRegressor(random_state=0, hidden=(2,)).fit(X, y).history_
    assert larger.execution["batch_size"] == 32
    assert larger["step"][0] == 10  # 300 = 9 · 32 + 12
    full = MLPRegressor(hidden=(), optimizer="lbfgs", epochs=2, batch_size=10).fit(X, y).history_
    assert full.execution["batch_size"] == 300


def test_a_rest_of_one_sample_joins_the_batch_before_it():
    X, y = heteroscedastic(41)
    model = MLPRegressor(**quick(batch_size=10, normalization="batch", epochs=3)).fit(X, y)
    assert model.history_["step"] == [4, 8, 12]
    with pytest.raises(InvalidInput, match="batch of 1 sample"):
        MLPRegressor(**quick(batch_size=1, normalization="batch")).fit(X, y)


def test_large_data_are_prepared_batch_by_batch_to_the_same_end(monkeypatch):
    X, y = heteroscedastic(400)
    X = np.where(np.random.default_rng(0).random(X.shape) < 0.1, np.nan, X)
    options = quick(epochs=3, batch_size=50, validation_fraction=0.2)
    at_once = MLPRegressor(**options).fit(X, y)
    monkeypatch.setattr("ganglion.estimators.trained.PREPARED_BYTES", 0)
    in_pieces = MLPRegressor(**options).fit(X, y)
    np.testing.assert_array_equal(in_pieces.predict(X), at_once.predict(X))
    assert in_pieces.history_["validation_loss"] == at_once.history_["validation_loss"]


def test_large_predictions_go_in_pieces(monkeypatch):
    model = MLPClassifier(**quick()).fit(IRIS, SPECIES)
    many = np.tile(IRIS, (10, 1))
    at_once = model.predict_proba(many)
    monkeypatch.setattr("ganglion.estimators.base.CHUNK_BYTES", 1)
    np.testing.assert_allclose(model.predict_proba(many), at_once, atol=1e-12)


def test_divergence_says_what_to_do():
    with pytest.raises(TrainingDiverged, match="Try a learning rate ten times smaller"):
        MLPRegressor(**quick(optimizer="sgd", learning_rate=1e6)).fit(SICK, PROGRESS)


def test_images_and_flat_pixels_learn_alike():
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = digits.images.astype("uint8")
    model = MLPClassifier(**quick(hidden=(32,), epochs=15)).fit(images, digits.target)
    assert model.modality_ == "image"
    assert model.score(images, digits.target) > 0.97
    flat = MLPClassifier(**quick(hidden=(32,), epochs=15)).fit(digits.data, digits.target)
    assert flat.modality_ == "table"
    assert flat.score(digits.data, digits.target) > 0.97


def test_verbose_prints_a_line_an_epoch(capsys):
    MLPClassifier(**quick(epochs=3, verbose=True)).fit(IRIS, SPECIES)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["1/3", "2/3", "3/3"]
    assert "loss" in lines[0]
    MLPClassifier(**quick(epochs=3)).fit(IRIS, SPECIES)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_are_used_as_pinned_and_put_back(threads):
    before = torch.get_num_threads()
    during = []
    model = MLPClassifier(**quick(threads=threads, epochs=1))
    model.fit(IRIS, SPECIES, callbacks=[lambda row, epochs: during.append(torch.get_num_threads())])
    assert during == [threads]
    assert torch.get_num_threads() == before


def test_extreme_values_at_prediction_give_an_answer():
    far = np.array([[1e200, -1e200, 0, 0], [1e30, 1e30, 1e30, 1e30]])
    for scaling in ("standard", "robust", "quantile", "none"):
        for precision in ("float32", "float64"):
            model = MLPClassifier(**quick(scaling=scaling, precision=precision)).fit(IRIS, SPECIES)
            np.testing.assert_allclose(model.predict_proba(far).sum(1), 1, rtol=1e-5)
