"""Translator: a text is read as a whole, and answered token by token, looking back at what was read.

    p(y | x) = Π_i p(y_i | y_1 … y_{i-1}, x)
    loss     = -1/m Σ_i Σ_v q_i(v) log p(v | y_1 … y_{i-1}, x)       q_i(v) = (1 - ε) [v = y_i] + ε / V

ε smooths the labels (Szegedy et al. 2016, arXiv:1512.00567, section 7; Vaswani et al., section 5.4). In training the
tokens before y_i are those of the true answer; in use they are those that were said, and a beam search looks for the
answer (`networks.search`).

network="transformer"   encoder and decoder of attention alone: Vaswani et al. 2017, "Attention is all you need",
                        arXiv:1706.03762; equations in `networks.decoder`
network="gru"           recurrent, aligned by attention: Bahdanau, Cho & Bengio 2015, "Neural machine translation by
                        jointly learning to align and translate", arXiv:1409.0473; equations in `networks.aligning`

Differs: m is the training set's mean number of tokens of an answer, so that no pair's loss depends on its batch;
source, answer and output layer share one vocabulary and its vectors (Press & Wolf 2017, arXiv:1608.05859); sizes for
some ten thousand pairs.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import nn

from ganglion.errors import InvalidParameter
from ganglion.estimators.base import Tags
from ganglion.estimators.spec import Spec
from ganglion.estimators.text_to_text import TextToText
from ganglion.networks.aligning import RecurrentPair
from ganglion.networks.decoder import TransformerPair
from ganglion.networks.encoder_decoder import EncoderDecoder
from ganglion.networks.network import Network
from ganglion.networks.sequences import TokenInput
from ganglion.options import hyperparameters, option

WIDER = 2  # units of the MLP in each block, times the width


@hyperparameters
class Translator(TextToText):
    """Encoder and decoder from text to text: translations, replies, anything that answers a text.

    Examples
    --------
    >>> numbers = "one two three four five six seven eight nine ten".split()
    >>> X = [f"{a} and {b}" for a in numbers for b in numbers]
    >>> y = [f"{b} und {a}" for a in numbers for b in numbers]
    >>> model = Translator(width=32, layers=1, tokenizer="words", dropout=0.0, epochs=20, batch_size=10)
    >>> model = model.set_params(random_state=0).fit(X, y)
    >>> model.reply("two and seven")
    'seven und two'

    References
    ----------
    Vaswani et al. 2017, arXiv:1706.03762. Bahdanau, Cho & Bengio 2015, arXiv:1409.0473.
    """

    network: Literal["transformer", "gru"] = option(
        "transformer",
        "What reads and says: attention alone, or recurrent layers with attention between them, which are slower.",
    )
    width: int = option(
        128, "Numbers of a token's vector, a multiple of `heads`, and units of recurrent layers.", at_least=1
    )
    layers: int = option(3, "Blocks of the encoder and of the decoder; a recurrent decoder has one.", at_least=1)
    heads: int = option(4, "Heads of each attention of a transformer.", at_least=1)

    tags: ClassVar[Tags] = Tags(task="translation", modalities=("text",), preferred_for=("text",))

    def build(self, spec: Spec) -> Network:
        """Return vectors of tokens, encoder and decoder for texts like `spec`."""
        entry = TokenInput(spec.inputs.vocabulary, self.width, scale=self.width**-0.5)
        return EncoderDecoder(entry, self._pair(self._silenced(spec)), spec.output)

    def _pair(self, dropout: float) -> nn.Module:
        if self.network == "gru":
            return RecurrentPair(self.width, self.width, depth=self.layers, dropout=dropout)
        if self.width % self.heads:
            raise InvalidParameter(
                f"Translator(width={self.width}, heads={self.heads}): each head takes an equal part of the vector. "
                f"Give a multiple, such as width={self.heads * max(1, round(self.width / self.heads))}."
            )
        return TransformerPair(
            self.width, self.layers, self.heads, hidden=WIDER * self.width, activation="relu", dropout=dropout
        )
