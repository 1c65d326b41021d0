"""`explain`: what each feature of a sample adds to what a model says of it.

What may be left out of a sample, and what that means, is told by its modality: see `samples`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ganglion.errors import ExplanationWarning, InvalidParameter, unknown_name
from ganglion.explanation.asking import Asked, Kind, kind_of, span_of
from ganglion.explanation.background import background_of
from ganglion.explanation.explanation import Explanation, Explanations
from ganglion.explanation.gradients import GRADIENTS, by_gradients, check_network, predicted_only
from ganglion.explanation.histories import first_outputs, output_names
from ganglion.explanation.lime import lime
from ganglion.explanation.occlusion import occlusion
from ganglion.explanation.players import Players, answers
from ganglion.explanation.samples import cut_samples, modality_of
from ganglion.explanation.settings import Settings
from ganglion.explanation.shap import shap
from ganglion.explanation.tables import table_of
from ganglion.explanation.words import MOST_GAP

METHODS: dict[str, Callable[[Players, Asked, Settings], list[Explanation]]] = {
    "auto": shap,
    "exact": shap,
    "permutation": shap,
    "kernel": shap,
    "lime": lime,
    "occlusion": occlusion,
}


def explain(
    model: Any,
    X: Any,
    method: str = "auto",
    *,
    background: Any = None,
    output: Any = None,
    parts: Any = None,
    n_evaluations: int | None = None,
    random_state: int | None = 0,
) -> Explanations:
    """Explain what a model says of each sample of X, by what each feature adds to it.

    Parameters
    ----------
    model : estimator
        Any fitted classifier or regressor, of ours or of scikit-learn; pipelines, and loaded model files too; and
        forecasters of ours.
    X : array-like of shape (n_samples, n_features), frame, image stack, texts, sequences, recordings or Dataset
        The samples to explain. Of a table the columns are the features; pictures are cut into superpixels, texts into
        words, recordings and sequences into stretches. Of series, their history: the window that the forecast begins
        behind is cut into stretches of steps of each column, and what is known ahead is a part by itself.
    method : {"auto", "exact", "permutation", "kernel", "lime", "occlusion", "integrated_gradients", …}
        Shapley values, by four: "exact", over all coalitions of the features that differ from a background row, 15 at
        most; "permutation", over random orders, each walked from both ends; "kernel", a regression on random
        coalitions (Lundberg & Lee 2017); "auto" is exact where that costs no more than a million evaluations for all
        rows of a table, else permutation. "lime": the slopes of a linear model around the sample (Ribeiro et al.
        2016). "occlusion": what the answer loses without each feature alone. Values of the last two need not add up.

        Six methods go through our own networks, which pays where there are hundreds of features: texts, pictures,
        recordings. "integrated_gradients" (Sundararajan et al. 2017) and "expected_gradients" (over background rows:
        Erion et al. 2021) add up; both take as many steps as it takes for a gap below half a percent of the output
        range. "saliency" (Simonyan et al. 2013) and "smoothgrad" (Smilkov et al. 2017) are sizes of slopes of the
        score, "grad_cam" (Selvaraju et al. 2017) where the last convolution looked, "rollout" (Abnar & Zuidema 2020)
        where attention went. See `sanity` for whether they tell of what was learned.
    background : the same kind as X, optional
        Rows whose values stand in place of those left out, training rows for instance; the base is the mean answer to
        them. Of more than 100 rows, 100 are drawn. Without it, X itself, if it has 10 rows or more. Parts of pictures
        are blurred without one, words are unknown, sound is silent, numbers of sequences have their mean.
    output : label or list of labels, optional
        Which classes or targets to explain. Without it all of them, up to 16; the predicted class of each sample is
        the one that is shown, and `of(label)` shows another; of a forecast the mean over the horizon, unless "NAME,
        step 3" is asked for. Through networks each of more than two classes costs a
        pass of its own: without it the predicted one alone is explained.
    parts : int, or ndarray of shape (height, width), optional
        How many parts each picture, text, recording or sequence is cut into at most; or which part each pixel is of.
    n_evaluations : int, optional
        How many times the model may be asked for a sample, about. Without it 4,000 times of a table and 1,000 of other
        data, or as often as two walks for each background row take (lime: 5,000 and 1,000). Through networks how many
        steps may be taken: 1,024 of integrated gradients, 16,384 of expected ones; smoothgrad takes 50.
    random_state : int or None
        Seed of all that is drawn. The same seed gives the same bits.

    Returns
    -------
    Explanations
        One a sample. Each has its completeness gap, and an interval of each value, which covers what was drawn: orders
        or coalitions and, where rows were drawn, the background.

    Raises
    ------
    InvalidParameter
        If there is no such method, or it cannot be run within `n_evaluations`.
    InvalidInput
        If the model does not predict, X or the background do not fit it, or there is no background.

    Warns
    -----
    ExplanationWarning
        If base and values miss the prediction by more than 1 % of the model's output range.

    References
    ----------
    Lundberg & Lee 2017, arXiv:1705.07874; Štrumbelj & Kononenko 2014; Mitchell et al. 2022, JMLR 23, 43.
    """
    if method not in METHODS and method not in GRADIENTS:
        raise unknown_name("method of explanation", str(method), [*METHODS, *GRADIENTS])
    if n_evaluations is not None and (type(n_evaluations) is not int or n_evaluations < 2):
        raise InvalidParameter(f"n_evaluations={n_evaluations!r}: give a whole number of 2 or more, or None.")
    kind, rng = kind_of(model), np.random.default_rng(random_state)
    if method in GRADIENTS:
        check_network(model, method)
    every, settings = _samples(model, kind, X, background, parts, method, n_evaluations, rng)
    said = [answers(each) for each in every]
    span = span_of(*(part for pair in said for part in pair))
    names = None
    if every[0].modality == "series":
        names, output = output_names(model), first_outputs(model) if output is None else output
    asked = [Asked.of(model, kind, whole, empty, output, span, names) for whole, empty in said]
    if method in GRADIENTS:
        wanted = [predicted_only(each, kind) for each in asked] if output is None else asked
        return told(Explanations(by_gradients(model, kind, X, background, every, wanted, settings)))
    found: list[Explanation] = []
    for players, each in zip(every, asked, strict=True):
        found += METHODS[method](players, each, settings)
    return told(Explanations(found))


def _samples(
    model: Any, kind: Kind, X: Any, background: Any, parts: Any, method: str, n: int | None, rng: np.random.Generator
) -> tuple[list[Players], Settings]:
    """Return the samples as players: rows of a table together, all others each by itself."""
    modality = modality_of(model, X)
    if modality != "table":
        every = cut_samples(model, kind, modality, X, background, parts)
        return every, Settings(method=method, n_evaluations=n, rng=rng)
    if parts is not None:
        raise InvalidParameter("parts: the rows of a table are not cut, their features are the columns. Leave it away.")
    rows = background_of(X, background, rng)
    table = table_of(model, kind, X, rows.rows)
    words = f"{table.replaced} ({rows.words})"
    return [table], Settings(method=method, n_evaluations=n, rng=rng, share=rows.share, replaced=words)


def told(explanations: Explanations) -> Explanations:
    """Return explanations, after a warning if their values do not add up to what the model says."""
    broken = [i for i, each in enumerate(explanations) if each.adds_up and each.gap > MOST_GAP]
    if broken:
        worst = explanations[max(broken, key=lambda i: explanations[i].gap)]
        warnings.warn(
            f"{len(broken)} of {len(explanations)} explanations do not add up to what the model says: base and values "
            f"miss it by up to {worst.gap:.1%} of its output range (sample {broken[0]} is the first). Read them with "
            "care, raise the number of steps or evaluations, or take method='permutation', which always adds up.",
            ExplanationWarning,
            stacklevel=3,
        )
    return explanations
