"""Mitigations whose answers are drawn: of two classes, by a chance that keeps rates of groups alike."""

from __future__ import annotations

from typing import Any

import numpy as np

from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.fairness.debiased import Debiased
from ganglion.fairness.groups import Array, Sensitive

CONSTRAINTS = ("equalized_odds", "demographic_parity", "true_positive_rate_parity", "false_positive_rate_parity")


class Drawn(Debiased):
    """Base of `Constrained` and `Thresholded`: a constraint on the rates of two classes, and a coin where it asks."""

    constraint: str
    random_state: int

    def _check(self, what: str) -> None:
        """Raise InvalidParameter unless the constraint is known, and InvalidInput unless there are two classes."""
        if self.constraint not in CONSTRAINTS:
            raise InvalidParameter(f"constraint={self.constraint!r}: give one of {', '.join(CONSTRAINTS)}.")
        if len(self.classes_) != 2:
            raise InvalidInput(
                f"{what} decides between two classes, but y has {len(self.classes_)}. Compare one class with the "
                "others (y == label), or use the methods reweighing or adversarial."
            )

    def predict(self, X: Any, *, sensitive: Sensitive = None) -> Array:
        """Return the class of each sample, drawn by its chance: the same rows get the same answers.

        Parameters
        ----------
        X : array-like, frame or Dataset
        sensitive : array-like, frame or mapping, optional
            The groups, for mitigations that need them and where no column of X has them.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        chance = self.predict_proba(X, sensitive=sensitive)[:, 1]
        return self.classes_[drawn(chance, self.random_state).astype(np.intp)]


def drawn(chance: Array, seed: int) -> Array:
    """Return for each row whether a coin with its chance, (n,), falls on it; the same rows get the same answers.

    The coins have a stream of their own: one that data were drawn from with the same seed would go along with them.
    """
    coins = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1,))).uniform(size=len(chance))
    return coins < chance
