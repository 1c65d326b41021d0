"""Models that make data, or say them again: measured, not admired.

    frechet               how far made rows lie from real ones, as Gaussians in the features         (see `frechet`)
    precision, recall     made rows among real ones, real ones among made ones                        (see `manifold`)
    density, coverage     the same, less moved by single rows
    memorisation, copies  whether made rows hug training rows; one half and none are fair         (see `memorisation`)
    tstr, trtr            what trees learn from made rows, and from real ones, of a table           (see `usefulness`)
    reconstruction_error  mean square of what is missed, in plain numbers                          (see `feature_space`)
    elbo, log_likelihood  as the model gives them, in nats

Only what a model can do is asked of it. As many rows are made as are compared, so that the bootstrap can draw both
anew, in pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ganglion.data.convert import as_dataset
from ganglion.errors import InvalidInput
from ganglion.evaluation.feature_space import FeatureSpace, feature_space
from ganglion.evaluation.frechet import expected_of_one_law, moments, resampled_frechet
from ganglion.evaluation.generation_charts import Shown, look_at
from ganglion.evaluation.manifold import K, Neighbourhoods, neighbourhoods
from ganglion.evaluation.memorisation import Nearness, nearness
from ganglion.evaluation.metrics import METRICS, Metric, metric_of
from ganglion.evaluation.predictions import Array, Truth
from ganglion.evaluation.resampling import Resampled, values_at
from ganglion.evaluation.usefulness import Column, answers, column_to_learn, resampled_usefulness

if TYPE_CHECKING:
    from ganglion.data.dataset import Dataset

MOST = 5000  # rows that are compared
TRAINING = 20_000  # training rows among which the nearest is looked for
LIKELIHOOD_NUMBERS, DRAWS = 10**8, 500  # of rows whose likelihood is estimated, by so many draws each


@dataclass(frozen=True)
class Reality(Truth):
    """Real rows.

    Attributes
    ----------
    data : Dataset
        All of them; the features alone.
    labels : ndarray of shape (n,), or None
        Their classes, if they have any: for the features, and for models that make rows of a class.
    training, training_labels : the same of rows that were learned from, or None
    width : int or None
        Numbers of the model's code, if it says rows again.
    """

    data: Any = None
    labels: Array | None = None
    training: Any = None
    training_labels: Array | None = None
    width: int | None = None

    @cached_property
    def rows(self) -> Array:
        """Which rows are compared: all, or some of very many at random."""
        return np.sort(np.random.default_rng(0).permutation(len(self))[:MOST])

    @cached_property
    def some(self) -> Dataset:
        """The rows that are compared."""
        return self.data if len(self.rows) == len(self) else self.data.take(self.rows)

    @cached_property
    def space(self) -> FeatureSpace:
        """The numbers in which rows are compared."""
        reference = self.data if self.training is None else self.training
        return feature_space(reference, self.training_labels)

    @cached_property
    def seen(self) -> Dataset | None:
        """The training rows, or some of very many."""
        if self.training is None or len(self.training) <= TRAINING:
            return self.training
        return self.training.take(np.sort(np.random.default_rng(0).permutation(len(self.training))[:TRAINING]))

    @cached_property
    def features(self) -> Array:
        """The rows in the space of features, (m, d)."""
        return self.space.features(self.some)

    @cached_property
    def plain(self) -> Array:
        """The rows as plain numbers, (m, d)."""
        return self.space.plain(self.some)

    @cached_property
    def seen_features(self) -> Array | None:
        """The training rows in the space of features."""
        return None if self.seen is None else self.space.features(self.seen)

    @cached_property
    def column(self) -> Column | None:
        """The column that is learned from made rows, of a table."""
        return column_to_learn(self.data)

    @cached_property
    def answers(self) -> Array | None:
        """What is answered about the rows by trees that learned from as many training rows."""
        if self.column is None or self.seen is None:
            return None
        rows = np.random.default_rng(1).permutation(len(self.seen))[: len(self.rows)]
        return answers(self.column, self.seen.take(rows), self.some, self.seen)

    def take(self, rows: Array) -> Reality:
        """Return the rows `rows`, (k,) indices."""
        labels = None if self.labels is None else self.labels[rows]
        return replace(self, values=self.values[rows], data=self.data.take(rows), labels=labels)


@dataclass(frozen=True)
class Made:
    """What a model makes, and says again.

    Attributes
    ----------
    rows : Dataset or None
        Made rows, as many as are compared.
    features : ndarray of shape (m, d), or None
    around : Neighbourhoods or None
    near : Nearness or None
    answers : ndarray of shape (m,), or None
        About real rows, by trees that learned from the made ones.
    errors : ndarray of shape (m,), or None
        Of reconstruction.
    told : dict of str to ndarray
        "elbo", (m,), and "log_likelihood", (k,) of the first rows.
    shown : Shown or None
        What is drawn; not of baselines.
    """

    rows: Dataset | None = None
    features: Array | None = None
    around: Neighbourhoods | None = None
    near: Nearness | None = None
    answers: Array | None = None
    errors: Array | None = None
    told: Mapping[str, Array] = field(default_factory=dict)
    shown: Shown | None = None


def reality(model: Any, X: Any, y: Any, what: str = "y") -> Reality:
    """Return real rows; y, where it holds classes, is kept for the features.

    Raises
    ------
    InvalidInput
        If X is neither a table nor images, or has too few rows to be compared.
    """
    data = as_dataset(X)
    data = data.drop(data.target) if data.target else data
    if len(data) <= K:
        raise InvalidInput(f"{len(data)} rows are too few to compare with what is made. Give more than {K}.")
    kinds = sorted(
        {each.kind for each in data.features} - {"numeric", "boolean", "date", "categorical", "image", "text"}
    )
    if kinds:
        raise InvalidInput(
            f"X holds {', '.join(kinds)}, but made data are judged as tables or images. Give one of them."
        )
    task: Any = getattr(getattr(model, "tags", None), "task", "generation")
    labels = _classes(y, len(data))
    return Reality(task, np.arange(len(data)), (), data, labels, width=_width(model, data, labels))


def _width(model: Any, data: Dataset, labels: Array | None) -> int | None:
    if not hasattr(model, "inverse_transform"):
        return None
    y = {"y": labels[:1]} if getattr(model, "conditional", False) and labels is not None else {}
    return None if getattr(model, "conditional", False) and not y else model.transform(data.take([0]), **y).shape[1]


def _classes(y: Any, n: int) -> Array | None:
    """Return y as labels if it holds classes, one a row."""
    from ganglion.data.task import infer_task

    if y is None or np.ndim(y) != 1 or len(y) != n:
        return None
    return np.asarray(y) if infer_task(y).is_classification else None


def informed_reality(truth: Reality, X: Any, train: tuple[Any, Any]) -> Reality:
    """Return the truth with the rows that were learned from, and their labels."""
    seen = reality(None, *train)
    return replace(truth, training=seen.data, training_labels=seen.labels)


def imagine(model: Any, X: Any, truth: Reality) -> Made:
    """Ask a model for new rows, for the real ones again, and for how likely they are, as far as it can tell."""
    labels = _labels_for(model, truth)
    y = {} if labels is None else {"y": labels}
    rows = None
    if truth.task == "generation":
        rows = as_dataset(model.sample(len(truth.rows), random_state=0, **y))
    made = judged(truth, rows)
    again = _said_again(model, truth.some, y)
    errors = None if again is None else squares(truth, again)
    return replace(
        made, errors=errors, told=_told(model, truth, y), shown=look_at(model, truth, rows, again, made.near)
    )


def _labels_for(model: Any, truth: Reality) -> Array | None:
    if not getattr(model, "conditional", False):
        return None
    if truth.labels is None:
        raise InvalidInput(
            f"{type(model).__name__} was fitted with conditional=True: it makes rows of a class. Give y, the classes "
            "of the rows."
        )
    return truth.labels[truth.rows]


def judged(truth: Reality, rows: Dataset | None) -> Made:
    """Compare made rows with real ones and with training rows."""
    if rows is None:
        return Made()
    features = truth.space.features(rows)
    if not np.isfinite(features).all():
        raise InvalidInput("the model makes NaN or infinity. Train it again with a lower learning rate.")
    seen = truth.seen_features
    near = None if seen is None else nearness(features, truth.features, seen)
    said = None
    if truth.column is not None and truth.seen is not None:
        said = answers(truth.column, rows, truth.some, truth.seen)
    return Made(rows, features, neighbourhoods(truth.features, features), near, said)


def squares(truth: Reality, again: Dataset) -> Array:
    """Return the mean square of what is missed of each row, in plain numbers, (m,)."""
    return np.square(truth.space.plain(again) - truth.plain).mean(axis=1)


def _said_again(model: Any, data: Dataset, y: Mapping[str, Array]) -> Dataset | None:
    if not hasattr(model, "inverse_transform"):
        return None
    return as_dataset(model.inverse_transform(model.transform(data, **y), **y))


def _told(model: Any, truth: Reality, y: Mapping[str, Array]) -> dict[str, Array]:
    """Return the evidence bound and the log-likelihood of rows, where a model has them."""
    told: dict[str, Array] = {}
    if hasattr(model, "elbo"):
        told["elbo"] = np.asarray(model.elbo(truth.some, random_state=0, **y))
    if hasattr(model, "log_partition"):
        told["log_likelihood"] = np.asarray(model.score_samples(truth.some)) - model.log_partition(random_state=0).value
    elif hasattr(model, "log_likelihood"):
        most = max(50, LIKELIHOOD_NUMBERS // DRAWS // truth.plain.shape[1])
        few = truth.some.take(np.arange(min(most, len(truth.some))))
        some = {name: each[: len(few)] for name, each in y.items()}
        told["log_likelihood"] = np.asarray(model.log_likelihood(few, samples=DRAWS, random_state=0, **some))
    return told


def resampled_generation_metrics(truth: Reality, said: Made) -> list[Resampled]:
    """Return the functions of the weights of the rows, (n, b), that give every metric that is defined, (b,) each."""
    found: list[Resampled] = []
    if said.features is not None and said.around is not None:
        found += [resampled_frechet(truth.features, said.features), _around(said.around)]
    if said.near is not None:
        found.append(said.near.resampled())
    if truth.column is not None and truth.answers is not None and said.answers is not None:
        true = truth.column.values(truth.some)
        found += [resampled_usefulness("tstr", true, said.answers), resampled_usefulness("trtr", true, truth.answers)]
    means = dict(said.told) | ({} if said.errors is None else {"reconstruction_error": said.errors})
    found += [_mean(name, values) for name, values in means.items()]
    return [_of_rows(each, truth.rows) for each in found]


def _of_rows(function: Resampled, rows: Array) -> Resampled:
    return lambda weights: function(weights[rows])


def _mean(name: str, values: Array) -> Resampled:
    def metrics(weights: Array) -> dict[str, Array]:
        of_them = weights[: len(values)]
        return {name: values @ of_them / of_them.sum(axis=0)}

    return metrics


def _around(around: Neighbourhoods) -> Resampled:
    rows = np.stack([around.holders > 0, around.recalled, around.holders / around.k, around.covered]).astype(np.float64)

    def metrics(weights: Array) -> dict[str, Array]:
        return dict(
            zip(("precision", "recall", "density", "coverage"), rows @ weights / weights.sum(axis=0), strict=True)
        )

    return metrics


_REASONS = {
    "memorisation": "no training rows are known to look for copies in: give train=(X_train, y_train)",
    "tstr": "there is no column to be learned from the others, or no training rows",
    "reconstruction_error": "the model does not say rows again",
    "elbo": "the model gives no bound of the likelihood",
    "log_likelihood": "the model gives no likelihood",
}
_ALIKE = {"copies": "memorisation", "trtr": "tstr"}


def generation_values(truth: Reality, said: Made, weight: Array | None = None) -> dict[str, float | str]:
    """Return every metric, or the reason why it is not defined."""
    weight = np.ones(len(truth)) if weight is None else weight
    found = values_at(resampled_generation_metrics(truth, said), weight, lambda name: "it is not finite")
    nothing = "the model makes no new rows"
    said_why: dict[str, str] = dict.fromkeys(("memorisation", "tstr"), nothing) if said.rows is None else {}

    def why(name: str) -> str:
        name = _ALIKE.get(name, name)
        return said_why.get(name) or _REASONS.get(name, nothing)

    return {metric.name: found.get(metric.name, why(metric.name)) for metric in METRICS[truth.task]}


def generation_facts(truth: Reality, said: Made) -> dict[str, str]:
    """Return what a reader must know: in what features rows are compared, and what is to be expected of figures."""
    if truth.task == "reconstruction":
        return {}
    n, d = truth.features.shape
    fair = expected_of_one_law(moments(truth.features)[1], n, n)
    facts = {
        "Features": f"{truth.space.note}; {d} numbers",
        "Compared": f"{n:,} real rows with {n:,} made ones, the {K} nearest neighbours of each",
        "Fréchet distance": f"as of Gaussians; two samples of {n:,} of one Gaussian lie {fair:.3g} apart on average: "
        "no model can be expected below. Its interval comes from drawing both anew, moved back by what that adds",
        "Precision, recall, density, coverage": "intervals from drawing rows anew, the neighbourhoods kept",
    }
    if truth.seen is not None:
        facts["Memorisation"] = (
            f"the chance that a made row is nearer to its nearest of {len(truth.seen):,} training rows than a held-out "
            "row is; 0.5 is fair"
        )
    if truth.column is not None and truth.answers is not None:
        what = "accuracy" if truth.column.classes else "R²"
        facts["Trained on made, tested on real"] = f"{what} of trees that learn {truth.column} from the other columns"
    few = said.told.get("log_likelihood")
    if few is not None and len(few) < n:
        facts["Log-likelihood"] = f"of the first {len(few):,} rows alone, by {DRAWS:,} draws each"
    return facts


def deciding_metric(truth: Reality, measured: Mapping[str, Any]) -> Metric:
    """Return the metric that decides of made rows: in plain numbers a Gaussian has the Fréchet distance for nothing."""
    return metric_of("generation", "frechet" if truth.space.learned else "coverage")


def cost_in_rankings(truth: Reality, said: Made) -> int:
    """Return what a resample costs, in rankings of the rows: two covariances, and two roots."""
    d = 0 if said.features is None else said.features.shape[1]
    return 1 + d * d // 8 + 8 * d**3 // max(1, len(truth))
