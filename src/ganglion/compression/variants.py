"""What `compress` tries: fewer units, zeros, other networks, fewer bits, and these together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from ganglion.compression.distil import distil, taught_by
from ganglion.compression.folding import fold
from ganglion.compression.prune import prune
from ganglion.compression.quantize import quantize
from ganglion.compression.shrink import shrink
from ganglion.errors import InvalidParameter, unknown_name

STEPS = ("shrink", "prune", "bfloat16", "int8", "activations", "aware")
DEFAULT_STEPS = ("shrink", "prune", "bfloat16", "int8", "activations")
ORIGINAL = "original"


def check_steps(steps: Sequence[str]) -> tuple[str, ...]:
    """Return the names of steps, or raise InvalidParameter."""
    steps = (steps,) if isinstance(steps, str) else tuple(steps)
    for step in steps:
        if step not in STEPS:
            raise unknown_name("step of compression", str(step), STEPS)
    if not steps:
        raise InvalidParameter(f"steps=(): give some of {', '.join(STEPS)}.")
    return steps


class Variants:
    """Smaller copies of a model.

    Parameters
    ----------
    model : Estimator
        Fitted.
    X, y
        Rows to go on training with.
    steps : sequence of str
        Some of `STEPS`.
    keep : sequence of float
        Shares of the units that are kept, from the largest on: each network is cut from the one before.
    spread : {"importance", "even"}
        Of which layers the others are taken.
    sparsity : float
        Share of weights that become zero.
    taught : bool
        Whether the original teaches the others.
    students : sequence of Estimator
        Other networks that it teaches, trained by their own options.
    training : dict
        epochs, learning_rate, … of every further training.

    Attributes
    ----------
    notes : list of str
        What could not be tried, and why.
    """

    def __init__(
        self,
        model: Any,
        X: Any,
        y: Any,
        *,
        steps: Sequence[str],
        keep: Sequence[float],
        spread: Literal["even", "importance"],
        sparsity: float,
        taught: bool,
        students: Sequence[Any],
        training: dict[str, Any],
    ) -> None:
        self.model, self.X, self.y = model, X, y
        self.steps, self.sparsity, self.students = steps, sparsity, students
        self.keep = sorted(keep, reverse=True)
        self.spread: Literal["even", "importance"] = spread
        retrained = taught and {"shrink", "prune", "aware"} & {*steps}
        self.training = {**training, "taught": taught_by(model, True, X) if retrained else False}
        self.notes: list[str] = []

    def made(self) -> Iterator[tuple[str, Any]]:
        """Yield every variant with its name, the original first."""
        yield ORIGINAL, self.model
        folded = fold(self.model)
        if folded is not self.model:
            yield "folded", folded
            self.notes.append("Batch normalisation is folded into the layers before it in all variants.")
        yield from self._in_bits("", self.model)
        for name, base in self._bases():
            folded = fold(base)
            yield name, folded
            yield from self._in_bits(f"{name} + ", folded)

    def _bases(self) -> Iterator[tuple[str, Any]]:
        """Yield networks with fewer units, one with zeros, and those that the model taught."""
        if "shrink" in self.steps:
            yield from self._or_note(self._shrunk)
        if "prune" in self.steps:
            yield from self._or_note(self._pruned)
        for i, student in enumerate(self.students, 1):
            number = f" {i}" if len(self.students) > 1 else ""
            yield f"student{number}, {type(student).__name__}", distil(self.model, student, self.X, self.y)

    def _shrunk(self) -> Iterator[tuple[str, Any]]:
        smaller, kept = self.model, 1.0
        for keep in self.keep:
            smaller = shrink(smaller, self.X, self.y, keep=keep / kept, spread=self.spread, **self.training)
            kept = keep
            yield f"{100 * keep:g} % units", smaller

    def _pruned(self) -> Iterator[tuple[str, Any]]:
        pruned = prune(self.model, self.X, self.y, sparsity=self.sparsity, **self.training)
        yield f"{100 * self.sparsity:g} % zeros", pruned

    def _in_bits(self, prefix: str, base: Any) -> Iterator[tuple[str, Any]]:
        """Yield a network with its weights, and what they multiply, in fewer bits."""
        if "bfloat16" in self.steps:
            yield f"{prefix}bfloat16", quantize(base, kind="bfloat16")
        if "int8" in self.steps:
            yield f"{prefix}int8", quantize(base)
        if "aware" in self.steps:
            yield from self._or_note(lambda: self._aware(prefix, base))
        if "activations" in self.steps:
            yield f"{prefix}int8 all", quantize(base, self.X, activations="static")

    def _aware(self, prefix: str, base: Any) -> Iterator[tuple[str, Any]]:
        yield f"{prefix}int8, aware", quantize(base, self.X, self.y, aware=True, **self.training)

    def _or_note(self, make: Callable[[], Iterator[tuple[str, Any]]]) -> Iterator[tuple[str, Any]]:
        """Yield what a step makes, or note why the model does not allow it."""
        try:
            yield from make()
        except InvalidParameter as error:
            if str(error) not in self.notes:
                self.notes.append(str(error))
