"""Lines of progress: how far a long comparison is, and how long it will still take."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

EVERY = 5.0  # seconds between two lines

Say = Callable[[str], None]


def say_on_stderr(line: str) -> None:
    """Write a line on stderr."""
    sys.stderr.write(f"{line}\n")


class Progress:
    """Says a line after the first step, and then every five seconds at most.

    Parameters
    ----------
    total : float
        Of all steps, in any unit of work.
    say : callable or None
        What is called with each line; None says nothing.
    """

    def __init__(self, total: float, say: Say | None) -> None:
        self.total, self.say = total, say
        self.done, self.said = 0.0, -EVERY
        self.began = time.monotonic()

    def step(self, work: float, what: str) -> None:
        """Count a step as done, `work` units, and say what it was if it is time to."""
        self.done += work
        passed = time.monotonic() - self.began
        if self.say is None or passed - self.said < EVERY:
            return
        self.said = passed
        left = passed * (self.total - self.done) / self.done
        self.say(f"{what}; about {_duration(left)} left")


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
