"""Ctrl-C and SIGTERM finish the step, instead of leaving weights half moved and nothing saved."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType
from typing import Any

SAME_WITHIN = 1.0  # seconds: `timeout` tells a launcher twice, and `torchrun` hands on both


class Interrupt:
    """A context in which the first SIGINT or SIGTERM is only noted; a second one does at once what it ever did.

    Two SIGTERMs within a second are one, told by two who pass it on. A noted SIGTERM is raised again when the context
    is left, so that the process still ends as it was asked to; a noted SIGINT is not: training returns what it has.
    Outside the main thread, where Python gives no signals, nothing is changed.

    Attributes
    ----------
    requested : bool
        Whether a signal came.
    """

    def __init__(self) -> None:
        self.requested = False
        self._number = 0
        self._time = 0.0
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()
        if self._number == signal.SIGTERM:
            signal.raise_signal(self._number)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if not self.requested:
            self.requested, self._number, self._time = True, number, time.monotonic()
        elif (number, self._number) != (signal.SIGTERM,) * 2 or time.monotonic() - self._time > SAME_WITHIN:
            self._restore()
            signal.raise_signal(number)

    def _restore(self) -> None:
        while self._previous:
            number, handler = self._previous.popitem()
            # a handler that was not set from Python is None here, and cannot be set again: the default stands in
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
