"""The dumb baselines: what a network must beat to be worth its cost.

    classification   majority class · logistic regression · gradient-boosted trees
    regression       mean · ridge regression · gradient-boosted trees
    of texts         naive Bayes in place of trees, or none; words and pairs of words, weighed by tf-idf

With training data they are fitted on it and score the evaluation rows. Without, each evaluation row is predicted by
baselines fitted on the other folds of the evaluation rows. Several labels or targets: one model for each.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from ganglion.data.memory import memory_bytes
from ganglion.evaluation.matrices import Matrices, Stored, matrices_of
from ganglion.evaluation.predictions import Array, Predictions, Truth

N_FOLDS = 5
FEWEST_ROWS = 10  # below, folds of the evaluation rows are too small to learn anything from
# rows * columns * models that a fit may look at, all folds together; beyond, it sees a sample of the rows. Measured on
# one core: 100 rounds of trees take some 9 ns * 100 a cell, 200 steps of logistic regression some 1 ns * 200.
TREE_CELLS = 1.2e7
LINEAR_CELLS = 5e7
FEWEST_FIT_ROWS = 1000
MEMORY_A_CELL = 64  # bytes of the machine's memory for each cell of a fit, of which it has 8, and its copies more
MOST_TREES = 2000  # rounds times classes
MOST_TEXTS = 1e5  # texts * models that a fit counts the words of

MakeModel = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Baseline:
    """A fitted baseline's predictions of the evaluation rows.

    Attributes
    ----------
    name : str
        Such as "logistic regression".
    predictions : Predictions, or the like of them that the task has
    note : str
        How it was fitted: on which rows, on what of the data.
    seconds : float
        Wall-clock time of fitting and predicting.
    races : bool
        Whether it is a rival of the model, and not a bound that is shown beside.
    """

    name: str
    predictions: Any
    note: str
    seconds: float
    races: bool = True


@dataclass(frozen=True)
class _Recipe:
    name: str
    make: MakeModel
    most_cells: float
    uses_features: bool = True


@dataclass(frozen=True)
class _Rows:
    """Some rows of a matrix, which may be too large for memory."""

    matrix: Array | Stored
    rows: Array

    def to(self, predict: Callable[[Array], Array]) -> Array:
        """Return what is predicted for them."""
        if not isinstance(self.matrix, Stored):
            return predict(self.matrix[self.rows])
        step = self.matrix.rows_together
        return np.concatenate([predict(self.matrix[self.rows[i : i + step]]) for i in range(0, len(self.rows), step)])


@dataclass(frozen=True)
class _Problem:
    """Everything a recipe is run on; without training data, `train` is `truth`."""

    truth: Truth
    train: Truth
    matrices: Matrices
    weight: Array | None
    folds: tuple[tuple[Array, Array], ...]
    seed: int


def run_baselines(
    truth: Truth,
    X: Any,
    *,
    train: tuple[Any, Truth] | None = None,
    weight: Array | None = None,
    random_state: int = 0,
) -> list[Baseline]:
    """Fit the baselines of a task and predict the evaluation rows.

    Parameters
    ----------
    truth : Truth
        Of the evaluation rows.
    X : Dataset, ndarray, frame, or list of rows
        The evaluation rows as the model takes them.
    train : tuple of X_train and its Truth, optional
        Without it, the baselines predict out of fold, in 5 folds of the evaluation rows.
    weight : ndarray of shape (n,), optional
        Weights of the evaluation rows, used in fitting where these are what is fitted on.
    random_state : int
        Decides folds and samples.

    Raises
    ------
    InvalidInput
        If X cannot be read as a table or as images.
    """
    matrices = matrices_of(X, None if train is None else train[0], seed=random_state)
    if train is None:
        folds = tuple(_folds(truth, random_state))
        problem = _Problem(truth, truth, matrices, weight, folds, random_state)
    else:
        every = np.arange(len(train[1])), np.arange(len(truth))
        problem = _Problem(truth, train[1], matrices, None, (every,), random_state)
    return [_run(recipe, problem) for recipe in _recipes(problem)]


def _folds(truth: Truth, seed: int) -> Iterator[tuple[Array, Array]]:
    single = truth.task in ("binary", "multiclass")
    splitter = (StratifiedKFold if single else KFold)(min(N_FOLDS, len(truth)), shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # classes with fewer rows than folds: fitted without, as in life
        try:
            yield from splitter.split(np.zeros(len(truth)), truth.values if single else None)
        except ValueError:  # every class has fewer rows than folds
            yield from KFold(min(N_FOLDS, len(truth)), shuffle=True, random_state=seed).split(truth.values)


def _recipes(problem: _Problem) -> list[_Recipe]:
    matrices, seed = problem.matrices, problem.seed
    if matrices.texts:
        return _text_recipes(problem)
    categories = matrices.tree_categories() or None
    n_classes = len(problem.truth.classes) if problem.truth.task == "multiclass" else 1
    rounds = int(np.clip(MOST_TREES // n_classes, 10, 100))
    trees: dict[str, Any] = {"categorical_features": categories, "random_state": seed, "max_iter": rounds}
    if problem.truth.task == "regression":
        return [
            _Recipe("mean", DummyRegressor, np.inf, uses_features=False),
            _Recipe("ridge regression", lambda: make_pipeline(matrices.linear_preparation(), Ridge()), LINEAR_CELLS),
            _Recipe("gradient-boosted trees", lambda: HistGradientBoostingRegressor(**trees), TREE_CELLS),
        ]
    linear = LogisticRegression(max_iter=200, random_state=seed)
    return [
        _Recipe("majority class", lambda: DummyClassifier(strategy="prior"), np.inf, uses_features=False),
        _Recipe("logistic regression", lambda: make_pipeline(matrices.linear_preparation(), linear), LINEAR_CELLS),
        _Recipe("gradient-boosted trees", lambda: HistGradientBoostingClassifier(**trees), TREE_CELLS),
    ]


def _text_recipes(problem: _Problem) -> list[_Recipe]:
    """Return baselines that know which words and pairs of words stand in a text, and nothing of their order."""
    if problem.truth.task == "regression":
        return [
            _Recipe("mean", DummyRegressor, np.inf, uses_features=False),
            _Recipe("ridge regression on words", lambda: make_pipeline(*_words(TfidfVectorizer), Ridge()), MOST_TEXTS),
        ]
    linear = LogisticRegression(C=10.0, max_iter=200, random_state=problem.seed)
    return [
        _Recipe("majority class", lambda: DummyClassifier(strategy="prior"), np.inf, uses_features=False),
        _Recipe("logistic regression on words", lambda: make_pipeline(*_words(TfidfVectorizer), linear), MOST_TEXTS),
        _Recipe("naive Bayes", lambda: make_pipeline(*_words(CountVectorizer), MultinomialNB()), MOST_TEXTS),
    ]


def _words(counter: type[CountVectorizer]) -> tuple[Any, Any]:
    """Return what takes texts out of their column, and counts their words and pairs of words."""
    settings: dict[str, Any] = {"sublinear_tf": True} if counter is TfidfVectorizer else {"binary": True}
    # as our own words, a mark of punctuation is one: scikit-learn's pattern leaves it out, and short words too
    pattern = r"\w+(?:['’]\w+)*|[^\w\s]"
    return FunctionTransformer(np.ravel), counter(ngram_range=(1, 2), token_pattern=pattern, **settings)


def _run(recipe: _Recipe, problem: _Problem) -> Baseline:
    started = time.perf_counter()
    n_columns = len(problem.truth.classes) if problem.truth.task != "binary" else 2
    answers = np.zeros((len(problem.truth), n_columns))
    smallest = len(problem.train)
    for seen, asked in problem.folds:
        rows = _affordable(seen, recipe, problem)
        smallest = min(smallest, len(rows))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a baseline that has not converged is still a baseline
            answers[asked] = _answers(recipe, problem, rows, asked)
    return Baseline(
        recipe.name,
        _predictions(problem.truth, answers),
        _note(recipe, problem, smallest),
        time.perf_counter() - started,
    )


def _affordable(seen: Array, recipe: _Recipe, problem: _Problem) -> Array:
    """Return the rows to fit on: all, or a sample where all would take too long."""
    truth = problem.truth
    n_models = 1 if truth.task == "binary" else len(truth.classes)
    cells_a_row = problem.matrices.fit.shape[1] * n_models * len(problem.folds)
    most_cells = min(recipe.most_cells, memory_bytes() / MEMORY_A_CELL) if recipe.uses_features else recipe.most_cells
    most = max(FEWEST_FIT_ROWS, int(min(most_cells / cells_a_row, 2**62)))
    if len(seen) <= most:
        return seen
    return np.sort(np.random.default_rng(problem.seed).permutation(seen)[:most])


def _note(recipe: _Recipe, problem: _Problem, n_rows: int) -> str:
    out_of_fold = problem.train is problem.truth
    if out_of_fold:
        parts = [f"out of fold: fitted on the evaluation rows, {len(problem.folds)} folds"]
    else:
        parts = [f"fitted on {n_rows:,} training rows"]
    if recipe.uses_features:
        whole = min(len(seen) for seen, _ in problem.folds)
        if n_rows < whole:
            parts.append(f"a random sample of {n_rows:,} of {whole:,} rows, to be quick")
        if problem.matrices.note:
            parts.append(problem.matrices.note)
    return "; ".join(parts)


def _answers(recipe: _Recipe, problem: _Problem, rows: Array, asked: Array) -> Array:
    """Return probabilities (n, n_classes or n_labels) or numbers (n, n_targets) of the rows `asked`."""
    shown = _Rows(problem.matrices.score, asked) if recipe.uses_features else _Rows(_nothing(problem.truth), asked)
    X = _filled(problem.matrices.fit[rows]) if recipe.uses_features else _nothing(problem.train)[rows]
    weight = None if problem.weight is None else problem.weight[rows]
    y = problem.train.values[rows]
    if problem.truth.task == "multilabel":
        return np.column_stack([_probabilities(recipe, X, y[:, k], weight, shown, 2)[:, 1] for k in range(y.shape[1])])
    if problem.truth.task == "regression":
        return np.column_stack([shown.to(_fitted(recipe, X, y[:, k], weight).predict) for k in range(y.shape[1])])
    n_classes = len(problem.truth.classes)
    return _probabilities(recipe, X, y, weight, shown, n_classes)


def _nothing(truth: Truth) -> Array:
    """Return the features of a baseline that looks at none."""
    return np.zeros((len(truth), 1))


def _filled(X: Array) -> Array:
    """Return X with 0 in the columns that hold nothing at all, on which scikit-learn's trees fail."""
    if X.dtype == object:
        return X
    X[:, np.isnan(X).all(axis=0)] = 0.0
    return X


def _probabilities(
    recipe: _Recipe, X: Array, codes: Array, weight: Array | None, asked: _Rows, n_classes: int
) -> Array:
    """Return probabilities of all classes; one that the fitted rows do not hold gets 0."""
    if weight is not None:
        X, codes, weight = X[weight > 0], codes[weight > 0], weight[weight > 0]
    spread = np.zeros((len(asked.rows), n_classes))
    present = np.unique(codes)
    if len(present) == 1:  # nothing to tell apart
        spread[:, present[0]] = 1.0
        return spread
    spread[:, present] = asked.to(_fitted(recipe, X, codes, weight).predict_proba)
    return spread


def _fitted(recipe: _Recipe, X: Array, y: Array, weight: Array | None) -> Any:
    model = recipe.make()
    if weight is None:
        return model.fit(X, y)
    steps = getattr(model, "steps", None)
    name = f"{steps[-1][0]}__sample_weight" if steps else "sample_weight"
    return model.fit(X, y, **{name: weight})


def _predictions(truth: Truth, answers: Array) -> Predictions:
    if truth.task == "regression":
        return Predictions(answers)
    if truth.task == "multilabel":
        return Predictions((answers > 0.5).astype(np.int64), answers, answers)
    return Predictions(answers.argmax(axis=1), answers, answers)
