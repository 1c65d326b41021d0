"""What the workloads on text share: tiny Shakespeare as characters, written out once."""

from __future__ import annotations

from pathlib import Path


def characters(length: int):
    """Return a workload's `data`: the first nine tenths to learn from, the rest cut in windows of this length."""

    def data(folder: Path) -> dict[str, object]:
        import numpy as np

        from benchmarks.public import tiny_shakespeare

        train, valid, n_symbols = tiny_shakespeare()
        n = (len(valid) - 1) // length
        X, y = (valid[first : first + n * length].reshape(n, length) for first in (0, 1))
        path = folder / "text.npz"
        np.savez(path, train=train, X_valid=X, y_valid=y)
        return {"data": str(path), "symbols": n_symbols}

    return data
