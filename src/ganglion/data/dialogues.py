"""Dialogues as pairs: each turn answers the one before it.

{"turns": ["Hi.", "Hello!", "How are you?"]}      →      text "Hi."      answer "Hello!"
text "Hello!"   answer "How are you?"
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

TEXT, ANSWER, DIALOGUE = "text", "answer", "dialogue"
_BLANKS = 0.5  # texts of which fewer than this hold a blank are words, not turns


def turns_in(columns: Mapping[str, Sequence[Any]]) -> str | None:
    """Return the name of the column that holds the turns of a dialogue in each line, if there is one.

    Parameters
    ----------
    columns : mapping of str to sequence
        The values of each column, line by line.
    """
    lists = [name for name, values in columns.items() if any(isinstance(value, list) for value in values)]
    if len(lists) != 1 or not all(map(_are_texts, columns[lists[0]])):
        return None
    turns = [turn for value in columns[lists[0]] for turn in value or ()]
    spoken = sum(len(turn.split()) > 1 for turn in turns) >= _BLANKS * max(1, len(turns))
    return lists[0] if spoken and any(len(value or ()) > 1 for value in columns[lists[0]]) else None


def pairs_of(columns: Mapping[str, Sequence[Any]], turns: str) -> dict[str, list[Any]]:
    """Return the columns of pairs: "text", "answer", the line's number as "dialogue", and the line's other values.

    A line with one turn, or none, gives no pair; a pair of which one side says nothing is none either.
    """
    pairs = [
        (line, one, other)
        for line, said in enumerate(columns[turns])
        for one, other in pairwise(said or ())
        if one.strip() and other.strip()
    ]
    lines = [line for line, _, _ in pairs]
    others = {
        name: [values[line] for line in lines]
        for name, values in columns.items()
        if name not in (turns, TEXT, ANSWER, DIALOGUE)
    }
    return {
        TEXT: [one for _, one, _ in pairs],
        ANSWER: [other for _, _, other in pairs],
        DIALOGUE: [float(line) for line in lines],
        **others,
    }


def _are_texts(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(each, str) for each in value))
