"""The first layer of networks that read words: what is known of a word, of its ends and of its shape is summed.

    x_t = Σ_k V[id_tk]        id_tk the k-th feature of word t: itself, its suffixes, its prefixes, its shape

As Bojanowski et al. 2017, arXiv:1607.04606, sum vectors of a word and of its parts, so that a word never seen has one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ganglion.networks.sequences import Steps


class WordInput(nn.Module):
    """Ids of words and of their features become one vector a word.

    Parameters
    ----------
    vocabulary : int
        Number of ids; id 0 is nothing, and its vector 0.
    features : int
        Ids of a word, the first of which is the word itself.
    width : int
        Numbers of each vector, D.
    scale : float
        Deviation of the vectors of words at first.
    """

    def __init__(self, vocabulary: int, features: int, width: int, *, scale: float = 1.0) -> None:
        super().__init__()
        self.dtype, self.n_out = torch.float32, width
        self.vectors = nn.EmbeddingBag(vocabulary, width, mode="sum", padding_idx=0)
        if self.vectors.weight.device.type != "meta":
            with torch.no_grad():
                self.vectors.weight.normal_(0.0, scale / math.sqrt(features))
                self.vectors.weight[0] = 0.0

    def adapt(self, inputs: Mapping[str, Any], weight: Tensor | None = None) -> None:
        """Do nothing: ids need no scaling."""

    def prepare(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return {"words": (n, T, features), "words_length": (n,)} as they are."""
        return {name: inputs[name] for name in ("words", "words_length")}

    def forward(self, prepared: Mapping[str, Tensor]) -> Steps:
        """Return the vectors of the words, (n, T, D)."""
        ids = prepared["words"]
        return Steps(self.vectors(ids.flatten(0, 1)).view(*ids.shape[:2], -1), prepared["words_length"])
