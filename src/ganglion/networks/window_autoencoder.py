"""A window of steps, said again from a few numbers.

    h = the encoder's units behind the last step;  z = W h + b          Malhotra et al. 2016, arXiv:1607.00148
    the decoder reads z at every step and says each step's numbers

Differs: the decoder is not fed with what it said before, so that all steps come at once. Letters: b windows, c columns,
t targets, L steps, D units, Z numbers of the code.
"""

from __future__ import annotations

from torch import Tensor, nn

from ganglion.networks.recurrent import cell


class WindowAutoencoder(nn.Module):
    """Windows (b, c, L) → their targets again, (b, t, L, 1).

    Parameters
    ----------
    n_columns, n_targets : int
        c, of which the first t are said again.
    width : int
        D.
    code : int
        Z: too few to say everything, so that only what is usual can be said again.
    kind : {"gru", "lstm"}
        The cells.
    """

    def __init__(self, n_columns: int, n_targets: int, width: int, code: int, *, kind: str = "gru") -> None:
        super().__init__()
        self.reader, self.writer = cell(kind, n_columns, width), cell(kind, code, width)
        self.narrow, self.said = nn.Linear(width, code), nn.Linear(width, n_targets)

    def forward(self, window: Tensor) -> Tensor:
        """Return what is said again."""
        seen, _ = self.reader(window.transpose(1, 2))
        code = self.narrow(seen[:, -1])
        units, _ = self.writer(code[:, None, :].expand(-1, window.shape[2], -1).contiguous())
        return self.said(units).transpose(1, 2)[..., None]
