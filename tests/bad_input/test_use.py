"""Mistakes with a model that is there: predicting, evaluating, on other data than it was trained on."""

import numpy as np
import pandas as pd
import pytest

import ganglion as gg
from ganglion.data.convert import as_dataset
from ganglion.errors import DataWarning, InvalidInput, InvalidParameter, UnsupportedType
from ganglion.estimators.base import NotFitted

random = np.random.default_rng(0)
X = random.normal(size=(60, 5))
Y = (X[:, 0] > 0).astype(int)
FRAME = pd.DataFrame(X, columns=list("abcde"))
MIXED = pd.DataFrame({"size": X[:, 0], "kind": np.where(Y, "u", "v")})
IMAGES = random.integers(0, 255, (40, 8, 8), dtype=np.uint8)
QUICK = {"hidden": (4,), "epochs": 1, "random_state": 0}


@pytest.fixture(scope="module")
def on_array():
    return gg.MLPClassifier(**QUICK).fit(X, Y)


@pytest.fixture(scope="module")
def on_frame():
    return gg.MLPClassifier(**QUICK).fit(FRAME, Y)


@pytest.fixture(scope="module")
def on_mixed():
    return gg.MLPClassifier(**QUICK).fit(MIXED, 1 - Y)


@pytest.fixture(scope="module")
def on_images():
    return gg.MLPClassifier(**QUICK).fit(IMAGES, Y[:40])


@pytest.mark.parametrize(
    ("model", "method"),
    [
        (gg.MLPClassifier(), "predict"),
        (gg.MLPClassifier(), "predict_proba"),
        (gg.MLPClassifier(), "decision_function"),
        (gg.MLPRegressor(), "predict"),
        (gg.Perceptron(), "predict"),
    ],
    ids=str,
)
def test_unfitted(model, method):
    with pytest.raises(NotFitted, match=r"instance is not fitted yet\. Call fit\(X, y\) first"):
        getattr(model, method)(X)


def test_unfitted_score():
    with pytest.raises(NotFitted, match="not fitted yet"):
        gg.MLPRegressor().score(X, Y)


def test_deviation_of_a_model_without():
    with pytest.raises(InvalidParameter, match=r"loss='mse' gives no deviation. Train with loss='gaussian_nll'"):
        gg.MLPRegressor(**QUICK).fit(X, X[:, 0] + X[:, 1]).predict_deviation(X)


def wrong(values, place, value):
    changed = values.copy()
    changed[place] = value
    return changed


ON_ARRAY = {
    "fewer columns": (X[:, :4], "X has 4 features, but MLPClassifier is expecting 5 features.*columns of training"),
    "one row without its axis": (X[0], r"Expected 2D array, got 1D array instead.*reshape\(1, -1\)"),
    "no rows": (X[:0], r"0 sample\(s\)"),
    "infinity": (wrong(X, (2, 1), np.inf), "column 'x1' holds infinity in row 2"),
    "text": (
        np.where(X > 0, "a", "b"),
        r"trained on an array of numbers, \(n_samples, 5\), but the column 'x0' holds cat",
    ),
    "one text": (np.array([["x", 1, 2, 3, 4]], dtype=object), "'x0' holds categorical values. Give numbers, or train"),
    "images": (IMAGES, "the model was trained on an array of numbers.*holds image values"),
    "nothing": (None, "a NoneType cannot be read as data"),
    "complex": (X + 1j, "Complex data not supported"),
}


@pytest.mark.parametrize("mistake", ON_ARRAY)
def test_predict_where_an_array_was_trained(mistake, on_array):
    given, message = ON_ARRAY[mistake]
    with pytest.raises(InvalidInput, match=message):
        on_array.predict(given)


ON_FRAME = {
    "renamed": (
        FRAME.rename(columns={"a": "aa"}),
        r"(?s)unseen at fit time:\n- aa.*trained on the columns a, b, c, d, e",
    ),
    "reordered": (
        FRAME[list("edcba")],
        r"(?s)same order.*Given: e, d, c, b, a\. Take them by name: X\[list\(model\.fe",
    ),
    "missing": (FRAME.drop(columns="c"), r"(?s)yet now missing:\n- c"),
    "one more": (FRAME.assign(zz=1), r"(?s)unseen at fit time:\n- zz"),
    "renamed in a mapping": (
        {"a": [1.0], "b": [1.0], "c": [1.0], "dd": [1.0], "e": [1.0]},
        "'d' is missing.*mean 'dd'",
    ),
    "other number in an array": (X[:, :3], "X has 3 features, but MLPClassifier is expecting 5"),
}


@pytest.mark.parametrize("mistake", ON_FRAME)
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_predict_where_a_frame_was_trained(mistake, on_frame):
    given, message = ON_FRAME[mistake]
    with pytest.raises(InvalidInput, match=message):
        on_frame.predict(given)


def test_numbers_that_become_text(on_mixed):
    message = r"'size' held numbers in training, but now holds categorical values \('big', 'big', 'big'\). Give numbers"
    with pytest.raises(InvalidInput, match=message):
        on_mixed.predict(MIXED.assign(size="big"))


def test_categories_that_become_numbers(on_mixed):
    with pytest.warns(DataWarning, match=r"'kind' held categories in training \(u, v\), but now holds numeric values"):
        on_mixed.predict(MIXED.assign(kind=1.0))


def test_unseen_category_is_no_mistake(on_mixed):
    assert on_mixed.predict(MIXED.assign(kind="w")).shape == (60,)


def test_missing_column_of_a_dataset(on_mixed):
    with pytest.raises(InvalidInput, match=r"the column 'kind' is missing\. Did you mean 'knd'\? Given: size, knd"):
        on_mixed.predict(as_dataset(MIXED.rename(columns={"kind": "knd"})))


def test_frame_where_an_array_was_trained(on_array):
    with pytest.warns(UserWarning, match="fitted without feature names"):
        assert (on_array.predict(FRAME) == on_array.predict(X)).all()


ON_IMAGES = {
    "another size": (IMAGES[:, :4], r"images have shape .* = \(1, 4, 8\), but the model was trained on \(1, 8, 8\)"),
    "colour": (np.zeros((40, 8, 8, 3), np.uint8), r"\(3, 8, 8\), but the model was trained on \(1, 8, 8\)"),
    "flat": (IMAGES.reshape(40, -1), r"was given a table of columns x. Give an array \(n, height, width\)"),
    "table": (X, r"expecting 64 features.*trained on images .*\(1, 8, 8\): give images"),
}


@pytest.mark.parametrize("mistake", ON_IMAGES)
def test_predict_where_images_were_trained(mistake, on_images):
    given, message = ON_IMAGES[mistake]
    with pytest.raises(InvalidInput, match=message):
        on_images.predict(given)


EVALUATE = {
    "no y": ((X,), {}, "y is missing. Give the true labels or values as y, or a Dataset that knows its target"),
    "lengths": ((X, Y[:3]), {}, "X has 60 rows and y has 3. Give one answer for each row"),
    "unseen labels": ((X, Y + 5), {}, "labels that MLPClassifier was not trained on: 5, 6. Its classes are: 0, 1"),
    "NaN": ((X, wrong(Y.astype(float), 4, np.nan)), {}, r"missing \(NaN or None\) in 1 of 60 rows, the first is row 4"),
    "train is no pair": ((X, Y), {"train": X}, r"train is a pair \(X_train, y_train\), but a ndarray was given"),
    "negative weights": ((X, Y), {"sample_weight": -np.ones(60)}, "ranges from -1 to -1. Give 0 to the rows"),
    "few weights": ((X, Y), {"sample_weight": np.ones(3)}, r"shape \(3,\). Give one number for each of the 60 rows"),
    "weights of text": ((X, Y), {"sample_weight": ["a"] * 60}, "sample_weight must hold numbers"),
    "fewer columns": ((X[:, :3], Y), {}, "X has 3 features, but MLPClassifier is expecting 5"),
    "empty": ((X[:0], Y[:0]), {}, "X and y are empty. Give at least one row"),
}


@pytest.mark.parametrize("mistake", EVALUATE)
def test_evaluate(mistake, on_array):
    given, options, message = EVALUATE[mistake]
    with pytest.raises(InvalidInput, match=message):
        gg.evaluate(on_array, *given, **options)


def test_evaluate_a_regressor_on_text():
    model = gg.MLPRegressor(**QUICK).fit(X, X[:, 0] + X[:, 1])
    with pytest.raises(InvalidInput, match=r"but the model is a regressor and is judged by numbers. Give numbers"):
        gg.evaluate(model, X, np.where(Y, "a", "b"))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (gg.MLPClassifier(), r"MLPClassifier is not fitted yet. Call fit\(X_train, y_train\) first"),
        (gg.MLPClassifier, r"model is the class MLPClassifier. Give a fitted estimator: MLPClassifier\(\).fit"),
        ("model.ganglion", r"model is 'model.ganglion', which cannot predict.*ganglion.load\(path\)"),
    ],
)
def test_evaluate_what_is_no_model(model, message):
    with pytest.raises(InvalidInput, match=message):
        gg.evaluate(model, X, Y)


def test_few_resamples(on_array):
    with pytest.raises(InvalidParameter, match="n_bootstrap=3: give a whole number of 40 or more"):
        gg.evaluate(on_array, X, Y, n_bootstrap=3)


@pytest.mark.parametrize("given", [None, 3, FRAME, ""])
def test_read_what_is_no_path(given):
    with pytest.raises(
        UnsupportedType, match=r"read takes the path of a file, but was given a.*give them to fit or inspect"
    ):
        gg.read(given)


def test_select_without_a_target():
    with pytest.raises(InvalidInput, match=r"no target column was chosen. Call with_target"):
        gg.select(X)
