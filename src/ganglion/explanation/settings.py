"""What a method is told beside data and model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How an explanation is made.

    Attributes
    ----------
    method : str
    n_evaluations : int or None
        How often the model may be asked for a sample; None lets the method decide.
    rng : numpy Generator
        All that is drawn comes from it.
    share : float in (0, 1]
        Of the rows that the background was drawn from, how many it has; 1 where nothing was drawn.
    replaced : str
        What stands in place of what is left out, in words.
    """

    method: str
    n_evaluations: int | None
    rng: np.random.Generator
    share: float = 1.0
    replaced: str = ""
