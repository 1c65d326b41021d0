"""Writing as every language model does it: prompts, laws, stops, and texts that come piece by piece."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from ganglion.data.vocabulary import BEGINNING, END, PADDING, UNKNOWN
from ganglion.errors import DataWarning, InvalidParameter
from ganglion.estimators.writing import Law, pieces_of, until, written


class Writer:
    """What writes texts: an estimator adds the network, the tokenizer, and what every text comes after."""

    def sample(
        self: Any,
        prompt: str = "",
        *,
        n: int | None = None,
        length: int = 500,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        stop: str | Sequence[str] = (),
        random_state: int | None = None,
    ) -> str | list[str]:
        """Write a text.

        Parameters
        ----------
        prompt : str
            How it begins. Of one longer than a transformer's context the last part is read.
        n : int, optional
            Write so many texts, and return a list of them.
        length : int
            Tokens to write at most; a model of several texts may end before.
        temperature : float
            Below 1 the model writes more likely texts, above 1 wilder ones; 0 always takes the likeliest token.
        top_k : int, optional
            Draw from so many tokens, the likeliest.
        top_p : float in (0, 1], optional
            Draw from the likeliest tokens that have so much of the chance together.
        stop : str or sequence of str
            Texts that end the writing when they come; they are left out.
        random_state : int, optional
            The same number gives the same text.

        Returns
        -------
        str, or list of str
            The prompt and what comes after it.
        """
        law = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "stop": stop, "length": length}
        if n is None:
            return "".join(self.stream(prompt, random_state=random_state, **law))
        if not isinstance(n, int) or n < 1:
            raise InvalidParameter(f"n={n}: give how many texts to write, 1 or more.")
        seeds = np.random.default_rng(random_state).integers(2**31, size=n).tolist()
        return ["".join(self.stream(prompt, random_state=seed, **law)) for seed in seeds]

    def stream(
        self: Any,
        prompt: str = "",
        *,
        length: int = 500,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        stop: str | Sequence[str] = (),
        random_state: int | None = None,
    ) -> Iterator[str]:
        """Write a text, and give it piece by piece as it comes; joined, the pieces are what `sample` returns.

        Parameters
        ----------
        prompt, length, temperature, top_k, top_p, stop, random_state
            See `sample`.

        Yields
        ------
        str
            First the prompt, then what comes after it.
        """
        self._check_fitted()
        law = Law(temperature=temperature, top_k=top_k, top_p=top_p)
        if not isinstance(length, int) or length < 0:
            raise InvalidParameter(f"length={length}: give how many tokens to write, 0 or more.")
        stops = [stop] if isinstance(stop, str) else list(stop)
        if not all(isinstance(each, str) and each for each in stops):
            raise InvalidParameter(f"stop={stop!r}: give a text that ends the writing, or several, none of them empty.")
        ids = self._prompt(prompt)
        seed = int(np.random.default_rng(random_state).integers(2**31))
        return self._streamed(prompt, ids, law, length, stops, torch.Generator().manual_seed(seed))

    def _streamed(
        self: Any, prompt: str, ids: list[int], law: Law, length: int, stops: list[str], generator: torch.Generator
    ) -> Iterator[str]:
        never = [PADDING, UNKNOWN, BEGINNING] + ([] if self.target_.documents else [END])
        tokens = written(self._network, torch.tensor([ids]), law, generator, torch.tensor(never))
        numbers = (int(token) for token, _ in zip(tokens, range(length), strict=False))
        if prompt:
            yield prompt
        before = ids if prompt else []
        yield from filter(None, until(pieces_of(self._tokenizer, before, numbers), stops))

    def _prompt(self: Any, prompt: str) -> list[int]:
        """Return the tokens of a prompt, at least one: there is something that every text comes after."""
        ids = self._tokenizer.encode([prompt]).values
        self._tell_unknown(ids)
        context = self._network.reader.context
        ids = torch.cat([torch.tensor([self._start()]), ids]) if self.target_.documents or not len(ids) else ids
        if context is not None and len(ids) > context:
            warnings.warn(
                f"the prompt has {len(ids):,} tokens, and the model reads {context}: its last {context} tokens are "
                "what it goes on from.",
                DataWarning,
                stacklevel=4,
            )
        return ids.tolist()
