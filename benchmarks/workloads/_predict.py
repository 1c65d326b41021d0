"""What the two workloads of prediction share."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

from benchmarks.workloads import Contender, Workload, keras

CONTENDERS: Mapping[str, Contender] = {
    "ganglion": Contender("predict.ganglion", settings={"precision": "bfloat16"}),
    "ganglion, float32": Contender("predict.ganglion", settings={"precision": "float32"}),
    "onnxruntime": Contender("predict.onnxruntime", "onnxruntime"),
    "torch eager": Contender("predict.torch", settings={"precision": "float32"}),
    "torch eager, bf16": Contender("predict.torch", settings={"precision": "bfloat16"}),
    "scikit-learn": Contender("predict.scikit_learn"),
    "keras-torch": keras("predict.keras", "torch"),
}


def _data(folder: Path) -> dict[str, str]:
    """Write rows and weights: everybody who can be given weights computes the same probabilities."""
    import numpy as np

    rng, widths = np.random.default_rng(0), [784, 256, 128, 10]
    arrays = {"X": rng.random((2048, 784), dtype=np.float32), "y": np.arange(2048) % 10}
    for layer, (n_in, n_out) in enumerate(pairwise(widths)):
        arrays[f"W{layer}"] = (rng.standard_normal((n_in, n_out)) * (2 / n_in) ** 0.5).astype(np.float32)
        arrays[f"b{layer}"] = np.zeros(n_out, dtype=np.float32)
    path = folder / "predict.npz"
    np.savez(path, **arrays)
    return {"data": str(path)}


def prediction(rows: int, calls: int, targets: Mapping[str, float], limits: tuple[str, ...]) -> Workload:
    """Return the workload of class probabilities for so many rows at once: the median over so many calls."""
    return Workload(
        title=f"predict_proba, {rows:,} row{'s' if rows > 1 else ''} a call, MLP 784-256-128-10, numpy in, numpy out",
        job={"rows": rows, "calls": calls, "hidden": [256, 128]},
        contenders=CONTENDERS,
        data=_data,
        targets=targets,
        limits=limits,
        quality=None,
    )
