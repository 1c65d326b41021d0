"""Several things that join one training, one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from ganglion.estimators.beside import Beside
from ganglion.networks.network import Network
from ganglion.training.objective import Objective


def joined(*given: Beside | None) -> Beside | None:
    """Return one `Beside` for all that are given, None where none is: each makes its objectives of those before."""
    besides = [each for each in given if each is not None]
    if len(besides) < 2:
        return besides[0] if besides else None

    def objectives(network: Network, own: Sequence[Objective]) -> Sequence[Objective]:
        for each in besides:
            own = each.objectives(network, own)
        return own

    def begins(steps: int) -> None:
        for each in besides:
            if each.begins is not None:
                each.begins(steps)

    columns = {name: column for each in besides for name, column in each.columns.items()}
    return Beside(columns, objectives, begins)
