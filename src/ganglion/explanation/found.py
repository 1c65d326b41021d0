"""What a method that goes through a network found of samples of one length."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ganglion.explanation.asking import Array


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Values of samples, and how far they can be believed.

    Attributes
    ----------
    effects : ndarray of shape (n, d, k)
        Of each feature on each output; of features that only longer samples have, 0.
    how : list of str
        In words, of each sample.
    bases : ndarray of shape (n, k), or None
        What is said where nothing is known; None for the mean answer to the background.
    errors : ndarray of shape (n, d, k), or None
    stability : list of float, or None
    heat : Tensor of shape (k, n, …), or None
        What each number behind the input layer adds, or each place of a sample.
    adds_up : bool
        Whether the method promises that bases and effects add up to what is said.
    """

    effects: Array
    how: list[str]
    bases: Array | None = None
    errors: Array | None = None
    stability: list[float] | None = None
    heat: Tensor | None = None
    adds_up: bool = True
