"""`shrink`: units that matter least are removed, so that the network itself is smaller and faster.

What is left is an ordinary estimator: its options say its size, and it saves, loads, exports and explains as before.
Which units go is decided by what they matter to the loss (`importance`), over all layers together or in each alike;
then training goes on, if so wished with the whole network as its teacher.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from typing import Any, Literal

from torch import Tensor

from ganglion.compression.distil import taught_by
from ganglion.compression.importance import Criterion, importance_of_units
from ganglion.compression.settings import (
    check_count,
    check_model,
    check_share,
    check_spread,
    epochs_further,
    noted,
    some_rows,
)
from ganglion.compression.widths import Place, Width, counted, found_widths, without
from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.estimators.further import labelled_batches, train_further

TRIED = 16  # samples on which arrangements of units are tried
LEAST = 0.1  # of a layer's units that always stay: a layer of nothing lets nothing through


def shrink(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    keep: float = 0.5,
    criterion: Criterion = "taylor",
    spread: Literal["even", "importance"] = "importance",
    rounds: int = 1,
    epochs: int | None = None,
    taught: Any = False,
    **training: Any,
) -> Any:
    """Return a smaller copy of a fitted estimator, without the units that matter least.

    Parameters
    ----------
    model : Estimator
        Fitted, and trained by gradients. It is left as it is.
    X, y
        Training data, as for `fit`.
    keep : float in (0, 1)
        Share of the units (hidden units, channels) that stay. Work and weights fall about with its square.
    criterion : {"taylor", "magnitude"}
        What tells the units that go: what the loss would change without them, or the size of their weights.
    spread : {"importance", "even"}
        Whether the least important of all layers go, or the same share of each layer, which is faster: the first layers
        of a network of pictures cost most, and processors like even widths. A tenth of each layer stays.
    rounds : int >= 1
        How often some of them go and training goes on.
    epochs : int, optional
        Of training after each round; without, a third of those that the model was trained for, 2 at least.
    taught : bool
        Whether the model, as it is, is the teacher of that training (see `distil`).
    **training
        Options of the further training, such as learning_rate.

    Returns
    -------
    Estimator
        Its options say the new widths; `compression_` says what was done.

    Raises
    ------
    InvalidParameter
        If a setting is outside its limits, or the estimator has no units that can be removed.
    """
    check_model(model, trained_further=True)
    check_share("keep", keep)
    if criterion not in ("taylor", "magnitude"):
        raise InvalidParameter(f"criterion={criterion!r}: give 'taylor' or 'magnitude'.")
    check_spread(spread)
    rounds, epochs = check_count("rounds", rounds), epochs_further(model, epochs)
    batches = labelled_batches(model, X, y)
    widths = found_widths(model, model.encoded(some_rows(X, TRIED)))
    floor = {width.place: max(1, math.ceil(LEAST * width.n)) for width in widths}
    whole = sum(width.n for width in widths)
    smaller, lesson = model, taught_by(model, taught, X)
    for i in range(1, rounds + 1):
        importance = importance_of_units(smaller, widths, criterion, batches)
        share = keep ** (i / rounds)
        kept = chosen(importance, round(share * whole), floor, even=spread == "even")
        smaller, kept = _cut(smaller, widths, kept, importance)
        widths = [Width(width.place, len(kept[width.place]), width.axes) for width in widths]
        smaller = train_further(smaller, X, y, beside=lesson, epochs=epochs, **training)
    now = counted(smaller.widths())
    left = {width.name: now[width.place] for width in widths}
    return noted(smaller, model, "shrink", keep=keep, criterion=criterion, spread=spread, left=left)


def _cut(
    model: Any, widths: Sequence[Width], kept: dict[Place, Tensor], importance: dict[Place, Tensor]
) -> tuple[Any, dict[Place, Tensor]]:
    """Return the model without the other units; a layer keeps one more where equal widths would bring shortcuts."""
    for more in [None, *kept]:
        counts = {place: len(units) + (place == more) for place, units in kept.items()}
        some = {place: importance[place].argsort(descending=True, stable=True)[:n] for place, n in counts.items()}
        some = {place: units.sort().values for place, units in some.items()}
        with contextlib.suppress(InvalidInput):
            return without(model, widths, some), some
    raise InvalidParameter(
        f"no network of {type(model).__name__} has about the widths {[len(units) for units in kept.values()]} and the "
        "same layers. Keep another share of the units."
    )


def chosen(
    importance: dict[Place, Tensor], n_kept: int, floor: dict[Place, int], *, even: bool = False
) -> dict[Place, Tensor]:
    """Return which units of each layer stay, sorted.

    Parameters
    ----------
    importance : dict of place to Tensor of shape (n,)
    n_kept : int
        Units that stay, of all layers together; more, where the least number of each layer asks for it.
    floor : dict of place to int
        How many units of each layer stay in any case: its most important ones.
    even : bool
        Whether every layer keeps the same share.
    """
    ranked = {place: values.argsort(descending=True, stable=True) for place, values in importance.items()}
    total = sum(map(len, ranked.values()))
    if even:
        counts = {place: max(floor[place], round(n_kept / total * len(order))) for place, order in ranked.items()}
    else:
        counts = _counts(importance, ranked, n_kept, floor)
    return {place: order[: min(counts[place], len(order))].sort().values for place, order in ranked.items()}


def _counts(
    importance: dict[Place, Tensor], ranked: dict[Place, Tensor], n_kept: int, floor: dict[Place, int]
) -> dict[Place, int]:
    """Return how many units each layer keeps if the most important of all layers stay."""
    sure = sum(floor.values())
    others: list[tuple[float, Place]] = [
        (float(importance[place][unit]), place) for place, order in ranked.items() for unit in order[floor[place] :]
    ]
    others.sort(key=lambda each: -each[0])
    counts = dict(floor)
    for _, place in others[: max(0, n_kept - sure)]:
        counts[place] += 1
    return counts
