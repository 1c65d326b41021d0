"""Operators on strings, put together: letters made small, and joined again, in a graph that plain onnxruntime runs.

ONNX's own StringNormalizer asks the machine for a language, and fails where that is not installed; here every letter is
looked up in a table that Python wrote. Only a Greek sigma depends on its neighbours:

    Σ → ς   behind a letter that has small and capital forms, and not before one; marks between them are passed over
    Σ → σ   elsewhere
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ganglion.deployment.packages import onnx_package

ML, MICROSOFT = "ai.onnx.ml", "com.microsoft"  # beside ONNX's own operators these are in every onnxruntime
DOMAINS = ((ML, 3), (MICROSOFT, 1))
PURPOSE = "exporting a model"
SIGMA, WITHIN, FINAL = "Σσς"
_OTHER, _CASED, _PASSED = 0, 1, 2  # what a letter is to a sigma beside it
_END = 2**31 - 1


class TextNodes:
    """Nodes of a graph that reads texts; calling adds one, and returns the name of its output.

    Parameters
    ----------
    name : str
        What their names begin with.
    """

    def __init__(self, name: str) -> None:
        self.helper = onnx_package("onnx.helper", PURPOSE)
        types = onnx_package("onnx", PURPOSE).TensorProto
        self.name, self.made = name, []
        self.text, self.number, self.flag = types.STRING, types.INT64, types.BOOL

    def __call__(self, operator: str, *given: str, called: str = "", **settings: Any) -> str:
        """Add a node with one output."""
        made = called or f"{self.name}/{len(self.made)}"
        self.made.append(self.helper.make_node(operator, list(given), [made], name=made, **settings))
        return made

    def constant(self, values: Sequence[int] | int | str) -> str:
        """Add whole numbers, (n,) or (), or a text."""
        if isinstance(values, str):
            return self("Constant", value=self.helper.make_tensor("", self.text, [], [values.encode()]))
        array = np.array(values, dtype=np.int64)
        return self("Constant", value=self.helper.make_tensor("", self.number, array.shape, array.ravel().tolist()))

    def numbers(self, texts: str, table: Mapping[str, int], default: int) -> str:
        """Return the number of each text."""
        keys, values = list(table), list(table.values())
        return self("LabelEncoder", texts, domain=ML, keys_strings=keys, values_int64s=values, default_int64=default)

    def is_in(self, texts: str, some: Sequence[str]) -> str:
        """Return whether each text is one of some."""
        return self("Cast", self.numbers(texts, dict.fromkeys(some, 1), 0), to=self.flag)

    def replaced(self, texts: str, table: Mapping[str, str]) -> str:
        """Return each text, or what the table has in its place."""
        keys, values = list(table), list(table.values())
        new = self("LabelEncoder", texts, domain=ML, keys_strings=keys, values_strings=values, default_string="")
        return self("Where", self.is_in(texts, keys), new, texts)

    def letters(self, texts: str, filling: str) -> str:
        """Return the letters of texts, (N,) → (N, L), those of shorter ones filled up."""
        return self._cut(texts, filling, separators=[""])

    def found(self, texts: str, pattern: str, filling: str) -> str:
        """Return all that a regular expression finds in texts, the longest first, (N,) → (N, T)."""
        return self._cut(texts, filling, tokenexp=pattern)

    def _cut(self, texts: str, filling: str, **how: Any) -> str:
        return self("Tokenizer", texts, domain=MICROSOFT, pad_value=filling, mark=0, mincharnum=1, **how)

    def joined(self, parts: str) -> str:
        """Return the texts (N,) of parts (N, K): neighbours are joined until one is left, in log2 K steps."""
        rows = self("Shape", parts, start=0, end=1)
        nothing = self("Expand", self.constant(""), self("Concat", rows, self.constant([1]), axis=0))
        begun = self("Concat", parts, nothing, axis=1)
        more = self("Greater", self("Shape", begun, start=1, end=2), self.constant([1]))
        whole = self("Loop", "", self("Squeeze", more), begun, body=self._halving(nothing))
        return self("Squeeze", whole, self.constant([1]))

    def _halving(self, nothing: str) -> Any:
        """Return the body of a loop that joins each second part to the one before it."""
        inside, info = TextNodes(f"{self.name}/joining"), self.helper.make_tensor_value_info
        count, go_on, parts = (f"{inside.name}/{each}" for each in ("count", "go_on", "parts"))
        first, second, end, axis, two = (inside.constant([each]) for each in (0, 1, _END, 1, 2))
        ahead = inside("Slice", parts, first, end, axis, two)
        behind = inside("Slice", inside("Concat", parts, nothing, axis=1), second, end, axis, two)
        joined = inside("StringConcat", ahead, behind)
        more = inside("Squeeze", inside("Greater", inside("Shape", joined, start=1, end=2), second))
        return self.helper.make_graph(
            inside.made,
            inside.name,
            [info(count, self.number, []), info(go_on, self.flag, []), info(parts, self.text, [None, None])],
            [info(more, self.flag, []), info(joined, self.text, [None, None])],
        )

    def lowered(self, texts: str, *, sigma: bool) -> str:
        """Return texts in small letters, as Python's `str.lower` gives them.

        Parameters
        ----------
        texts : str
        sigma : bool
            Whether it matters which of its two small forms a sigma gets.
        """
        letters = self.letters(texts, "")
        small = self.replaced(letters, small_letters())
        return self.joined(self._with_final_sigmas(letters, small) if sigma else small)

    def _with_final_sigmas(self, letters: str, small: str) -> str:
        """Return small letters in which each sigma at the end of a word has its own form."""
        kinds, one = self.numbers(letters, sigma_neighbours(), _OTHER), self.constant(1)
        counts = self("Cast", self("Not", self("Equal", kinds, self.constant(_PASSED))), to=self.number)
        # kinds of the letters that count, end to end from place 1 on; at place 0 what stands before all, and every mark
        place = self("Mul", self("CumSum", counts, one), counts)
        room = self("Pad", self("Mul", kinds, self.constant(0)), self.constant([0, 0, 0, 2]))
        line = self("ScatterElements", room, place, self("Mul", kinds, counts), axis=1)
        before = self("GatherElements", line, self("Sub", place, one), axis=1)
        after = self("GatherElements", line, self("Add", place, one), axis=1)
        cased = self.constant(_CASED)
        is_end = self("And", self("Equal", before, cased), self("Not", self("Equal", after, cased)))
        is_last = self("And", is_end, self.is_in(letters, [SIGMA]))
        return self("Where", is_last, self.constant(FINAL), small)


@functools.cache
def small_letters() -> dict[str, str]:
    """Return what stands for each letter that has a small form; for a sigma the one within words."""
    return {letter: letter.lower() for letter in every_letter() if letter.lower() != letter}


@functools.cache
def sigma_neighbours() -> dict[str, int]:
    """Return the letters that are cased, and those that are passed over, to a sigma that looks for its neighbours."""
    kinds = {}
    for letter in every_letter():
        if f"{letter}{SIGMA}".lower()[-1] == FINAL:
            kinds[letter] = _CASED
        elif f"A{letter}{SIGMA}".lower()[-1] == FINAL:
            kinds[letter] = _PASSED
    return kinds


@functools.cache
def every_letter() -> str:
    """Return every code point that a text may hold: all but halves of surrogate pairs."""
    return "".join(map(chr, (*range(0xD800), *range(0xE000, 0x110000))))
