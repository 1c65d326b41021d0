"""Attention: nanoGPT's recipe for a CPU, on tiny Shakespeare, cut to 500 steps."""

from __future__ import annotations

from benchmarks.measurement import US
from benchmarks.workloads import Contender, Workload, keras
from benchmarks.workloads._text import characters

WORKLOAD = Workload(
    title="tiny Shakespeare, characters → GPT-2 of 4 layers, 4 heads, width 128, block 64, batch 12, no dropout, "
    "AdamW 1e-3 (warm-up 100, cosine to 1e-4; beta2 0.99, decay 0.1, clip 1), 500 steps; loss in nats a character",
    job={
        "length": 64,
        "width": 128,
        "layers": 4,
        "heads": 4,
        "learning_rate": 1e-3,
        "least_rate": 1e-4,
        "warmup": 100,
        "beta2": 0.99,
        "weight_decay": 0.1,
        "clip": 1.0,
        "batch_size": 12,
        "steps": 500,
    },
    contenders={
        US: Contender("transformer.ganglion"),
        "limit, bf16": Contender("transformer.limit"),
        "plain loop": Contender("transformer.plain"),
        "keras-torch": keras("transformer.keras", "torch"),
        "hf-trainer": Contender("transformer.hf_trainer", "hf-trainer"),
        "keras-jax": keras("transformer.keras", "jax"),
    },
    data=characters(64),
    targets={"plain loop": 1.4, "keras-torch": 1.6, "hf-trainer": 1.75},
    quality="loss",
    lower_is_better=True,
    limits=("limit, bf16",),
)
