"""Language modelling: how surprising each passage of a text is, judged by what all of them together cost.

    loss                  nats a token, mean_t - log p(w_t | w_1 … w_{t-1})
    perplexity            e^loss
    bits a character      the same sum in bits, by the characters of the text: comparable whatever the tokens are

A text is cut into passages of some hundred letters, at the ends of lines where there are any; the bootstrap draws
passages. Each is judged given what stands before it.
"""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganglion.data.convert import as_dataset
from ganglion.errors import InvalidInput
from ganglion.evaluation.mistakes import Mistake
from ganglion.evaluation.predictions import Array, Truth
from ganglion.evaluation.resampling import Resampled, ratio, values_at

PASSAGE = 500  # characters
N_WORST = 6  # passages shown
MARKED = 0.1  # of their tokens, the most surprising ones
SAMPLE = 400  # tokens written for the report


@dataclass(frozen=True, slots=True)
class Passages(Truth):
    """Texts cut into passages: `values` are the texts of these, (n,).

    Attributes
    ----------
    follows : ndarray of shape (n,), bool
        Whether a passage goes on where the one before it ended.
    tokens : tuple of list of str
        The tokens of each passage, as the model cuts it.
    """

    follows: Array
    tokens: tuple[list[str], ...]

    def take(self, rows: Array) -> Passages:
        """Return the passages `rows`, (k,) indices."""
        return Passages(self.task, self.values[rows], (), self.follows[rows], tuple(self.tokens[i] for i in rows))


@dataclass(frozen=True, slots=True)
class Surprise:
    """How surprising a model finds passages.

    Attributes
    ----------
    nats : ndarray of shape (n,)
        The sum over the tokens of each passage.
    tokens : tuple of ndarray, or None
        Of each token, (n_tokens,); None for baselines, which are not shown.
    sample : str
        A text that the model wrote, or empty.
    """

    nats: Array
    tokens: tuple[Array, ...] | None = None
    sample: str = ""


def passages_of(model: Any, X: Any, y: Any, what: str = "y") -> Passages:
    """Return texts cut into passages, and these into the tokens of the model; y is not looked at.

    Parameters
    ----------
    model : estimator with `tokens`
    X : list of texts, or Dataset of them
    y, what
        Not used: texts are their own answers.

    Raises
    ------
    InvalidInput
        If X holds no text.
    """
    cut = [(passage, i > 0) for text in _texts(X) for i, passage in enumerate(_cut(text))]
    tokens = model.tokens([passage for passage, _ in cut])
    kept = [i for i, each in enumerate(tokens) if each]  # blanks alone are no word
    if not kept:
        raise InvalidInput("X holds no text. Give texts with something in them.")
    texts = np.array([passage for passage, _ in cut], dtype=object)[kept]
    follows = np.array([follows for _, follows in cut])[kept]
    return Passages("language_modelling", texts, (), follows, tuple(tokens[i] for i in kept))


def predict_passages(model: Any, X: Any, truth: Passages) -> Surprise:
    """Ask a model how surprising each token is, and for a text of its own.

    Raises
    ------
    InvalidInput
        If it does not answer with one finite number a token.
    """
    nats = tuple(model.surprisals(truth.values.tolist(), truth.follows))
    lengths = [len(each) for each in nats], [len(each) for each in truth.tokens]
    if lengths[0] != lengths[1] or not all(np.isfinite(each).all() for each in nats):
        raise InvalidInput(
            f"{type(model).__name__} must say how surprising each token is: one finite number for each of its tokens."
        )
    written = model.sample(length=SAMPLE, random_state=0) if hasattr(model, "sample") else ""
    return Surprise(np.array([each.sum() for each in nats]), nats, written)


def resampled_passage_metrics(truth: Passages, said: Surprise) -> list[Resampled]:
    """Return the function of the weights of the passages, (n, b), that gives every metric, (b,) each."""
    tokens, characters = _counts(truth)

    def metrics(weights: Array) -> dict[str, Array]:
        nats = said.nats @ weights
        loss = ratio(nats, tokens @ weights)
        with np.errstate(over="ignore"):
            perplexity = np.exp(loss)
        bits = ratio(nats, characters @ weights) / math.log(2)
        return {"bits_per_character": bits, "loss": loss, "perplexity": perplexity}

    return [metrics]


def passage_values(truth: Passages, said: Surprise, weight: Array | None = None) -> dict[str, float | str]:
    """Return every metric, or the reason why it is not defined on these passages."""
    weight = np.ones(len(truth)) if weight is None else weight
    return values_at(resampled_passage_metrics(truth, said), weight, lambda name: "it is too large for a number")


def passage_facts(truth: Passages, said: Surprise) -> dict[str, str]:
    """Return what a reader must know of the texts, and a text that the model wrote."""
    tokens, characters = _counts(truth)
    facts = {
        "Texts": f"{int((~truth.follows).sum()):,}, {int(characters.sum()):,} characters, {int(tokens.sum()):,} tokens"
    }
    return facts | ({"Written by the model": said.sample} if said.sample else {})


def worst_passages(truth: Passages, said: Surprise, X: Any) -> tuple[Mistake, ...]:
    """Return the passages that cost most bits a character, worst first, their most surprising tokens marked."""
    if said.tokens is None:
        return ()
    _, characters = _counts(truth)
    bits = said.nats / math.log(2) / characters
    long = characters >= min(PASSAGE // 5, characters.max())  # a few letters are hard by chance
    rows = np.flatnonzero(long)[np.argsort(-bits[long], kind="stable")][:N_WORST]
    return tuple(_mistake(truth, said.tokens[row], row, float(bits[row])) for row in rows.tolist())


def _mistake(truth: Passages, nats: Array, row: int, bits: float) -> Mistake:
    tokens = truth.tokens[row]
    least = np.quantile(nats, 1 - MARKED)
    odd = (nats >= least) & (nats > nats.mean())  # where all are alike, none stands out
    return Mistake(
        row,
        textwrap.shorten(truth.values[row], 200),
        f"{bits:.2f} bits per character; the least expected token, {tokens[int(nats.argmax())]!r}, had a chance of "
        f"{math.exp(-nats.max()):.2g}",
        pieces=tuple(zip(tokens, odd.tolist(), strict=True)),
    )


def _counts(truth: Passages) -> tuple[Array, Array]:
    """Return how many tokens, and how many characters, each passage has."""
    tokens = np.fromiter(map(len, truth.tokens), np.float64, count=len(truth))
    return tokens, np.fromiter(map(len, truth.values), np.float64, count=len(truth))


def _texts(X: Any) -> list[str]:
    data = as_dataset(X)
    names = [field.name for field in data.features if field.kind == "text"]
    if not names:
        raise InvalidInput("there is no text in X. Give a list of texts, or a Dataset with a column of them.")
    columns = [data.values(name).tolist() for name in names]
    return ["\n".join(row) for row in zip(*columns, strict=True)]


def _cut(text: str) -> list[str]:
    """Cut a text into passages of about 500 characters, behind the end of a line where there is one near."""
    passages, begin = [], 0
    while begin < len(text):
        end = begin + PASSAGE
        if end < len(text):
            line = text.rfind("\n", begin + PASSAGE // 2, end)
            end = line + 1 if line >= 0 else end
        passages.append(text[begin:end])
        begin = end
    return passages
