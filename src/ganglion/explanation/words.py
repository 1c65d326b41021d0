"""What is said about explanations in words, in a terminal and on a page alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganglion.drawing.axes import number

MOST_GAP = 0.01  # of the output range: what misses more is warned of
SIZES = ("saliency", "smoothgrad", "grad_cam", "rollout")  # methods whose values say how much, in units of their own

if TYPE_CHECKING:
    from ganglion.explanation.explanation import Explanation, Explanations


def headline(explanation: Explanation) -> str:
    """Return what is explained: the output, and what the model says of it."""
    return f"{explanation.output}: {number(explanation.prediction)}"


def begun(explanation: Explanation) -> str:
    """Return where the values begin; nothing of sizes, which begin nowhere."""
    return "" if explanation.method in SIZES else f"from {number(explanation.base)} with nothing known"


def title(explanation: Explanation) -> str:
    """Return both in one line."""
    return ", ".join(filter(None, [headline(explanation), begun(explanation)]))


def certainty(explanation: Explanation) -> list[str]:
    """Return how the values were found and how far they can be believed, in lines."""
    each = explanation
    if each.method in SIZES:
        adding = "values say how strongly, in units of their own, and have no sum that says anything"
    elif not each.adds_up:
        adding = f"base and values miss the output by {each.gap:.1%} of its range; {each.method} does not promise a sum"
    elif each.gap > MOST_GAP:
        adding = f"base and values MISS the output by {each.gap:.1%} of its range: read them with care"
    else:
        adding = f"base and values add up to the output (gap {each.gap:.2%} of its range)"
    said = [adding]
    if each.error is not None and each.error.any():
        said.append("±: 95 % interval")
    if each.stability is not None:
        said.append(f"rank correlation of two halves {each.stability:.2f}")
    return ["; ".join(said) + ".", f"{each.how}."]


def summary(explanations: Explanations) -> str:
    """Return what several explanations are of."""
    outputs = sorted({each.output for each in explanations})
    of = outputs[0] if len(outputs) == 1 else "the predicted class of each"
    said = f"{len(explanations)} samples, {of}, {explanations[0].method}"
    if explanations[0].method not in SIZES:
        said += f", gap up to {explanations.gaps.max():.2%}"
    stability = explanations.stability
    return said if stability is None else f"{said}, rank correlation of halves {stability:.2f}"


def top(explanation: Explanation, most: int) -> list[int]:
    """Return the features to show, the largest value first; of more than `most`, one line is left for the others."""
    order = explanation.order.tolist()
    return order if len(order) <= most else order[: most - 1]


def rest(explanation: Explanation, shown: list[int]) -> tuple[str, float] | None:
    """Return how many features are not shown, and what they add together; None if all are."""
    hidden = len(explanation) - len(shown)
    total = float(explanation.values.sum() - explanation.values[shown].sum())
    return (f"{hidden} others", total) if hidden else None
