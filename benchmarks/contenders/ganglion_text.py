"""What Ganglion's contenders on text share: the others are given numbers of characters, Ganglion reads a text."""

import numpy as np
import torch

FIRST = 0x4E00  # letters as good as any


def as_text(tokens: np.ndarray) -> str:
    """Return numbers of characters as a text."""
    return (tokens + FIRST).astype("<u4").tobytes().decode("utf-32-le")


def scores_of(model):
    """Return a function from windows to scores, both in the numbers of the others, a hundred windows at a time."""
    tokenizer, network = model.encoder_.tokenizer, model.network_
    seen = sorted(tokenizer.vocabulary[4:])
    numbers = torch.tensor([ord(letter) - FIRST for letter in seen])
    ids = torch.zeros(int(numbers.max()) + 1, dtype=torch.int64)
    ids[numbers] = tokenizer.encode(["".join(seen)]).values.long()

    def scores(rows):
        with torch.inference_mode():
            parts = torch.from_numpy(rows).split(100)
            return torch.cat([network.scores({"tokens": ids[part]})[..., ids] for part in parts]).float().numpy()

    return scores
