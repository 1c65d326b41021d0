"""Piano rolls: time goes to the right, pitch up, and a bar is a note that sounds.

With what a model expected beside it, a bar is blue where it was right, orange where it was missed, and an empty frame
where a note was expected that did not come.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator

import numpy as np

from ganglion.drawing.svg import Chart, legend, line, rect, text

LEFT, TOP, RIGHT_EDGE = 40.0, 26.0, 8.0
WIDEST, NARROWEST = 22.0, 5.0  # pixels of a step
WIDTH = 640.0  # of the steps together, if they are not too many
KEY = 5.0  # pixels
AROUND = 2  # keys shown above and below the notes
OCTAVE = 12
DIGIT = 9  # pixels that a digit of a number is wide, with its share of the room between two
COLOURS = {"right": "blue", "missed": "orange"}


def piano_roll_chart(
    roll: np.ndarray,
    title: str,
    *,
    said: np.ndarray | None = None,
    first: int = 1,
    lowest: int = 21,
    name: Callable[[int], str] = str,
) -> Chart:
    """Draw a piano roll.

    Parameters
    ----------
    roll : ndarray of shape (steps, keys), 0 or 1
    title : str
        What the picture is of.
    said : ndarray of shape (steps, keys), optional
        The keys that were expected in each step.
    first : int
        The number of the first step.
    lowest : int
        The pitch of the first key; a multiple of 12 is a C.
    name : callable
        From a pitch to its name.
    """
    states = {"right": roll > 0} if said is None else _compared(roll > 0, said > 0)
    heard = np.flatnonzero(np.any([each.any(axis=0) for each in states.values()], axis=0))
    low, high = (int(heard[0]) - AROUND, int(heard[-1]) + AROUND) if len(heard) else (0, roll.shape[1] - 1)
    step = min(WIDEST, max(NARROWEST, WIDTH / max(1, len(roll))))
    right, bottom = LEFT + step * len(roll), TOP + KEY * (high - low + 1)

    def y(key: int) -> float:
        return TOP + KEY * (high - key)

    marks = [text(LEFT, 14, title, kind="b")]
    for key in range(low, high + 1):
        if (key + lowest) % OCTAVE == 0:
            marks.append(line(LEFT, y(key) + KEY, right, y(key) + KEY))
            marks.append(text(LEFT - 6, y(key) + KEY, name(key + lowest), anchor="end", kind="s"))
    marks += [line(x, TOP, x, bottom) for x in _quarters(len(roll), step)]
    for state, there in states.items():
        for key, begin, end in _bars(there):
            tip = f"{name(key + lowest)}, steps {first + begin} to {first + end - 1}" + (
                f": {state}" if said is not None else ""
            )
            box = (LEFT + step * begin + 0.5, y(key) + 0.5, step * (end - begin) - 1, KEY - 1)
            marks.append(rect(*box, colour=COLOURS[state], tip=tip) if state in COLOURS else _frame(*box, tip))
    marks.append(line(LEFT, bottom, right, bottom, colour="soft"))
    for i in _labelled(len(roll), DIGIT * len(str(first + len(roll))) / step):
        marks.append(text(LEFT + step * (i + 0.5), bottom + 14, first + i, anchor="middle", kind="s"))
    height = bottom + 22
    if said is not None:
        keys = [
            ("expected and there", "blue", ""),
            ("not expected", "orange", ""),
            ("expected, not there", "soft", "3 2"),
        ]
        names, last = legend(LEFT, height + 8, keys, max(right, 300))
        marks.append(names)
        height = last + 8
    return Chart(title, max(right + RIGHT_EDGE, 300.0), height, "".join(marks))


def _compared(true: np.ndarray, said: np.ndarray) -> dict[str, np.ndarray]:
    return {"right": true & said, "missed": true & ~said, "false": said & ~true}


def _bars(there: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Give key, first step and the step behind the last one of each run of steps."""
    edges = np.diff(there.T.astype(np.int8), axis=1, prepend=0, append=0)
    keys, begins = np.nonzero(edges == 1)
    yield from zip(keys.tolist(), begins.tolist(), np.nonzero(edges == -1)[1].tolist(), strict=True)


def _quarters(n_steps: int, step: float) -> list[float]:
    return [LEFT + step * i for i in range(0, n_steps + 1, 4)]


def _labelled(n_steps: int, wide: float) -> range:
    """Return the steps whose number is written: 16 at most, and so far apart as a number is wide, in steps."""
    every = next(k for k in (1, 2, 4, 8, 16, 32, 64, n_steps) if n_steps / k <= 16 and (k > wide or k == n_steps))
    return range(0, n_steps, every)


def _frame(x: float, y: float, width: float, height: float, tip: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{max(height, 0):.1f}" fill="none" '
        f'stroke="var(--soft)" stroke-dasharray="3 2"><title>{html.escape(tip)}</title></rect>'
    )
