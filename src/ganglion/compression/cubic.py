"""How sparse weights are while they learn: a cubic rise, steep at first and flat at the end.

    s_t = s_f + (s_i - s_f) (1 - (t - t_0) / (n Δt))³        t = t_0, t_0 + Δt, …, t_0 + n Δt           (eq. 1)

Zhu & Gupta 2017, "To prune, or not to prune", arXiv:1710.01878: many weights go while there are many, few at the end.
"""

from __future__ import annotations

from dataclasses import dataclass

from ganglion.errors import InvalidParameter


@dataclass(frozen=True, slots=True, kw_only=True)
class CubicRise:
    """The share of zeros by step.

    Attributes
    ----------
    final, initial : float in [0, 1)
        s_f, s_i.
    begin : int
        t_0, the step before which the share is `initial`.
    updates, every : int >= 1
        n and Δt: weights are looked at again every so many steps, so often.
    """

    final: float
    initial: float = 0.0
    begin: int = 0
    updates: int = 1
    every: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.initial <= self.final < 1 or min(self.updates, self.every) < 1 or self.begin < 0:
            raise InvalidParameter(f"{self}: shares rise from 0 or more to below 1, in 1 or more updates.")

    def is_due(self, step: int) -> bool:
        """Return whether weights are chosen anew at this step."""
        after = step - self.begin
        return 0 <= after <= self.updates * self.every and after % self.every == 0

    def at(self, step: int) -> float:
        """Return the share of zeros at a step, eq. 1; `final` from the last update on."""
        after = min(max(0, step - self.begin), self.updates * self.every)
        left = 1 - after / (self.updates * self.every)
        return self.final + (self.initial - self.final) * left**3
