"""What is said in recordings: the tokens of each transcript, by the search that the model itself would make.

A prefix beam goes through a recording step by step, and so does its graph, by the operator that ONNX has for that.
Tokens become a text outside, where the tokenizer is: see `said`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from ganglion.deployment.kind import CLOSE, Arrays, Inputs, Kind, Made
from ganglion.deployment.said import ragged
from ganglion.deployment.signature import Signature
from ganglion.networks.ctc import (
    Beams,
    beginning,
    best_path,
    collapsed_in_place,
    further,
    likeliest,
    prefix_beam_search,
)

_STEPS = "S"  # of the network, fewer than samples
TRIALS, OFF, LEAST = 8, 1e-5, 1e-37  # of what rounding does to a transcript


def _outputs(model: Any) -> list[Made]:
    n_tokens = model.target_.n_scores
    return [
        ("tokens", "int64", ("N", _STEPS)),
        ("steps", "int64", ("N",)),
        ("probabilities", "float32", ("N", _STEPS, n_tokens)),
    ]


def _said(network: Any, prepared: Inputs, signature: Signature) -> dict[str, Tensor]:
    scores, lengths = network.scores(prepared)
    beams = int(signature.settings["beams"])
    tokens = collapsed_in_place(scores.argmax(2), lengths) if beams == 1 else _searched(scores, lengths, beams)
    return {"tokens": tokens, "steps": lengths, "probabilities": scores.float().softmax(2)}


def _searched(scores: Tensor, lengths: Tensor, beams: int) -> Tensor:
    """Return the tokens that a prefix beam search finds, (n, S), filled up with 0."""
    from torch._higher_order_ops.scan import scan  # nobody but exports needs it

    def step(state: tuple[Tensor, ...], at: tuple[Tensor, Tensor]) -> tuple[tuple[Tensor, ...], Tensor]:
        log_y, going = at
        heard = log_y[:, 0].clone()  # of each step `scan` wants to be told something
        return tuple(further(Beams(*state), log_y, going)), heard

    log_y = scores.float().log_softmax(2).transpose(0, 1)
    going = torch.arange(scores.shape[1])[:, None] < lengths
    begun = tuple(each.clone() for each in beginning(scores, beams))  # two that are one tensor it cannot take apart
    state, _ = scan(step, begun, (log_y, going))
    return likeliest(Beams(*state))[0]


def _own(model: Any, X: Any) -> Arrays:
    said = model.token_probabilities(X)
    return {"label": model.predict(X), "probabilities": ragged(said), CLOSE: _close(said, model.beams)}


def _close(said: list[np.ndarray], beams: int) -> np.ndarray:
    """Return which transcripts, (n,), would be others if the logarithms of probabilities were off by some `OFF`."""
    lengths = torch.tensor([len(each) for each in said]).repeat(TRIALS + 1)
    log_y = pad_sequence([torch.from_numpy(each) for each in said], batch_first=True).clamp(min=LEAST).log()
    noise = torch.randn((TRIALS + 1, *log_y.shape), generator=torch.Generator().manual_seed(0))
    noise[0] = 0.0
    tries = (log_y + OFF * noise).flatten(0, 1)
    texts = best_path(tries, lengths) if beams == 1 else prefix_beam_search(tries, lengths, beams)[0]
    texts = texts.unflatten(0, (TRIALS + 1, len(said)))
    return (texts != texts[0]).any(2).any(0).numpy()


SPEECH = Kind(frozenset({"audio"}), _outputs, _said, _own, tied=lambda own, tolerance: own[CLOSE])
