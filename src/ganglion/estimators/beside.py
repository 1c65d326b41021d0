"""What a room above may add to a training: further columns in its batches, and further objectives.

A meta-estimator hands a `Beside` to `fit`: a column that stands beside features and target in every batch (who belongs
to which group, what a teacher said), and a function that makes other objectives of the estimator's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.networks.network import Network
from ganglion.training.distribution import workers
from ganglion.training.objective import Objective
from ganglion.training.run import Source


@dataclass(frozen=True, slots=True)
class Beside:
    """Columns and objectives that join a training.

    Attributes
    ----------
    columns : mapping of str to ndarray of shape (n_samples, …)
        One row a sample, in the order of X; batches have them under these names.
    objectives : callable
        `objectives(network, own)` → the objectives to train by, made of the estimator's own ones. It is called when the
        network has its device and precision; modules that it makes are seeded as the network is.
    begins : callable, optional
        `begins(steps)` is called before, with the number of batches in an epoch.
    """

    columns: Mapping[str, np.ndarray]
    objectives: Callable[[Network, Sequence[Objective]], Sequence[Objective]]
    begins: Callable[[int], object] | None = None

    def check(self, name: str, n_samples: int, *, gradients: bool, saves: bool) -> None:
        """Raise InvalidInput or InvalidParameter if the estimator `name` cannot be trained with it."""
        if not gradients:
            raise InvalidParameter(f"{name} learns without objectives, so nothing can join them. Take a trained one.")
        if saves:
            raise InvalidParameter(
                "a checkpoint holds the network only, not what `beside` trains. Leave checkpoint and resume out."
            )
        if workers().n > 1:
            raise InvalidParameter("what joins a training is trained by one process. Start it without torchrun.")
        odd = [name for name, column in self.columns.items() if len(column) != n_samples]
        if odd:
            raise InvalidInput(
                f"beside: {odd[0]!r} has {len(self.columns[odd[0]])} rows, but X has {n_samples}. Give one a sample."
            )

    def take(self, rows: np.ndarray) -> dict[str, Tensor]:
        """Return the columns of some rows as tensors."""
        return {name: torch.from_numpy(np.ascontiguousarray(column[rows])) for name, column in self.columns.items()}

    def joined(self, name: str, network: Network, own: Sequence[Objective], source: Source) -> Sequence[Objective]:
        """Return the objectives to train by, once it is sure that batches have the columns."""
        absent = self.columns.keys() - source.example().keys()
        if absent:
            raise InvalidParameter(
                f"{name} makes its batches itself, without the columns {', '.join(sorted(absent))}. Take an estimator "
                "that learns from rows with one answer each."
            )
        if self.begins is not None:
            self.begins(len(source))
        return self.objectives(network, own)
