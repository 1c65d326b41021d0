"""What the workloads of explanation share: a network, 100 rows, a background, and the values in the long run.

The network is trained once, and its scaling folded into its first layer, so that everybody explains the same function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

TRAINED, EXPLAINED, WALKS, STEPS, TOGETHER = 20_000, 100, 1000, 4096, 20


def data(background: str, *, values: str = "walks") -> Callable[[Path], Mapping[str, Any]]:
    """Return what writes the network and the rows.

    The background is the "mean" of the training rows, or 100 "rows"; `values` says what is written as the truth:
    Shapley values by many "walks", the integral along "paths", or "" for nothing.
    """

    def write(folder: Path) -> dict[str, str]:
        import numpy as np

        from ganglion.algorithms.mlp import MLPClassifier

        X, y = one_hot()
        model = MLPClassifier(hidden=(64,), epochs=5, validation_fraction=0, random_state=0)
        model.fit(X[:TRAINED], y[:TRAINED])
        model.save(folder / "adult.ganglion")
        rows = X[TRAINED : TRAINED + EXPLAINED]
        others = X[:TRAINED].mean(axis=0, keepdims=True) if background == "mean" else X[:100]
        arrays = {"X": rows, "background": others.astype(np.float32), **folded(model)}
        if values:
            arrays["values"] = long_run(arrays) if values == "walks" else exact_paths(arrays)
        np.savez(folder / "explain.npz", **arrays)
        return {"data": str(folder / "explain.npz"), "model": str(folder / "adult.ganglion")}

    return write


def one_hot() -> tuple[Any, Any]:
    """Return Adult's training file with a column a category, 108 in all, numbers scaled, float32; and its labels."""
    import numpy as np
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    from benchmarks.contenders.adult.rows import CATEGORICAL, COLUMNS, NUMERIC
    from ganglion.data.public import find

    lines = [line.split(", ") for line in find("adult/adult.data").read_text().splitlines() if line.strip()]
    table = np.array(lines, dtype=object)
    numbers = StandardScaler().fit_transform(table[:, [COLUMNS.index(name) for name in NUMERIC]].astype(float))
    flags = OneHotEncoder(sparse_output=False).fit_transform(table[:, [COLUMNS.index(name) for name in CATEGORICAL]])
    return np.column_stack([numbers, flags]).astype(np.float32), (table[:, -1] == ">50K").astype(int)


def folded(model: Any) -> dict[str, Any]:
    """Return the weights of a fitted MLP with one hidden layer, its scaling folded into the first."""
    import numpy as np
    import torch

    first, last = (each for each in model.network_.body.modules() if isinstance(each, torch.nn.Linear))
    center, factor = (each.numpy() for each in (model.network_.input.center, model.network_.input.factor))
    W0 = first.weight.detach().double().numpy() * factor
    b0 = first.bias.detach().double().numpy() - W0 @ center
    arrays = {"W0": W0, "b0": b0, "W1": last.weight.detach().numpy(), "b1": last.bias.detach().numpy()}
    return {name: np.asarray(each, dtype=np.float32) for name, each in arrays.items()}


def exact_paths(arrays: Mapping[str, Any], steps: int = STEPS) -> Any:
    """Return the integrated gradients of the rows from the mean background row, in plain NumPy: (n, d)."""
    import numpy as np

    base = arrays["background"].astype(np.float64).mean(axis=0)
    W0, b0, W1, b1 = (arrays[name].astype(np.float64) for name in ("W0", "b0", "W1", "b1"))
    total = np.zeros(arrays["X"].shape)
    for alpha in (np.arange(steps) + 0.5) / steps:
        reached = (base + alpha * (arrays["X"] - base)) @ W0.T + b0
        said = 1 / (1 + np.exp(-(np.maximum(reached, 0) @ W1[0] + b1[0])))
        total += ((said * (1 - said))[:, None] * (reached > 0) * W1[0]) @ W0
    return total / steps * (arrays["X"] - base)


def long_run(arrays: Mapping[str, Any], walks: int = WALKS) -> Any:
    """Return the Shapley values of the rows, by many random orders walked from both ends, in plain NumPy: (n, d).

    A step changes one column, which moves what reaches the hidden units by its weights alone. Twenty walks go together.
    """
    import numpy as np

    rng = np.random.default_rng(12345)
    X, others = arrays["X"].astype(np.float64), arrays["background"].astype(np.float64)
    W0, b0, W1, b1 = (arrays[name].astype(np.float64) for name in ("W0", "b0", "W1", "b1"))
    (n, d), total = X.shape, np.zeros((X.shape[1], len(X)))

    def said(reached: Any) -> Any:
        return 1 / (1 + np.exp(-(np.maximum(reached, 0) @ W1[0] + b1[0])))

    for start in range(0, walks, TOGETHER):
        base = others[np.arange(start, min(walks, start + TOGETHER)) % len(others)]
        orders = rng.permuted(np.tile(np.arange(d), (len(base), 1)), axis=1)
        for columns in (orders.T, orders[:, ::-1].T):  # a step: which column each walk changes
            reached = np.repeat((base @ W0.T + b0)[:, None], n, axis=1)
            before = said(reached)
            for step in columns:
                apart = X.T[step] - base[np.arange(len(base)), step][:, None]
                reached += apart[:, :, None] * W0.T[step][:, None]
                after = said(reached)
                np.add.at(total, step, after - before)
                before = after
    return total.T / (2 * walks)
