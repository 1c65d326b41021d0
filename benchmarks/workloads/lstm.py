"""Recurrence: a character model on tiny Shakespeare."""

from __future__ import annotations

from benchmarks.measurement import US
from benchmarks.workloads import Contender, Workload, keras
from benchmarks.workloads._text import characters

WORKLOAD = Workload(
    title="tiny Shakespeare, characters → embedding 64 → LSTM 2 × 256 → linear, sequence 64, batch 64, Adam 1e-3, "
    "200 steps; loss in nats a character",
    job={
        "length": 64,
        "embedding": 64,
        "width": 256,
        "layers": 2,
        "learning_rate": 1e-3,
        "batch_size": 64,
        "steps": 200,
    },
    contenders={
        US: Contender("lstm.ganglion"),
        "limit, bf16": Contender("lstm.limit"),
        "plain loop": Contender("lstm.plain"),
        "keras-jax": keras("lstm.keras", "jax"),
        "keras-torch": keras("lstm.keras", "torch"),
    },
    data=characters(64),
    targets={"plain loop": 1.5, "keras-jax": 2.0, "keras-torch": 4.0},
    quality="loss",
    lower_is_better=True,
    limits=("limit, bf16",),
)
