"""Going on: a fitted estimator is trained further, from the weights it has or from a network that was changed.

Encoder, target and the statistics of the preprocessing stay as they are: the answers of before and after compare.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch

from ganglion.data.batches import batch_of
from ganglion.data.suspicions import refuse_swapped_axes
from ganglion.errors import InvalidParameter
from ganglion.estimators.base import Estimator, Samples, random_state
from ganglion.estimators.beside import Beside
from ganglion.estimators.session import Session
from ganglion.networks.network import Network
from ganglion.options import check_options, options_of
from ganglion.training.objective import Batch
from ganglion.training.trainer import OnEpoch, check_callbacks


def train_further(
    model: Estimator,
    X: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    network: Network | None = None,
    validation: tuple[Any, Any] | None = None,
    callbacks: Sequence[OnEpoch] = (),
    beside: Beside | None = None,
    **training: Any,
) -> Any:
    """Return a copy of a fitted estimator that was trained further on data like those of its training.

    Parameters
    ----------
    model : Estimator
        Fitted, and trained by the loop of `ganglion.training`. It is left as it is.
    X, y, sample_weight
        As for `fit`. With the rows of its training and the same `random_state` the same rows are held out.
    network : Network, optional
        Where to start, in place of the model's own network; it is trained in place.
    validation, callbacks, beside
        As for `fit`.
    **training
        Options for this training only, such as epochs, learning_rate, schedule. The result has those of `model`.

    Returns
    -------
    Estimator
        `history_` is that of this training.

    Raises
    ------
    InvalidParameter
        If the estimator is not trained by the loop, or an option is outside its limits.
    InvalidInput
        If the data are not like those of training.
    """
    model._check_fitted()
    if not model.tags.gradients:
        raise InvalidParameter(f"{type(model).__name__} is not trained by gradients, so it cannot go on.")
    pupil = cast(Any, copy.copy(model)).set_params(**training)
    check_options(pupil)
    check_callbacks(callbacks)
    X, y = pupil._features_and_target(X, y)
    data = pupil._dataset(X, reset=False)
    if isinstance(X, np.ndarray):
        refuse_swapped_axes(data, y)
    weight = pupil._weights(sample_weight, len(data))
    y = pupil._read_target(y, data, reset=False)
    if beside is not None:
        beside.check(type(model).__name__, len(data), gradients=True, saves=False)
    kept = np.arange(len(data)) if weight is None else np.flatnonzero(weight)
    if weight is not None and len(kept) < len(data):
        data, y, weight = data.take(kept), y[kept], weight[kept]
    joining = {} if beside is None else beside.take(kept)
    samples = Samples(dict(pupil.encoder_.encode(data)), y, weight, kept, joining)
    start = copy.deepcopy(model.network_) if network is None else network
    session = replace(Session(pupil._seed(), callbacks, beside=beside), start=start)
    held_out = pupil._held_out(validation, data)
    with random_state(session.seed):
        pupil._learn(samples, held_out, session)
    for name in options_of(type(model)):
        setattr(pupil, name, getattr(model, name))
    return pupil


def labelled_batches(model: Estimator, X: Any, y: Any, *, size: int = 256, most: int = 16) -> list[Batch]:
    """Return prepared batches of labelled samples as a training has them, evenly spaced over X, on the CPU.

    Parameters
    ----------
    model : Estimator
        Fitted; its encoder, target and preprocessing are applied.
    X, y
        As for `fit`.
    size, most : int
        Samples in a batch, and batches at most.
    """
    reader: Any = model
    X, y = reader._features_and_target(X, y)
    data = reader._dataset(X, reset=False)
    rows = np.unique(np.linspace(0, len(data) - 1, min(len(data), size * most)).astype(np.int64))
    read = reader._read_target(y, data, reset=False)
    network: Network = reader.network_
    columns = dict(network.ready(reader.encoder_.encode(data.take(rows))))
    columns["target"] = reader.target_.encode(read[rows], network.dtype)
    batches = (batch_of(columns, some) for some in torch.arange(len(rows)).split(size))
    return [{**batch, **network.prepare(batch)} for batch in batches]
