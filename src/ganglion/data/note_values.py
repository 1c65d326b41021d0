"""How long a step of music is: a part of a whole note, told without torch."""

from __future__ import annotations

from fractions import Fraction

from ganglion.errors import InvalidParameter

STEP = "1/4"  # of files, unless something else is asked for
FINEST = 64  # parts of a whole note


def step_length(step: str) -> Fraction:
    """Return how many quarter notes a step has: "1/16" is a quarter of one.

    Raises
    ------
    InvalidParameter
        If it is not "1/" and a whole number up to 64.
    """
    one, _, parts = step.partition("/") if isinstance(step, str) else ("", "", "")
    if one.strip() != "1" or not parts.strip().isdecimal() or not 1 <= int(parts) <= FINEST:
        raise InvalidParameter(
            f"step={step!r}: a step of music is a part of a whole note: '1/4' is a quarter note, '1/16' a sixteenth, "
            f"'1/12' a triplet of eighths; up to '1/{FINEST}'."
        )
    return Fraction(4, int(parts))
