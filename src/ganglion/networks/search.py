"""From the chances of the next token to a whole text: greedy search and beam search, all sentences at once.

    greedy   y_i = argmax p(y | y_1 … y_{i-1}, x)
    beam     the `beams` likeliest beginnings are gone on with; of all that come to an end the answer is the one with
             the greatest  log p(y | x) / ((5 + |y|) / 6)^α                                    Wu et al. 2016, eq. 14

Wu et al. 2016, "Google's neural machine translation system", arXiv:1609.08144. A sentence is done when as many of its
beginnings have ended as there are beams, or none that goes on can become better than the best that ended.

Letters: n sentences, b beams, V tokens of the vocabulary, L tokens of an answer at most, its end included.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

BEGINNING, END = 2, 3
NEVER = (0, 1, BEGINNING)  # what no answer holds: filling, unknown, beginning
NOT_FIRST = (*NEVER, END)  # an answer says something

Step = Callable[[Any, Tensor], Tensor]  # (reading, last tokens (n,)) → log p of the next, (n, V)


def greedy(step: Step, reading: Any, n: int, longest: int, *, device: torch.device | None = None) -> Tensor:
    """Return the answers of which each token is the likeliest after those before it, (n, T) int64, filled up with 0.

    Parameters
    ----------
    step : callable
        `step(reading, tokens)`: log p of the next token; the reading then remembers `tokens`.
    reading : Reading
        What is known of n sentences; it is used up.
    n : int
    longest : int
        Tokens of an answer at most, L.
    device : device, optional
        Where the reading lies.
    """
    said = torch.zeros(n, longest, dtype=torch.int64, device=device)
    going, last = torch.arange(n, device=device), torch.full((n,), BEGINNING, device=device)
    for t in range(longest):
        last = _allowed(step(reading, last), t).argmax(1)
        said[going, t] = last
        on = last != END
        if not on.all():
            going, last = going[on], last[on]
            if not len(going):
                return said[:, : t + 1]
            reading.take(on.nonzero()[:, 0])
    return said


def beam_search(
    step: Step,
    reading: Any,
    n: int,
    longest: int,
    *,
    beams: int,
    length_penalty: float = 1.0,
    device: torch.device | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the best answers that a search in breadth finds, and how good they are.

    Parameters
    ----------
    step, reading, n, longest, device
        As of `greedy`.
    beams : int
        Beginnings that are gone on with, b; 1 is greedy search.
    length_penalty : float
        α: with 0 the likeliest answer wins, which is a short one; greater values favour longer ones.

    Returns
    -------
    said : Tensor of shape (n, L), int64
        Filled up with 0; only an answer of L tokens may lack an end.
    score : Tensor of shape (n,), float64
        log p / ((5 + |y|) / 6)^α.
    """
    reading.take(torch.arange(n, device=device).repeat_interleave(beams))
    going = torch.arange(n, device=device)  # sentences that are not done
    last = torch.full((n * beams,), BEGINNING, device=device)
    said = torch.zeros(n, beams, longest, dtype=torch.int64, device=device)
    best = torch.full((n,), -math.inf, dtype=torch.float64, device=device)
    best_said, n_ended = torch.zeros_like(said[:, 0]), torch.zeros_like(going)
    total = torch.full((n, beams), -math.inf, device=device)
    total[:, 0] = 0.0  # all beginnings are the same at first: one is enough
    first_beams = torch.arange(2 * beams, device=device) < beams
    for t in range(longest):
        log_p = _allowed(step(reading, last), t)
        n_tokens = log_p.shape[1]
        total, index = (total.view(-1, 1).to(log_p.dtype) + log_p).view(len(going), -1).topk(2 * beams)
        parent, token = index // n_tokens, index % n_tokens
        ends = (token == END) & (total > -math.inf)
        ended = ends & first_beams
        score_of_ended = total.masked_fill(~ended, -math.inf) / _size(t + 1, length_penalty)
        said = said.gather(1, parent[..., None].expand(-1, -1, longest))
        said[..., t] = token
        best, best_said = _better(best, best_said, going, score_of_ended, said)
        n_ended += ended.sum(1)
        total, kept = total.masked_fill(ends, -math.inf).topk(beams)
        said = said.gather(1, kept[..., None].expand(-1, -1, longest))
        parent, last = parent.gather(1, kept), token.gather(1, kept)
        at_best = total / _size(longest, length_penalty)  # log p only falls, and is divided by no more than this
        if t + 1 == longest:
            best, best_said = _better(best, best_said, going, at_best, said)
            break
        on = ((n_ended < beams) & (at_best[:, 0] > best[going])).nonzero()[:, 0]
        if not len(on):
            break
        rows = torch.arange(len(going), device=device)[:, None] * beams + parent
        reading.take(rows[on].flatten())
        going, n_ended, total, said, last = going[on], n_ended[on], total[on], said[on], last[on].flatten()
    return best_said, best


def _better(best: Tensor, best_said: Tensor, rows: Tensor, scores: Tensor, said: Tensor) -> tuple[Tensor, Tensor]:
    """Take over what is better than the best so far of the sentences `rows`: scores (m, k), texts (m, k, L)."""
    score, which = scores.max(1)
    better = score > best[rows]
    best[rows[better]] = score[better].double()
    best_said[rows[better]] = said[better, which[better]]
    return best, best_said


def _size(length: int, length_penalty: float) -> float:
    return ((5 + length) / 6) ** length_penalty


def _allowed(log_p: Tensor, n_said: int) -> Tensor:
    log_p[:, list(NEVER if n_said else NOT_FIRST)] = -math.inf
    return log_p
