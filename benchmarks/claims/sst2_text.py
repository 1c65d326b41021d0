"""SST-2: whether the sentence of a film review speaks for the film or against it, without anything learned before."""

from __future__ import annotations

from typing import Any

from benchmarks.claims import Claim
from benchmarks.claims._texts import accuracy_of_ensemble
from benchmarks.public import sst2

QUICK: dict[str, Any] = {
    "learning_rate": 3e-3,
    "epochs": 5,
    "maps": 50,
    "embedding": 64,
    "weight_decay": 0.1,
    "validation_fraction": 0.0,  # all sentences teach: how many epochs is chosen already
    "threads": 1,
}
LETTERS: dict[str, Any] = {
    "tokenizer": "characters(lowercase=True)",
    "windows": (4, 5, 6),
    "embedding": 24,
    "learning_rate": 4e-3,
    "epochs": 10,
    "dropout": 0.2,
    "batch_size": 64,
    "weight_decay": 0.1,
    "validation_fraction": 0.0,
    "threads": 1,
}
MEMBERS = [
    *(
        QUICK | {"tokenizer": tokenizer, "windows": windows}
        for tokenizer in ("words", "words(min_count=1)", "wordpiece(vocabulary=8000)", "bpe(vocabulary=6000)")
        for windows in ((1, 2, 3), (3, 4, 5))
    ),
    *(QUICK | {"tokenizer": "bpe(vocabulary=2000)", "epochs": 5},) * 2,
    *(LETTERS,) * 2,
]


def claim() -> Claim:
    """Train on 6,920 sentences, test on 1,821."""
    return accuracy_of_ensemble(
        "sst2_text",
        lambda: (sst2("train"), sst2("test")),
        MEMBERS,
        described="SST-2, 6,920 sentences to train on and 1,821 to test on. (Kim trained on the 76,961 labelled "
        "phrases of these sentences too, which are not in this copy.)",
        chosen="Chosen on the development sentences.",
        reference="Kim 2014, arXiv:1408.5882, table 2: CNN-rand 82.7 %.",
        target=0.827,
        paper="0.827 (CNN-rand, phrases too)",
    )
