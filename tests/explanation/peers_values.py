"""Make `peers_values.json`: what shap and captum say of a small ReLU network, for `test_peers.py`.

Once, where they are installed: benchmarks/.peers/explainers/bin/python tests/explanation/peers_values.py
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np

PLACE = Path(__file__).with_suffix(".json")
D, HIDDEN = 5, 7


def said(arrays, rows):
    """Return the probabilities of the second class, (n,)."""
    hidden = np.maximum(rows @ arrays["W0"].T + arrays["b0"], 0)
    return 1 / (1 + np.exp(-(hidden @ arrays["W1"][0] + arrays["b1"][0])))


def drawn():
    """Return the weights of a network, five rows and a background of eight."""
    rng = np.random.default_rng(7)
    shapes = {"W0": (HIDDEN, D), "b0": HIDDEN, "W1": (1, HIDDEN), "b1": 1, "X": (5, D), "background": (8, D)}
    return {name: np.round(rng.normal(size=shape), 3) for name, shape in shapes.items()}


def by_shap(arrays):
    """Return shap's exact values, (n, d)."""
    import shap

    masker = shap.maskers.Independent(arrays["background"], max_samples=len(arrays["background"]))
    return shap.ExactExplainer(lambda rows: said(arrays, rows), masker)(arrays["X"]).values


def by_captum(arrays):
    """Return captum's integrated gradients from the mean background row, 4,000 steps, (n, d)."""
    import torch
    from captum.attr import IntegratedGradients

    W0, b0, W1, b1 = (torch.from_numpy(arrays[name]) for name in ("W0", "b0", "W1", "b1"))
    rows, base = torch.from_numpy(arrays["X"]), torch.from_numpy(arrays["background"].mean(axis=0, keepdims=True))

    def network(x):
        return ((x @ W0.T + b0).relu() @ W1.T + b1).sigmoid()[:, 0]

    return IntegratedGradients(network).attribute(rows, base, n_steps=4000, method="riemann_middle").numpy()


if __name__ == "__main__":
    arrays = drawn()

    stored = {
        "made by": "benchmarks/.peers/explainers/bin/python tests/explanation/peers_values.py",
        "versions": {name: version(name) for name in ("shap", "captum", "numpy", "torch")},
        **{name: each.tolist() for name, each in arrays.items()},
        "shap exact": by_shap(arrays).tolist(),
        "captum integrated gradients": by_captum(arrays).tolist(),
    }
    PLACE.write_text(json.dumps(stored, indent=1) + "\n")
