"""The background: rows whose values stand in place of what is left out of a sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ganglion.data.rows import n_rows, take_rows
from ganglion.errors import InvalidInput

MOST_ROWS = 100  # of a background: more are thinned, since each costs as many evaluations again
ENOUGH = 10  # rows of X that can be a background themselves


@dataclass(frozen=True, slots=True)
class Background:
    """Rows of a background, and which share they are of those that they were drawn from."""

    rows: Any
    share: float
    words: str


def background_of(X: Any, background: Any, rng: np.random.Generator, most: int = MOST_ROWS) -> Background:
    """Return the background rows: those given, or X itself; of more than `most`, some drawn at random.

    Raises
    ------
    InvalidInput
        If there are none, or X has too few rows to be its own background.
    """
    own = background is None
    rows = X if own else background
    n = n_rows(rows)
    if own and n < ENOUGH:
        raise InvalidInput(
            f"there is no background, and X has {n} row{'s' if n != 1 else ''}, too few to be its own (it takes "
            f"{ENOUGH}). Give background=X_train: what is left out of a sample takes the values that these rows have."
        )
    if n == 0:
        raise InvalidInput("the background is empty. Give at least one row, training rows for instance.")
    of_what = "X itself" if own else "the background"
    if n <= most:
        return Background(rows, 1.0, f"all {n} rows of {of_what}")
    chosen = np.sort(rng.choice(n, size=most, replace=False))
    return Background(take_rows(rows, chosen), most / n, f"{most} of {n:,} rows of {of_what}, drawn at random")
