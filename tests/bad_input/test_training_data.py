"""Mistakes with what is given to `fit`: each is refused before anything is trained, with what to do."""

import time

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

import ganglion as gg
from ganglion.data.convert import as_dataset
from ganglion.data.suspicions import warn_of_suspicions
from ganglion.errors import DataWarning, GanglionError, InvalidInput, TrainingWarning, UnsupportedType

random = np.random.default_rng(0)
X = random.normal(size=(60, 5))
Y = (X[:, 0] > 0).astype(int)
R = 2 * X[:, 0] + random.normal(size=60)
FRAME = pd.DataFrame(X, columns=list("abcde"))
IMAGES = random.integers(0, 255, (40, 8, 8), dtype=np.uint8)


def classifier(**options):
    return gg.MLPClassifier(**{"hidden": (4,), "epochs": 1, "random_state": 0} | options)


def regressor(**options):
    return gg.MLPRegressor(**{"hidden": (4,), "epochs": 1, "random_state": 0} | options)


def put(values, place, value):
    changed = np.array(values, dtype=float)
    changed[place] = value
    return changed


FEATURES = {
    "one axis": (X[:, 0], r"Expected 2D array, got 1D array instead: shape \(60,\).*reshape\(-1, 1\)"),
    "a number": (3.0, r"got scalar array instead.*\(n_samples, n_features\) is wanted"),
    "five axes": (np.zeros((60, 2, 2, 2, 2)), r"dim 5.*Allowed are tables \(dim 2\) and images \(dim 3 or 4\)"),
    "a path": ("train.csv", r"a str cannot be read as data.*for a file call read\(path\)"),
    "nothing": (None, "a NoneType cannot be read as data. Give a 2D array, a list of rows, a frame"),
    "no rows": (np.zeros((0, 5)), r"0 sample\(s\) \(shape=\(0, 5\)\) while a minimum of 1 is required"),
    "no columns": (np.zeros((60, 0)), r"0 feature\(s\) \(shape=\(60, 0\)\) while a minimum of 1 is required"),
    "infinity": (put(X, (3, 2), np.inf), r"column 'x2' holds infinity in row 3.*Remove the row, or replace"),
    "infinity in a frame": (FRAME.assign(b=-np.inf), r"column 'b' holds infinity in row 0.*Only finite numbers"),
    "complex": (X + 1j, "Complex data not supported.*Give real and imaginary parts"),
    "sparse and complex": (scipy.sparse.csr_matrix(X + 1j), "Complex data not supported"),
    "dict in an object array": (
        np.array([[1.0, {"a": 1}]] * 60, dtype=object),
        r"column 'x1' holds a dict in row 0 \(\{'a': 1\}\); argument must be a string or a number.*or drop the column",
    ),
    "list in a frame": (pd.DataFrame({"a": [[1, 2]] * 60}), "column 'a' holds a list in row 0.*Take it apart"),
    "ragged rows": (
        [[1, 2], [3]] * 30,
        r"rows of unequal length were given \(1, 2 values\)\. Give as many to each row",
    ),
    "equal names": (
        pd.DataFrame(X, columns=list("aabcd")),
        r"column names must differ, but these stand more than once: a",
    ),
    "columns of unequal length": (
        {"a": [1, 2], "b": [1]},
        r"equal length, but have \{'a': 2, 'b': 1\}. Give one value",
    ),
}


@pytest.mark.parametrize("estimator", [classifier(), regressor(), gg.Perceptron()], ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("mistake", FEATURES)
def test_features(mistake, estimator):
    given, message = FEATURES[mistake]
    with pytest.raises(InvalidInput, match=message):
        estimator.fit(given, Y)
    assert not hasattr(estimator, "network_")


IMAGE_MISTAKES = {
    "channels in the middle": (np.zeros((40, 8, 3, 8), np.uint8), "No axis has the size of channels.*np.moveaxis"),
    "two channels": (np.zeros((40, 2, 8, 8)), "swapped axes are suspected.*with 1, 3 or 4 channels"),
    "either axis may be channels": (np.zeros((40, 3, 8, 3)), "Either axis could hold the channels"),
    "samples last": (np.zeros((8, 8, 400)), r"number of images seems to come last; give np.moveaxis\(X, -1, 0\)"),
    "one image": (np.zeros((32, 32, 3)), r"looks like one single colour image; give it as X\[None\]"),
    "NaN": (put(IMAGES, (5, 2, 2), np.nan), "image 5 holds NaN or infinity.*remove that image"),
    "text": (np.full((40, 8, 8), "a"), "images must be numbers, but these have dtype <U1. Give uint8 or float32"),
}


@pytest.mark.parametrize("mistake", IMAGE_MISTAKES)
def test_images(mistake):
    given, message = IMAGE_MISTAKES[mistake]
    with pytest.raises(InvalidInput, match=message):
        classifier().fit(given, np.arange(len(given)) % 2)


CLASSES = {
    "missing": (None, "requires y to be passed, but the target y is None. Give y, or a Dataset with a target"),
    "one too many": (np.append(Y, 0), r"inconsistent numbers of samples: \[60, 61\]. Give one target a sample"),
    "three axes": (np.zeros((60, 2, 2)), r"y has shape \(60, 2, 2\), but \(n_samples,\) or"),
    "NaN": (put(Y, 3, np.nan), "Input y contains NaN in 1 of 60 rows, the first is row 3. Drop those rows"),
    "infinity": (put(Y, 3, np.inf), "Input y contains infinity.* in 1 of 60 rows"),
    "None among labels": (np.array(["a", None] * 30, dtype=object), "30 labels are missing, the first in row 1"),
    "one class": (np.zeros(60, int), "one class only, 0, so there is nothing to tell apart. Give rows of at least two"),
    "fractions": (R, r"numbers with fractions, and no labels \(Unknown label type: continuous\).*take a regressor"),
    "text and numbers": (
        np.array(["a", 1] * 30, dtype=object),
        r"y mixes text and numbers.*int, str.*y\.astype\(str\)",
    ),
    "a matrix of other numbers": (np.c_[Y, Y + 1], r"bad input shape for classes.*a matrix of zeros and ones"),
    "complex": (Y + 1j, "Complex data not supported: y holds complex numbers"),
}


@pytest.mark.parametrize("mistake", CLASSES)
def test_labels(mistake):
    given, message = CLASSES[mistake]
    with pytest.raises(InvalidInput, match=message):
        classifier().fit(X, given)


NUMBERS = {
    "text": (np.where(Y, "high", "low"), "y must hold numbers, but holds '(high|low)'. Use a classifier for labels"),
    "numbers as text": (np.array(["1", "x"] * 30), "y must hold numbers, but holds"),
    "NaN": (put(R, 3, np.nan), "Input y contains NaN in 1 of 60 rows, the first is row 3"),
    "infinity": (put(R, [3, 4], np.inf), "Input y contains infinity.* in 2 of 60 rows, the first is row 3"),
    "too short": (R[:50], r"inconsistent numbers of samples: \[60, 50\]"),
    "complex": (R + 1j, "Complex data not supported"),
}


@pytest.mark.parametrize("mistake", NUMBERS)
def test_numbers(mistake):
    given, message = NUMBERS[mistake]
    with pytest.raises(InvalidInput, match=message):
        regressor().fit(X, given)


def test_swapped_axes():
    with pytest.raises(InvalidInput, match=r"X has shape \(5, 60\), y has 60 values.*seem to be swapped.*Give X\.T"):
        classifier().fit(X.T, Y)


def test_perceptron_takes_one_label_a_sample():
    with pytest.raises(InvalidInput, match=r"bad input shape for classes. Give one label a sample, \(n_samples,\)\.$"):
        gg.Perceptron().fit(X, np.c_[Y, 1 - Y])


def test_negative_counts_for_poisson():
    with pytest.raises(InvalidInput, match="loss='poisson' needs targets of 0 or more, but the lowest is -"):
        regressor(loss="poisson").fit(X, R)


def test_images_beside_a_table():
    both = as_dataset({"picture": IMAGES, "age": X[:40, 0]})
    with pytest.raises(InvalidInput, match="images beside other columns are not supported yet: picture, age"):
        classifier().fit(both, Y[:40])


def test_only_text():
    texts = [f"this is the long free text of row {i} about {i * 7} things that differ" for i in range(60)]
    message = r"MLPClassifier reads tables and images, but texts were given\. .* or take an algorithm for texts"
    with pytest.raises(InvalidInput, match=message):
        classifier().fit({"text": texts}, Y)


WEIGHTS = {
    "negative": (
        put(np.ones(60), 7, -1),
        "negative, missing or infinite values: -1 in row 7, 1 in all. Give weights of 0",
    ),
    "NaN": (put(np.ones(60), 0, np.nan), "negative, missing or infinite values: nan in row 0"),
    "too few": (np.ones(59), r"sample_weight has shape \(59,\), but there are 60 samples. Give one weight a sample"),
    "a matrix": (np.ones((60, 2)), r"shape \(60, 2\).*must be 1D array or scalar"),
    "all zero": (np.zeros(60), "sample_weight is zero for every sample, so there is nothing to learn from"),
    "text": (["heavy"] * 60, "sample_weight must hold numbers .*'heavy'.*Give one number a sample"),
    "one class left": (Y, r"one class only, 1.*\(rows of weight 0 do not count\)"),
}


@pytest.mark.parametrize("estimator", [classifier(), gg.Perceptron()], ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("mistake", WEIGHTS)
def test_sample_weight(mistake, estimator):
    given, message = WEIGHTS[mistake]
    with pytest.raises(InvalidInput, match=message):
        estimator.fit(X, Y, sample_weight=given)


OTHER = random.normal(size=(20, 5))
VALIDATION = {
    "no pair": (X, r"validation is a pair \(X, y\).*validation_fraction=0.1"),
    "a share": (0.2, r"but a float was given. For a share of the training data give validation_fraction"),
    "three": ((X, Y, Y), "but a tuple of 3 was given"),
    "lengths": ((OTHER, Y[:3]), r"validation: X and y have inconsistent numbers of samples: \[20, 3\]"),
    "swapped": ((OTHER.T, Y[:20]), "validation: .*seem to be swapped"),
    "unseen labels": ((OTHER, [0, 5] * 10), r"validation: y holds the labels \[5\], which are not among the classes"),
    "text for numbers": ((OTHER, ["a", "b"] * 10), r"validation: y holds the labels \['a', 'b'\].*classes.*\[0, 1\]"),
    "fewer columns": ((OTHER[:, :3], Y[:20]), "validation: X has 3 features, but .* is expecting 5 features"),
    "empty": ((OTHER[:0], []), r"validation: Found array with 0 sample\(s\)"),
}


@pytest.mark.parametrize("estimator", [classifier(), gg.Perceptron()], ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("mistake", VALIDATION)
def test_validation(mistake, estimator):
    given, message = VALIDATION[mistake]
    with pytest.raises(InvalidInput, match=message):
        estimator.fit(X, Y, validation=given)


def test_validation_with_other_targets():
    with pytest.raises(InvalidInput, match="validation: y has 2 targets a row, but the model was trained on 1"):
        regressor().fit(X, R, validation=(OTHER, OTHER[:, :2]))


def test_validation_on_training_rows():
    with pytest.warns(
        DataWarning, match="20 of the 40 validation rows stand among the training rows too.*Remove duplicates"
    ):
        classifier().fit(X, Y, validation=(np.r_[X[:20], OTHER], np.r_[Y[:20], Y[:20]]))


def test_validation_that_is_not_looked_at():
    with pytest.warns(TrainingWarning, match="validation is not looked at. Leave it out"):
        gg.Perceptron().fit(X, Y, validation=(OTHER, Y[:20]))


CLASS_WEIGHTS = {
    "unknown class": ({0: 1, 7: 2}, r"class_weight names \[7\], which no sample has. The classes: \[0, 1\]"),
    "negative": ({0: -1, 1: 1}, "each weight is a number of 0 or more"),
    "text": ({0: "a"}, "each weight is a number of 0 or more"),
    "all zero": ({0: 0, 1: 0}, "and one is above 0"),
    "mis-spelt": ("balance", "class_weight is a dict, 'balanced' or None. Did you mean 'balanced'?"),
}


@pytest.mark.parametrize("mistake", CLASS_WEIGHTS)
def test_class_weight(mistake):
    given, message = CLASS_WEIGHTS[mistake]
    with pytest.raises(GanglionError, match=message):
        classifier(class_weight=given).fit(X, Y)


def test_class_weight_of_several_labels():
    with pytest.raises(GanglionError, match="with several labels a sample there are no classes to weigh"):
        classifier(class_weight={0: 1.0}).fit(X, np.c_[Y, 1 - Y])


@pytest.mark.parametrize("given", [print, [3], "abc"])
def test_callbacks(given):
    with pytest.raises(GanglionError, match="give a list of functions, each called after every epoch"):
        classifier().fit(X, Y, callbacks=given)


# ---- what deserves a warning, and what does not ----------------------------------------------------------------------


def test_identifier_as_feature():
    with pytest.warns(
        DataWarning, match=r"another value of 'row', 'name', as with names and row numbers. Drop such"
    ) as got:
        classifier().fit(FRAME.assign(row=np.arange(60), name=[f"n{i}" for i in range(60)]), Y)
    assert got[0].filename == __file__


@pytest.mark.parametrize("values", [np.arange(60) * 5, np.arange(60) % 30, np.arange(60) + 0.5, X[:, 1]])
def test_no_identifier(values):
    classifier().fit(FRAME.assign(a=values), Y)


def test_row_numbers_in_an_array_have_no_name_to_be_dropped_by():
    classifier().fit(np.c_[X, np.arange(60)], Y)


LEAKS = {
    "array": (np.c_[X, Y], Y, r"equals the feature X\[:, 5\]"),
    "frame": (FRAME.assign(copy=Y), Y, "equals the feature 'copy'"),
    "labels": (FRAME.assign(copy=np.where(Y, "yes", "no")), np.where(Y, "yes", "no"), "equals the feature 'copy'"),
    "booleans": (FRAME.assign(copy=Y > 0), Y > 0, "equals the feature 'copy'"),
}


@pytest.mark.parametrize("kind", LEAKS)
def test_target_among_the_features(kind):
    given, y, message = LEAKS[kind]
    with pytest.warns(DataWarning, match=f"leakage: in every row the target {message}.*drop it from the features"):
        classifier().fit(given, y)


def test_number_among_the_features():
    with pytest.warns(DataWarning, match="leakage: .* the feature 'copy'"):
        regressor().fit(FRAME.assign(copy=R), R)


def test_target_that_differs_in_one_row():
    nearly = Y.copy()
    nearly[31] = 1 - nearly[31]
    classifier().fit(np.c_[X, nearly], Y)


def test_empty_column():
    with pytest.warns(DataWarning, match=r"no row has a value of X\[:, 2\]. Drop what is empty"):
        classifier().fit(put(X, (slice(None), 2), np.nan), Y)


def test_few_rows_are_not_suspected():
    classifier().fit(pd.DataFrame({"id": np.arange(12), "copy": [0, 1] * 6}), [0, 1] * 6)


def test_suspicions_are_cheap():
    """The issue allows 5 ms on 30,000 x 15; a loaded machine gets ten times that."""
    n = 30_000
    columns = {f"c{i}": random.normal(size=n) for i in range(10)} | {
        f"w{i}": random.integers(0, 99, n) for i in range(5)
    }
    named, block = as_dataset(columns), as_dataset(np.zeros((n, 15)) + np.arange(15))
    y = random.integers(0, 2, n)
    for data in (named, block):
        times = []
        for _ in range(5):
            start = time.perf_counter()
            warn_of_suspicions(data, y)
            times.append(time.perf_counter() - start)
        assert min(times) < 0.05


def test_rows_given_by_a_sparse_matrix_are_read():
    assert classifier().fit(scipy.sparse.csr_matrix(X), Y).n_features_in_ == 5


def test_sparse_tensors_are_refused_by_the_reader():
    with pytest.raises(UnsupportedType, match=r"Sparse data was given.*Call \.toarray\(\)"):
        as_dataset(scipy.sparse.csr_matrix(X))
