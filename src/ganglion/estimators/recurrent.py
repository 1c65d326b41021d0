"""What every estimator with recurrent cells can be told."""

from __future__ import annotations

from typing import Literal

from ganglion.options import hyperparameters, option


@hyperparameters
class RecurrentOptions:
    """Options of recurrent networks, whatever they learn."""

    cell: Literal["elman", "gru", "lstm"] = option(
        "lstm", "What a unit is: elman forgets within some ten steps; lstm and gru have gates and remember."
    )
    layers: int = option(1, "Layers of cells, each reading what the one below made.", at_least=1)
    bidirectional: bool = option(True, "Whether each layer reads from both ends.")
    embedding: int = option(128, "Numbers of the vector that a token or word becomes.", at_least=1)
    packing: bool = option(
        False,
        "Whether the filling behind shorter sequences of a batch is skipped, not run over. The results are the same; "
        "it pays where lengths differ much.",
    )
    clip_norm: float | None = option(1.0, "Largest norm of a gradient; None for no limit.", above=0)
