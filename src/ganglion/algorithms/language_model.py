"""Language models: what comes next, given all that came before.

    p(w_1 … w_T) = Π_t p(w_t | w_1 … w_{t-1}),   p(w | before) = softmax(W h_t + b)_w,   loss = - mean_t log p(w_t | …)

    transformer    h = blocks of attention in which no place sees what comes after it, over E[w] + P, or
                   places that turn queries and keys (Su et al. 2021, arXiv:2104.09864)
                   Radford et al. 2019, "Language models are unsupervised multitask learners" (GPT-2): each part is
                   normalised before it, what adds up starts smaller, W is E (Press & Wolf 2017, arXiv:1608.05859)
    lstm, gru      h = recurrent layers, dropout between them: Mikolov et al. 2010, "Recurrent neural network based
                   language model"; Zaremba, Sutskever & Vinyals 2014, arXiv:1409.2329

Differs: recurrent networks learn from windows that begin with an empty state, drawn from all over the text, in place of
a state that is carried from batch to batch.   Letters: w tokens, T of them, E their vectors, P vectors of places.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from ganglion.errors import InvalidParameter
from ganglion.estimators.base import Tags
from ganglion.estimators.language import Language
from ganglion.estimators.spec import Spec
from ganglion.networks.next_token import NextToken, RecurrentReader, TransformerReader
from ganglion.options import hyperparameters, option
from ganglion.training.optimizers import Optimizer

RATES = {"transformer": 1e-3, "lstm": 2e-3, "gru": 2e-3}
GATES = {"lstm": 4, "gru": 3}
ROUND = 1.0  # deviation of the vectors that recurrent networks read: small ones teach far less in the beginning


@hyperparameters
class LanguageModel(Language):
    """Network that writes: a transformer or a recurrent one, over characters or pieces of words.

    Learns from texts alone: one long text as a list of one, or a list of documents. It tells how likely texts are
    (`score_samples`, `perplexity`, `bits_per_character`) and writes new ones (`sample`, `stream`).

    Examples
    --------
    >>> model = LanguageModel(width=32, layers=1, heads=2, context=16, steps=200, random_state=0)
    >>> model = model.fit(["one two three four. " * 100])
    >>> model.sample("one two", length=12, temperature=0)
    'one two three four.'
    >>> bool(model.perplexity(["three four. one two three four."]) < 2)
    True

    References
    ----------
    Radford et al. 2019, "Language models are unsupervised multitask learners"; Mikolov et al. 2010; Zaremba, Sutskever
    & Vinyals 2014, arXiv:1409.2329.
    """

    network: Literal["transformer", "lstm", "gru"] = option("transformer", "What reads the text.")
    width: int | Literal["auto"] = option(
        "auto", "Units of each layer; 'auto' is 128 for transformers and 256 for others.", at_least=1
    )
    layers: int | Literal["auto"] = option("auto", "Layers; 'auto' is 4 for transformers and 2 for others.", at_least=1)
    heads: int = option(4, "Heads of each attention; `width` is a multiple of them.", at_least=1)
    positions: Literal["learned", "rotary"] = option(
        "learned", "How a transformer knows places: by learned vectors, or by turning queries and keys."
    )
    embedding: int | Literal["auto"] = option(
        "auto", "Numbers of a token's vector in recurrent networks; 'auto' is a quarter of the width.", at_least=1
    )
    dropout: float = option(0.1, "Share of the units silenced in training.", at_least=0, below=1)
    tied: bool | Literal["auto"] = option(
        "auto",
        "Whether the next token is scored by the vectors of the tokens themselves; 'auto' does for transformers.",
    )

    tags: ClassVar[Tags] = Tags(task="language_modelling", modalities=("text",), preferred_for=("text",))

    def build(self, spec: Spec) -> NextToken:
        """Return token vectors, reader, scores and output layer for texts like `spec`."""
        width, layers, embedding, tied = self._shape()
        vocabulary = spec.inputs.vocabulary
        if self.network == "transformer":
            reader = TransformerReader(
                width,
                layers=layers,
                heads=self.heads,
                context=self.context,
                dropout=self.dropout,
                rotary=self.positions == "rotary",
            )
            return NextToken(vocabulary, width, reader, spec.output, tied=tied)
        cells = RecurrentReader(embedding, width, layers=layers, cell=self.network, dropout=self.dropout)
        return NextToken(vocabulary, embedding, cells, spec.output, tied=tied, scale=ROUND)

    def n_parameters(self, vocabulary: int) -> int:
        """Return how many weights the network for so many tokens has."""
        width, layers, embedding, tied = self._shape()
        head = 0 if tied else vocabulary * (width + 1)
        if self.network == "transformer":  # of a block 12 width² in products, 9 in their biases, 4 in norms
            rows = vocabulary + (self.context if self.positions == "learned" else 0)
            return rows * width + layers * (12 * width**2 + 13 * width) + 2 * width + head
        inputs = embedding + (layers - 1) * width
        return vocabulary * embedding + GATES[self.network] * width * (inputs + layers * (width + 2)) + head

    def n_kept(self, vocabulary: int) -> int:
        """Return about how many numbers a step keeps of each token of a batch, to go back through them."""
        width, layers, embedding, _ = self._shape()
        if self.network == "transformer":
            return layers * (18 * width + 3 * self.heads * self.context) + 3 * vocabulary
        return layers * 2 * (GATES[self.network] + 2) * width + embedding + 3 * vocabulary

    def _shape(self) -> tuple[int, int, int, bool]:
        """Return width, layers, numbers of a token's vector, and whether the scores are tied to them."""
        attends = self.network == "transformer"
        width = (128 if attends else 256) if self.width == "auto" else int(self.width)
        layers = (4 if attends else 2) if self.layers == "auto" else int(self.layers)
        tied = attends if self.tied == "auto" else self.tied
        part = self.heads * (2 if self.positions == "rotary" else 1)  # turning takes numbers by pairs
        if attends and width % part:
            raise InvalidParameter(
                f"LanguageModel(width={width}, heads={self.heads}, positions={self.positions!r}): each head takes an "
                f"equal part of the vector. Give a multiple of {part}, such as width={part * max(1, width // part)}."
            )
        embedding = (width if tied else max(1, width // 4)) if self.embedding == "auto" else int(self.embedding)
        if not attends and tied and embedding != width:
            raise InvalidParameter(
                f"LanguageModel(tied=True, embedding={embedding}, width={width}): scores are products with the tokens' "
                "vectors, which then are as wide as the layers. Give embedding='auto', or tied=False."
            )
        return width, layers, width if attends else embedding, tied

    def _rate(self, optimizer: Optimizer) -> float:
        return RATES[self.network] if self.learning_rate == "auto" else float(self.learning_rate)
