"""What is measured in each group, for many resamples at once.

    selection rate   P(ŷ = 1)            base rate     P(y = 1)           accuracy     P(ŷ = y)
    TPR              P(ŷ = 1 | y = 1)    FPR           P(ŷ = 1 | y = 0)   FNR          P(ŷ = 0 | y = 1)
    precision        P(y = 1 | ŷ = 1)    calibration   E[s] - P(y = 1)    ECE          Σ_b |Σ_{i in b} (s_i - y_i)| / n

y is 1 for the positive class and ŷ for its prediction, s its probability, b ten bins of s of equal width. Of numbers to
be predicted: means of truth, prediction and error, mean absolute and root mean squared error. A function of resampled
weights, (n, b), gives every rate as (g, b): n rows, b resamples, g groups. Shares get Wilson's interval, which is right
also for a share of 0 (Wilson 1927, JASA 22, 209-212); the others get the bootstrap's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ganglion.evaluation.bootstrap import Estimate, percentile_interval, resampled_weights
from ganglion.evaluation.proportions import wilson
from ganglion.evaluation.resampling import indicator, ratio
from ganglion.fairness.groups import Array, Groups

Rates = dict[str, Array]  # (g, b) each
N_BINS = 10
FEWEST = 10  # rows that a rate is a share of, below which it is not judged


@dataclass(frozen=True, slots=True)
class Rate:
    """A figure of a group.

    Attributes
    ----------
    name, label : str
        In dictionaries, and in words.
    of : str
        The rate's denominator: "all" rows, the "positive", the "negative" ones, or those "selected".
    share : bool
        Whether it is a share of rows.
    lifted : bool
        Whether resampling makes it larger (an absolute gap: noise never cancels).
    """

    name: str
    label: str
    of: str = "all"
    share: bool = True
    lifted: bool = False


CLASS_RATES = (
    Rate("base_rate", "positive in truth"),
    Rate("selection_rate", "selected"),
    Rate("tpr", "TPR", of="positive"),
    Rate("fpr", "FPR", of="negative"),
    Rate("fnr", "FNR", of="positive"),
    Rate("precision", "precision", of="selected"),
    Rate("accuracy", "accuracy"),
    Rate("calibration", "score above truth", share=False),
    Rate("calibration_error", "calibration error", share=False, lifted=True),
)
NUMBER_RATES = (
    Rate("mean_truth", "mean truth", share=False),
    Rate("mean_prediction", "mean prediction", share=False),
    Rate("mean_error", "mean error", share=False),
    Rate("mae", "mean |error|", share=False),
    Rate("rmse", "RMSE", share=False),
)


@dataclass(frozen=True)
class Measured:
    """The rates of groups.

    Attributes
    ----------
    rates : tuple of Rate
    values : dict of str to ndarray of shape (g,)
        NaN where a rate is not defined.
    samples : dict of str to ndarray of shape (g, b)
        Of the resamples.
    sizes : dict of str to ndarray of shape (g,)
        Rows behind each rate: all of the group, its positive, negative or selected ones.
    """

    rates: tuple[Rate, ...]
    values: Mapping[str, Array]
    samples: Mapping[str, Array]
    sizes: Mapping[str, Array]

    def judged(self, rate: Rate, min_group: int) -> Array:
        """Say of which groups a rate may be judged, (g,) bool: large enough, and enough rows that it is a share of."""
        enough = (self.sizes["all"] >= min_group) & (self.sizes[rate.of] >= min(FEWEST, min_group))
        return enough & np.isfinite(self.values[rate.name])

    def estimate(self, rate: Rate, group: int) -> Estimate:
        """Return a rate of one group with its interval."""
        value = float(self.values[rate.name][group])
        if not np.isfinite(value):
            return Estimate(None, reason=f"no row of the group is {_WHAT[rate.of]}")
        if rate.share:
            return Estimate(value, *wilson(value, float(self.sizes[f"effective {rate.of}"][group])))
        around = value if rate.lifted else None
        return Estimate(value, *percentile_interval(self.samples[rate.name][group], around=around))


_WHAT = {"all": "there", "positive": "positive in truth", "negative": "negative in truth", "selected": "selected"}


def measure_classes(
    groups: Groups,
    true: Array,
    said: Array,
    score: Array | None,
    *,
    weight: Array | None = None,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> Measured:
    """Measure how a class is told in each group.

    Parameters
    ----------
    groups : Groups
    true, said : ndarray of shape (n,), bool
        Whether a row has the positive class, in truth and as predicted.
    score : ndarray of shape (n,), float, optional
        The probability of the positive class; without, nothing is said of calibration.
    weight : ndarray of shape (n,), optional
    n_bootstrap, seed : int
        Resamples, and their seed.
    """
    rates = tuple(rate for rate in CLASS_RATES if score is not None or not rate.name.startswith("calibration"))
    of = {"all": np.ones(len(true), bool), "positive": true, "negative": ~true, "selected": said}
    function = _class_rates(groups, true, said, score)
    return _measured(groups, rates, function, of, weight, n_bootstrap, seed)


def measure_numbers(
    groups: Groups,
    true: Array,
    said: Array,
    *,
    weight: Array | None = None,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> Measured:
    """Measure how numbers, (n,) float, are predicted in each group; parameters as above."""
    of = {"all": np.ones(len(true), bool)}
    return _measured(groups, NUMBER_RATES, _number_rates(groups, true, said), of, weight, n_bootstrap, seed)


def _measured(
    groups: Groups,
    rates: tuple[Rate, ...],
    function: Callable[[Array], Rates],
    of: Mapping[str, Array],
    weight: Array | None,
    n_bootstrap: int,
    seed: int,
) -> Measured:
    own = np.ones(len(groups)) if weight is None else weight
    values = {name: each[:, 0] for name, each in function(own[:, None]).items()}
    parts = [function(weights) for weights in resampled_weights(len(groups), n_bootstrap, seed, weight)]
    samples = {name: np.concatenate([part[name] for part in parts], axis=1) for name in values}
    sizes: dict[str, Array] = {}
    for name, rows in of.items():
        counted = np.bincount(groups.codes, weights=rows & (own > 0), minlength=len(groups.labels))
        sums, squares = (
            np.bincount(groups.codes, weights=rows * own**power, minlength=len(groups.labels)) for power in (1, 2)
        )
        sizes |= {name: counted.astype(np.int64), f"effective {name}": ratio(sums**2, squares, 0.0)}
    return Measured(rates, values, samples, sizes)


def _class_rates(groups: Groups, true: Array, said: Array, score: Array | None) -> Callable[[Array], Rates]:
    g = len(groups.labels)
    cell = indicator(groups.codes * 4 + true * 2 + said, 4 * g)
    mean = None if score is None else indicator(groups.codes, g, score - true)
    bins = None if score is None else np.clip(np.ceil(score * N_BINS).astype(np.int64) - 1, 0, N_BINS - 1)
    gap = None if bins is None else indicator(groups.codes * N_BINS + bins, N_BINS * g, score - true)

    def rates(weights: Array) -> Rates:
        counts = (cell @ weights).reshape(g, 2, 2, -1)  # group, truth, prediction
        n, positive, negative = counts.sum(axis=(1, 2)), counts[:, 1].sum(axis=1), counts[:, 0].sum(axis=1)
        selected = counts[:, :, 1].sum(axis=1)
        found = {
            "base_rate": ratio(positive, n),
            "selection_rate": ratio(selected, n),
            "tpr": ratio(counts[:, 1, 1], positive),
            "fpr": ratio(counts[:, 0, 1], negative),
            "fnr": ratio(counts[:, 1, 0], positive),
            "precision": ratio(counts[:, 1, 1], selected),
            "accuracy": ratio(counts[:, 0, 0] + counts[:, 1, 1], n),
        }
        if mean is None or gap is None:
            return found
        by_bin = np.abs(gap @ weights).reshape(g, N_BINS, -1).sum(axis=1)
        return found | {"calibration": ratio(mean @ weights, n), "calibration_error": ratio(by_bin, n)}

    return rates


def _number_rates(groups: Groups, true: Array, said: Array) -> Callable[[Array], Rates]:
    g, error = len(groups.labels), said - true
    sums = {
        "mean_truth": indicator(groups.codes, g, true),
        "mean_prediction": indicator(groups.codes, g, said),
        "mean_error": indicator(groups.codes, g, error),
        "mae": indicator(groups.codes, g, np.abs(error)),
        "rmse": indicator(groups.codes, g, error**2),
    }
    count = indicator(groups.codes, g)

    def rates(weights: Array) -> Rates:
        n = count @ weights
        found = {name: ratio(matrix @ weights, n) for name, matrix in sums.items()}
        return found | {"rmse": np.sqrt(found["rmse"])}

    return rates
