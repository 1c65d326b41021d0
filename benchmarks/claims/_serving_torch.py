"""A network's answers to rows by PyTorch, as a tutorial writes it: what the servers beside ours call."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import torch

import ganglion as gg

torch.set_num_threads(1)
MODEL = gg.load(os.environ["SERVED_MODEL"])
NUMBERS = [field.name for field in MODEL.encoder_.numeric]
CODES = {
    field.name: {label: code for code, label in enumerate(field.categories, 1)} for field in MODEL.encoder_.categorical
}


def answers(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what the model says of each row, an object of columns."""
    numbers = [[float("nan") if row[name] is None else row[name] for name in NUMBERS] for row in rows]
    codes = [[known.get(row[name], 0) for name, known in CODES.items()] for row in rows]
    with torch.inference_mode():
        columns = {"numeric": torch.tensor(numbers, dtype=torch.float32), "categorical": torch.tensor(codes)}
        probabilities = MODEL.network_(columns)
    labels = probabilities.argmax(dim=1).tolist()
    return [
        {"prediction": str(MODEL.classes_[label]), "probabilities": shares}
        for label, shares in zip(labels, probabilities.tolist(), strict=True)
    ]
