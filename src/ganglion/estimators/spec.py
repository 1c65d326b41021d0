"""What `build` is told of the data, and the first layer that suits them."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import nn

from ganglion.data.encoding import InputSpec
from ganglion.networks.inputs import ImageInput, TableInput
from ganglion.networks.sequences import SequenceInput, SignalInput, TokenInput
from ganglion.networks.visible import Scaling, VisibleInput
from ganglion.networks.words import WordInput


@dataclass(frozen=True, slots=True)
class Spec:
    """What the data look like: the tensors that come in, the width of the scores that go out, and the last layer.

    `n_samples` is the number of training samples; a network that is read from a file knows none, and needs none.
    """

    inputs: InputSpec
    n_scores: int
    output: nn.Module = field(repr=False)
    n_samples: int = 0

    def input_layer(self, *, scaling: str = "standard", embedding: int | None = None) -> TableInput | ImageInput:
        """Return the first layer that suits the data: imputing, scaling and embedding a table, or scaling images."""
        if self.inputs.image:
            return ImageInput(self.inputs.image)
        return TableInput(
            self.inputs.numeric,
            self.inputs.cardinalities,
            missing=self.inputs.missing,
            scaling=scaling,
            embedding=embedding,
        )

    def visible_layer(self, scaling: Scaling) -> VisibleInput:
        """Return the first layer of a network that says the data themselves: columns, or pixels, as one vector."""
        given = self.inputs
        return VisibleInput(
            given.numeric, given.cardinalities, boolean=given.boolean, image=given.image, scaling=scaling
        )

    def sequence_layer(self, width: int, *, scale: float = 1.0) -> TokenInput | WordInput | SequenceInput | SignalInput:
        """Return the first layer of a network of sequences: its output are `Steps`.

        Tokens become vectors of `width` numbers, of deviation `scale` at first, and so do words with their features;
        steps of numbers are scaled; a row of a table is a signal of one number a step.
        """
        if self.inputs.features:
            return WordInput(self.inputs.vocabulary, self.inputs.features, width, scale=scale)
        if self.inputs.vocabulary:
            return TokenInput(self.inputs.vocabulary, width, scale=scale)
        if self.inputs.sequence:
            return SequenceInput(self.inputs.sequence)
        return SignalInput(self.inputs.numeric, self.inputs.cardinalities, missing=self.inputs.missing)
