"""What every estimator of texts and sequences can be told."""

from __future__ import annotations

from typing import Any, Literal

from ganglion.data.dataset import Dataset
from ganglion.data.encoders import AnyEncoder, modality_of
from ganglion.data.text_encoding import TextEncoder
from ganglion.data.tokenizers import tokenizer_by_name
from ganglion.estimators.spec import Spec
from ganglion.options import hyperparameters, option

TEXT_DROPOUT = 0.3  # a text has many words and few labels


@hyperparameters
class SequenceOptions:
    """Options of algorithms that read texts and sequences."""

    tokenizer: Any = option(
        "words",
        "How texts are cut: words(vocabulary=20000), characters, bpe(vocabulary=8000) or wordpiece; see "
        "`ganglion.data.tokenizers`.",
        check=tokenizer_by_name,
    )
    max_length: int | Literal["auto"] = option(
        "auto",
        "Tokens that are read of a text, what stands beyond is not; 'auto' is as many as the longest text of training "
        "has, up to 512.",
        at_least=1,
    )
    dropout: float | Literal["auto"] = option(
        "auto",
        "Share of the units silenced in training, between layers and before the last one; 'auto' is 0.3 for texts and "
        "0 for numbers.",
        at_least=0,
        below=1,
    )

    def _fit_encoder(self: Any, data: Dataset) -> AnyEncoder:
        """Return the encoder that suits the columns of a training set."""
        if modality_of(data, self.tags.modalities) != "text":
            return super()._fit_encoder(data)  # type: ignore[misc]
        longest = None if self.max_length == "auto" else int(self.max_length)
        return TextEncoder.fit(data, tokenizer_by_name(self.tokenizer), longest)

    def _silenced(self, spec: Spec) -> float:
        """Return the dropout that suits the data."""
        if self.dropout != "auto":
            return float(self.dropout)
        return TEXT_DROPOUT if spec.inputs.vocabulary else 0.0
