"""Connectionist temporal classification: a network says a symbol or nothing at every step; many paths are one text.

    B(π)     a path of symbols and blanks, a step each, with repeats joined, then blanks dropped: B(aa-ab-) = aab
    p(l|x) = Σ_{π: B(π) = l} Π_t y^t_{π_t}            y^t the softmax of step t's scores              (eq. 3)
    loss   = -ln p(l|x)                                                                              (eq. 12)

Graves, Fernández, Gomez & Schmidhuber 2006, "Connectionist temporal classification", ICML. Decoding: the best path
(section 3.2), or a prefix beam, which adds up the paths of each of some beginnings (Hannun et al. 2014,
arXiv:1408.2873, without its language model).

Letters: n recordings, T steps, V symbols, 0 the blank, K beams, L the longest text.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

BLANK = 0
_MIX = 1_000_003  # of a prefix's number: prefixes are told apart by 64 bits


def steps_needed(tokens: Tensor, offsets: Tensor) -> Tensor:
    """Return how many steps texts need at least, (n,): one a token, and a blank between two that are equal.

    Parameters
    ----------
    tokens : Tensor of shape (total,), int
        Of all texts; those of text i are `tokens[offsets[i]:offsets[i + 1]]`.
    offsets : Tensor of shape (n + 1,), int64
    """
    repeats = torch.zeros(len(tokens) + 1, dtype=torch.int64)
    repeats[1:-1] = tokens[1:] == tokens[:-1]
    starts = offsets[:-1]
    repeats[starts[(starts > 0) & (starts < len(tokens))]] = 0  # the text before is another one
    so_far = repeats.cumsum(0)
    before = torch.cat([so_far.new_zeros(1), so_far])
    return offsets.diff() + before[offsets[1:]] - before[starts]


def ctc_losses(scores: Tensor, lengths: Tensor, target: Tensor) -> Tensor:
    """Return -ln p(l|x) of each recording, (n,).

    Parameters
    ----------
    scores : Tensor of shape (n, T, V)
    lengths : Tensor of shape (n,), int64
        Steps of each that count.
    target : Tensor of shape (n, L), int
        The texts, filled up with 0.

    Notes
    -----
    A text that needs more steps than there are has the loss 0: it can only be one that was spoken faster at random
    while training, since texts that are too long by themselves are refused before.
    """
    there = (target != BLANK).sum(1)
    log_y = scores.float().log_softmax(2).transpose(0, 1)
    return nn.functional.ctc_loss(
        log_y, target.long(), lengths, there, blank=BLANK, reduction="none", zero_infinity=True
    )


def collapsed(path: Tensor, lengths: Tensor) -> Tensor:
    """Return B(π) of paths, (n, T) → (n, L), filled up with 0."""
    return _as_short_as_can_be(collapsed_in_place(path, lengths))


def collapsed_in_place(path: Tensor, lengths: Tensor) -> Tensor:
    """Return B(π) of paths, (n, T), in as much room as they had: a graph cannot ask how long the longest is."""
    before = torch.cat([torch.full_like(path[:, :1], BLANK), path[:, :-1]], 1)
    counts = torch.arange(path.shape[1], device=path.device) < lengths[:, None]
    said = (path != BLANK) & (path != before) & counts
    place = torch.where(said, said.cumsum(1) - 1, path.shape[1])  # what is not said goes behind the end
    texts = path.new_zeros(path.shape[0], path.shape[1] + 1)
    return texts.scatter(1, place, path)[:, :-1]


def best_path(scores: Tensor, lengths: Tensor) -> Tensor:
    """Return the text of the likeliest symbol at each step, (n, T, V) → (n, L), filled up with 0."""
    return collapsed(scores.argmax(2), lengths)


class Beams(NamedTuple):
    """K prefixes of each recording: log-probabilities of paths that end with a blank and without, and what they say."""

    blank: Tensor  # (n, K)
    other: Tensor  # (n, K)
    number: Tensor  # (n, K) int64, of the prefix
    parent: Tensor  # (n, K) int64, of the prefix without its last symbol
    last: Tensor  # (n, K) int64, 0 of the empty one
    length: Tensor  # (n, K) int64
    texts: Tensor  # (n, K, T) int64


def prefix_beam_search(scores: Tensor, lengths: Tensor, beams: int) -> tuple[Tensor, Tensor]:
    """Return the likeliest text of each recording, and ln of the chance of all its paths that the beams kept.

    Parameters
    ----------
    scores : Tensor of shape (n, T, V)
    lengths : Tensor of shape (n,), int64
    beams : int
        Prefixes gone on with at each step, K; with V^T of them the search is exact.

    Returns
    -------
    texts : Tensor of shape (n, L), int64
        Filled up with 0.
    log_p : Tensor of shape (n,)
    """
    log_y = scores.float().log_softmax(2)
    state = beginning(scores, beams)
    for t in range(scores.shape[1]):
        state = further(state, log_y[:, t], t < lengths)
    texts, log_p = likeliest(state)
    return _as_short_as_can_be(texts), log_p


def _as_short_as_can_be(texts: Tensor) -> Tensor:
    lengths = (texts != BLANK).sum(1)
    return texts[:, : max(1, int(lengths.max()) if len(lengths) else 1)]


def beginning(scores: Tensor, beams: int) -> Beams:
    """Return for scores (n, T, V) the empty prefix, and beams that hold nothing yet, each under its own number."""
    (n, n_steps, _), device = scores.shape, scores.device
    blank = torch.full((n, beams), -math.inf, device=device)
    blank[:, 0] = 0.0
    nothing = torch.full((n, beams), -math.inf, device=device)
    number = (-1 - torch.arange(beams, device=device)).expand(n, beams).clone()
    zeros = torch.zeros(n, beams, dtype=torch.int64, device=device)
    texts = torch.zeros(n, beams, n_steps, dtype=torch.int64, device=device)
    return Beams(blank, nothing, number, zeros + 1, zeros, zeros, texts)


def further(state: Beams, log_y: Tensor, going: Tensor) -> Beams:
    """Return the beams after a step with ln y, (n, V); where a recording is not going on, (n,), as they were."""
    parts = zip(_step(state, log_y), state, strict=True)
    return Beams(*(torch.where(going.view(-1, *[1] * (new.dim() - 1)), new, old) for new, old in parts))


def likeliest(state: Beams) -> tuple[Tensor, Tensor]:
    """Return the likeliest prefix of each recording, (n, T), filled up with 0, and ln of its chance, (n,)."""
    log_p, best = either(state.blank, state.other).max(1)
    place = best[:, None, None].expand(-1, 1, state.texts.shape[2])
    return state.texts.gather(1, place)[:, 0], log_p


def either(a: Tensor, b: Tensor) -> Tensor:
    """Return ln(e^a + e^b); in a graph `torch.logaddexp` is that very sum, which is soon 0."""
    high, low = torch.maximum(a, b), torch.minimum(a, b)
    return torch.where(high == -math.inf, high, high + (low - high).exp().log1p())


def _step(state: Beams, log_y: Tensor) -> Beams:
    """Return the beams after a step with ln y, (n, V): each prefix stays, or goes on with each symbol."""
    beams = state.blank.shape[1]
    total = either(state.blank, state.other)
    blank = total + log_y[:, :1]
    other = state.other + log_y.gather(1, state.last).masked_fill(state.last == BLANK, -math.inf)
    longer = total[:, :, None] + log_y[:, None, :]
    same = state.last[:, :, None]  # a repeat is another symbol only behind a blank
    longer = longer.scatter(2, same, state.blank[:, :, None] + log_y.gather(1, state.last)[:, :, None])
    longer = longer.masked_fill(torch.arange(log_y.shape[1], device=log_y.device) == BLANK, -math.inf)
    other, longer = _merged(state, other, longer, total)
    scores = torch.cat([either(blank, other), longer.flatten(1)], 1)
    chosen = scores.topk(beams, 1).indices
    stays = chosen < beams
    source = torch.where(stays, chosen, (chosen - beams).div(log_y.shape[1], rounding_mode="floor"))
    symbol = torch.where(stays, BLANK, (chosen - beams) % log_y.shape[1])
    return _taken(state, source, symbol, stays, blank, other, scores.gather(1, chosen))


def _merged(state: Beams, other: Tensor, longer: Tensor, total: Tensor) -> tuple[Tensor, Tensor]:
    """Add to a prefix what leads to it from another one that is a beam too, so that no prefix is one twice."""
    is_parent = (state.parent[:, :, None] == state.number[:, None, :]) & (state.last != BLANK)[:, :, None]
    found = is_parent.any(2) & total.isfinite()
    place = is_parent.long().argmax(2) * longer.shape[2] + state.last
    flat = longer.flatten(1)
    led = flat.gather(1, place).masked_fill(~found, -math.inf)
    away = torch.full_like(led, -math.inf)
    # what is not found is sent to a place that is -inf anyway: the blank of the first beam
    flat = flat.scatter(1, torch.where(found, place, BLANK), away)
    return either(other, led), flat.view_as(longer)


def _taken(
    state: Beams, source: Tensor, symbol: Tensor, stays: Tensor, blank: Tensor, other: Tensor, scores: Tensor
) -> Beams:
    number, length = state.number.gather(1, source), state.length.gather(1, source)
    texts = state.texts.gather(1, source[:, :, None].expand_as(state.texts))
    at = length.clamp(max=texts.shape[2] - 1)[:, :, None]
    texts = texts.scatter(2, at, torch.where(stays[:, :, None], texts.gather(2, at), symbol[:, :, None]))
    return Beams(
        blank=blank.gather(1, source).masked_fill(~stays, -math.inf),
        other=torch.where(stays, other.gather(1, source), scores),
        number=torch.where(stays, number, number * _MIX + symbol),
        parent=torch.where(stays, state.parent.gather(1, source), number),
        last=torch.where(stays, state.last.gather(1, source), symbol),
        length=length + ~stays,
        texts=texts,
    )
