"""scikit-learn's own checks, and life among scikit-learn's tools."""

import functools
import os

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import accuracy_score, get_scorer
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    RandomizedSearchCV,
    cross_val_predict,
    cross_validate,
    learning_curve,
    validation_curve,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from ganglion.algorithms.mlp import MLPClassifier, MLPRegressor
from ganglion.algorithms.perceptron import Perceptron
from ganglion.registry import all_algorithms

IRIS, SPECIES = load_iris(return_X_y=True)
SICK, PROGRESS = load_diabetes(return_X_y=True)

OPTIONS = [
    MLPClassifier(hidden=(), optimizer="lbfgs", epochs=30),
    MLPClassifier(hidden=(16,), normalization="layer", activation="gelu", learning_rate=0.03, epochs=20),
    MLPRegressor(hidden=(16,), scaling="robust", loss="gaussian_nll", learning_rate=0.03, epochs=40),
    MLPRegressor(hidden=(16,), scaling="quantile", optimizer="sgd", loss="huber", epochs=60),
]


QUICK = {  # the same promises, sooner; HYPOTHESIS_PROFILE=thorough checks them as they come
    "MLPClassifier": {"hidden": (32,), "epochs": 60, "learning_rate": 0.01},
    "MLPRegressor": {"hidden": (32,), "epochs": 60, "learning_rate": 0.01},
    "CNNClassifier": {"channels": (8,), "hidden": (16,), "epochs": 20, "learning_rate": 0.02},
    "CNNRegressor": {"channels": (8,), "hidden": (16,), "epochs": 60, "learning_rate": 0.01},
    "RNNClassifier": {"cell": "gru", "epochs": 12, "learning_rate": 0.03},
    "RNNRegressor": {"cell": "gru", "epochs": 40, "learning_rate": 0.03},
    "TransformerClassifier": {"layers": 1, "width": 16, "epochs": 8, "learning_rate": 0.01},
    "TransformerRegressor": {"layers": 1, "width": 32},
    "RBM": {"units": 8, "epochs": 10},
    "DBN": {"hidden": (8, 4), "epochs": 5},
    "DBNClassifier": {"hidden": (16, 16), "pretraining_epochs": 1, "epochs": 25, "learning_rate": 0.04},
    "Diffusion": {"width": 8, "depth": 1, "steps": 5, "epochs": 10},
    "GAN": {"latent": 2, "hidden": (8,), "epochs": 10},
    "Autoencoder": {"hidden": (8,), "epochs": 20},
    "VAE": {"latent": 2, "hidden": (8,), "epochs": 10},
}
LEARNING = ("check_classifiers_train", "check_regressors_train", "check_class_weight_classifiers")
FEW = 3  # epochs of a check that asks of nothing learned; all of them with HYPOTHESIS_PROFILE=thorough
BY_CHANCE = ("check_sample_weight_equivalence_on_dense_data", "check_sample_weight_equivalence_on_sparse_data")
THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"


def sklearn_checks(estimators):
    """Return (estimator, check) for each of scikit-learn's checks: what `check_estimator` runs, one test each."""
    for estimator in estimators:
        if "table" not in estimator.tags.modalities:
            reason = "scikit-learn's checks give tables, which it does not read"
            yield pytest.param(estimator, None, id=str(estimator), marks=pytest.mark.skip(reason=reason))
            continue
        for instance, check in estimator_checks_generator(estimator):
            inner = check
            while isinstance(inner, functools.partial):
                inner = inner.func
            if inner.__name__ == "check_array_api_input":  # scikit-learn skips it unless scipy is started specially
                continue
            # a second copy of a sample meets other noise than the first one: they are one of weight 2 on average only
            by_chance = estimator.tags.task == "generation" and inner.__name__ in BY_CHANCE
            marks = [pytest.mark.skip(reason="holds on average only")] if by_chance else []
            if not THOROUGH and inner.__name__ not in LEARNING:
                instance = clone(instance).set_params(epochs=FEW)
            yield pytest.param(instance, check, id=f"{' '.join(str(estimator).split())}-{inner.__name__}", marks=marks)


def quick(**options):
    return MLPClassifier(hidden=(8,), epochs=40, learning_rate=0.1, random_state=0, **options)


def quick_regressor(**options):
    return MLPRegressor(hidden=(8,), epochs=40, batch_size=128, learning_rate=0.1, random_state=0, **options)


@pytest.mark.filterwarnings("default")  # they call estimators in ways that warn on purpose
@pytest.mark.parametrize(
    ("estimator", "check"),
    list(
        sklearn_checks(
            [cls(**({} if THOROUGH else QUICK.get(name, {}))) for name, cls in all_algorithms().items()],
        )
    ),
)
def test_estimator_checks(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(("estimator", "check"), list(sklearn_checks(OPTIONS)))
def test_estimator_checks_with_options(estimator, check):
    check(estimator)


def test_all_checks_were_found():
    assert len(list(sklearn_checks([MLPClassifier()]))) >= 60


@pytest.mark.parametrize("cls", all_algorithms().values(), ids=all_algorithms())
def test_options_are_stored_untouched(cls):
    given = cls(random_state=np.random.RandomState(3))
    assert given.random_state is given.get_params()["random_state"]
    kept = clone(cls())
    assert kept.get_params() == cls().get_params()


def test_pipeline():
    pipeline = make_pipeline(StandardScaler(), quick()).fit(IRIS, SPECIES)
    assert pipeline.score(IRIS, SPECIES) > 0.9
    np.testing.assert_allclose(pipeline.predict_proba(IRIS).sum(1), 1)
    assert "mlpclassifier__hidden" in pipeline.get_params()
    changed = clone(pipeline).set_params(mlpclassifier__hidden=(2, 2))
    assert changed[-1].hidden == (2, 2)


def table():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"size": rng.normal(size=80), "colour": rng.choice(["red", "green", "blue"], 80), "age": rng.random(80)}
    )
    return frame, np.where((frame["colour"] == "red") | (frame["size"] > 1), "yes", "no")


@pytest.mark.parametrize("algorithm", [quick(), Perceptron(random_state=0)], ids=["mlp", "perceptron"])
def test_column_transformer_with_sparse_output(algorithm):
    frame, y = table()
    columns = ColumnTransformer(
        [("one_hot", OneHotEncoder(sparse_output=True, handle_unknown="ignore"), ["colour"])],
        remainder="passthrough",
        sparse_threshold=1.0,
    )
    pipeline = make_pipeline(columns, algorithm).fit(frame, y)
    assert columns.fit(frame).transform(frame).format == "csr"
    dense = make_pipeline(clone(columns).set_params(sparse_threshold=0), clone(algorithm)).fit(frame, y)
    np.testing.assert_array_equal(pipeline.predict(frame), dense.predict(frame))
    assert pipeline.score(frame, y) > 0.85
    assert len(pipeline.predict(frame.assign(colour="violet"))) == len(frame)


def test_sparse_and_dense_agree():
    import scipy.sparse

    X = np.where(IRIS > 2, IRIS, 0)
    dense = quick().fit(X, SPECIES).predict_proba(X)
    for make in (scipy.sparse.csr_array, scipy.sparse.csc_matrix, scipy.sparse.coo_array):
        sparse = quick().fit(make(X), SPECIES).predict_proba(make(X))
        np.testing.assert_allclose(sparse, dense, atol=1e-9)  # toarray gives columns first: other sums, other rounding


def test_grid_search_in_two_processes_finds_what_one_process_finds():
    grid = {
        "optimizer": ["adamw", "sgd(momentum=0.9)", "lbfgs"],
        "hidden": [(), (4,)],
    }
    searches = [GridSearchCV(quick(), grid, cv=3, n_jobs=n_jobs).fit(IRIS, SPECIES) for n_jobs in (2, 1)]
    np.testing.assert_array_equal(*[search.cv_results_["mean_test_score"] for search in searches])
    assert searches[0].best_params_ == searches[1].best_params_
    assert searches[0].best_score_ > 0.9
    assert len(set(searches[0].cv_results_["mean_test_score"])) > 1


def test_grid_search_over_any_option_reports_a_bad_one():
    with pytest.raises(ValueError, match=r"(?s)no optimizer is called 'adamm'. Did you mean 'adam'"):
        GridSearchCV(quick(), {"optimizer": ["adamm"]}, cv=2, error_score="raise").fit(IRIS, SPECIES)
    with pytest.raises(ValueError, match=r"no option 'hiden'. Did you mean 'hidden'"):
        GridSearchCV(quick(), {"hiden": [(1,)]}, cv=2).fit(IRIS, SPECIES)


def test_randomized_search_of_a_regressor():
    search = RandomizedSearchCV(
        quick_regressor(),
        {"loss": ["mse", "huber", "quantile(q=0.5)"], "dropout": [0.0, 0.1]},
        n_iter=3,
        random_state=0,
    ).fit(SICK, PROGRESS)
    assert search.best_score_ > 0.2


def test_cross_validate_with_several_scores():
    scores = cross_validate(quick(), IRIS, SPECIES, cv=3, scoring=["accuracy", "neg_log_loss", "roc_auc_ovr"])
    assert scores["test_accuracy"].mean() > 0.9
    assert scores["test_roc_auc_ovr"].mean() > 0.95
    assert (scores["test_neg_log_loss"] < 0).all()


@pytest.mark.parametrize("algorithm", [quick(), Perceptron(random_state=0)], ids=["mlp", "perceptron"])
def test_calibration(algorithm):
    calibrated = CalibratedClassifierCV(algorithm, cv=3).fit(IRIS, SPECIES)
    assert calibrated.score(IRIS, SPECIES) > 0.8
    np.testing.assert_allclose(calibrated.predict_proba(IRIS).sum(1), 1)


def test_permutation_importance_finds_the_column_that_matters():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 3))
    model = quick(optimizer="lbfgs").fit(X, X[:, 1] > 0)
    importances = permutation_importance(model, X, X[:, 1] > 0, n_repeats=3, random_state=0).importances_mean
    assert importances.argmax() == 1
    assert importances[1] > 0.3 > importances[[0, 2]].max()


def test_partial_dependence():
    found = partial_dependence(quick_regressor().fit(SICK, PROGRESS), SICK, [2], grid_resolution=5)
    assert found["average"].shape == (1, 5)
    assert found["average"][0, -1] > found["average"][0, 0]


def test_set_output_gives_the_estimator_named_columns():
    frame, y = pd.DataFrame(IRIS, columns=list("abcd")), SPECIES
    pipeline = make_pipeline(StandardScaler(), quick()).set_output(transform="pandas").fit(frame, y)
    assert list(pipeline[-1].feature_names_in_) == list("abcd")
    np.testing.assert_allclose(
        pipeline.predict_proba(frame), make_pipeline(StandardScaler(), quick()).fit(IRIS, y).predict_proba(IRIS)
    )
    polars = make_pipeline(StandardScaler(), quick()).set_output(transform="polars").fit(frame, y)
    np.testing.assert_array_equal(polars.predict_proba(frame), pipeline.predict_proba(frame))


def test_metadata_routing_of_weights():
    weight = np.where(SPECIES == 0, 0.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = quick().set_fit_request(sample_weight=True)
        pipeline = make_pipeline(FunctionTransformer(np.log), routed).fit(IRIS, SPECIES, sample_weight=weight)
        assert pipeline.classes_.tolist() == [1, 2]
        scores = cross_validate(
            quick().set_fit_request(sample_weight=True).set_score_request(sample_weight=True),
            IRIS,
            SPECIES,
            params={"sample_weight": weight},
            cv=3,
        )
        assert scores["test_score"].min() > 0.8


def test_weight_in_score():
    model = quick().fit(IRIS, SPECIES)
    wrong = model.predict(IRIS) != SPECIES
    assert model.score(IRIS, SPECIES, sample_weight=np.where(wrong, 0.0, 1.0)) == 1


def test_ensembles_of_classifiers():
    members = [
        ("mlp", quick()),
        ("perceptron", Perceptron(random_state=0)),
        ("linear", LogisticRegression(max_iter=1000)),
    ]
    for ensemble in (
        VotingClassifier(members),
        VotingClassifier([members[0], members[2]], voting="soft"),
        StackingClassifier(members, LogisticRegression(max_iter=1000), cv=3),
        BaggingClassifier(quick(), n_estimators=3, random_state=0, n_jobs=2),
        OneVsRestClassifier(quick()),
    ):
        assert ensemble.fit(IRIS, SPECIES).score(IRIS, SPECIES) > 0.85, ensemble


def test_ensembles_of_regressors():
    members = [("mlp", quick_regressor()), ("linear", RidgeCV())]
    for ensemble in (
        VotingRegressor(members),
        StackingRegressor(members, cv=3),
        BaggingRegressor(quick_regressor(), n_estimators=3, random_state=0),
        TransformedTargetRegressor(quick_regressor(), func=np.log, inverse_func=np.exp),
    ):
        assert ensemble.fit(SICK, PROGRESS).score(SICK, PROGRESS) > 0.3, ensemble


def test_several_labels_through_the_wrapper_and_without_it():
    y = np.stack([IRIS[:, 0] > 5.8, IRIS[:, 2] > 4], axis=1).astype(int)
    ours, wrapped = quick().fit(IRIS, y), MultiOutputClassifier(quick()).fit(IRIS, y)
    assert accuracy_score(y, ours.predict(IRIS)) > 0.85
    assert accuracy_score(y, wrapped.predict(IRIS)) > 0.85


def test_curves():
    sizes, train, test = learning_curve(
        quick(), IRIS, SPECIES, cv=KFold(3, shuffle=True, random_state=0), train_sizes=[40, 90]
    )
    assert sizes.tolist() == [40, 90]
    assert train.shape == test.shape == (2, 3)
    found = validation_curve(quick(), IRIS, SPECIES, param_name="hidden", param_range=[(2,), (16,)], cv=3)
    assert found[1].shape == (2, 3)


def test_cross_val_predict_gives_probabilities_in_the_order_of_classes():
    labels = np.array(["setosa", "versicolor", "virginica"])[SPECIES]
    shares = cross_val_predict(quick(), IRIS, labels, cv=3, method="predict_proba")
    assert (np.unique(labels)[shares.argmax(1)] == labels).mean() > 0.9


def test_scorers():
    model = quick().fit(IRIS[:100], SPECIES[:100])
    for name in ("roc_auc", "average_precision", "neg_brier_score", "f1", "balanced_accuracy"):
        assert np.isfinite(get_scorer(name)(model, IRIS[:100], SPECIES[:100]))


def test_pandas_and_polars_frames_agree_at_fit_and_at_prediction():
    frame, y = table()
    frame.loc[3, "size"] = np.nan
    polars = pl.from_pandas(frame)
    one, other = quick().fit(frame, y), quick().fit(polars, pl.Series(y))
    np.testing.assert_array_equal(one.predict_proba(frame), other.predict_proba(polars))
    np.testing.assert_array_equal(one.predict_proba(polars), other.predict_proba(frame))
    assert list(one.feature_names_in_) == list(other.feature_names_in_) == ["size", "colour", "age"]


def test_a_function_before_the_estimator_may_give_lists():
    pipeline = make_pipeline(FunctionTransformer(lambda X: X.tolist()), quick()).fit(IRIS, SPECIES)
    assert pipeline.score(IRIS, SPECIES) > 0.9


def test_html_of_an_estimator():
    assert "MLPClassifier" in quick()._repr_html_()
