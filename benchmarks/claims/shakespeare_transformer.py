"""nanoGPT's recipe for a CPU on tiny Shakespeare: the loss it names, in no more time than its own loop takes here.

nanoGPT itself is not fetched: `nanogpt` below re-states the training loop of its train.py and model.py with these
settings and `--compile=False`: float32, fused attention, batches stacked window by window, AdamW of torch.optim in two
groups, gradients clipped, a cosine after a warm-up, and an estimate of both losses on 20 batches every 250 steps.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from typing import Any

import numpy as np

from benchmarks.claims import Claim, Figure, Skipped, bootstrap_mean
from ganglion.data.public import find
from ganglion.errors import InvalidFile

ROUNDS = 3
STEPS, BLOCK, BATCH = 2000, 64, 12
SETTINGS = {
    "width": 128,
    "layers": 4,
    "heads": 4,
    "dropout": 0.0,
    "context": BLOCK,
    "batch_size": BATCH,
    "steps": STEPS,
    "optimizer": "adamw(beta2=0.99)",
    "learning_rate": 1e-3,
    "schedule": "warm_up(steps=100, then='cosine(floor=0.1)')",
    "weight_decay": 0.1,
    "clip_norm": 1.0,
}
LOSS, TIME = 1.88, 1.0


def claim() -> Claim:
    """Run both by turns, each in a process of its own; time is all that `fit`, or the loop, takes."""
    try:
        find("tinyshakespeare/input.txt")
    except InvalidFile as error:
        raise Skipped(str(error)) from error
    ours, theirs = [], []
    for seed in range(ROUNDS):
        ours.append(_in_a_process("ganglion", seed))
        theirs.append(_in_a_process("nanogpt", seed))
    losses = np.mean([run["losses"] for run in ours], axis=0)
    ratios = [run["seconds"] / other["seconds"] for run, other in zip(ours, theirs, strict=True)]
    seconds = {name: float(np.median([run["seconds"] for run in runs])) for name, runs in _named(ours, theirs)}
    reached = {name: float(np.mean([np.mean(run["losses"]) for run in runs])) for name, runs in _named(ours, theirs)}
    return Claim(
        name="shakespeare_transformer",
        data="Tiny Shakespeare by characters: the first nine tenths to train on, the last one to test on.",
        settings=f"LanguageModel({', '.join(f'{name}={value!r}' for name, value in SETTINGS.items())}), "
        "validation=(the last tenth, None), all else as it comes. Loss: the mean over windows of 64 characters that "
        "stand side by side, as nanoGPT draws them at random; its interval is over windows, at the mean of "
        f"{ROUNDS} seeds. Time: the median ratio of {ROUNDS} rounds, its interval their range. "
        f"Ours {seconds['ganglion']:.1f} s, loss {reached['ganglion']:.3f}; nanoGPT's loop {seconds['nanogpt']:.1f} s, "
        f"loss {reached['nanogpt']:.3f}.",
        reference="nanoGPT, https://github.com/karpathy/nanoGPT, README, 'I only have a macbook': validation loss 1.88 "
        "after 2,000 steps. Its loop is re-stated here from its files, not fetched.",
        figures=[
            Figure("validation loss", losses.mean(), *bootstrap_mean(losses), LOSS, paper="1.88", lower_is_better=True),
            Figure(
                "time ÷ nanoGPT's",
                float(np.median(ratios)),
                min(ratios),
                max(ratios),
                TIME,
                lower_is_better=True,
            ),
        ],
        details={"ganglion": [_short(run) for run in ours], "nanogpt": [_short(run) for run in theirs]},
    )


def _named(ours: list[Any], theirs: list[Any]) -> list[tuple[str, list[Any]]]:
    return [("ganglion", ours), ("nanogpt", theirs)]


def _short(run: dict[str, Any]) -> dict[str, Any]:
    return {"seconds": run["seconds"], "loss": float(np.mean(run["losses"]))}


def _in_a_process(which: str, seed: int) -> dict[str, Any]:
    line = [sys.executable, "-m", "benchmarks.claims.shakespeare_transformer", which, str(seed)]
    ran = subprocess.run(line, capture_output=True, text=True, check=True)
    return json.loads(ran.stdout.splitlines()[-1])


def _text() -> tuple[str, str]:
    text = find("tinyshakespeare/input.txt").read_text("utf-8")
    cut = int(0.9 * len(text))
    return text[:cut], text[cut:]


def ganglion(seed: int) -> dict[str, Any]:
    """Return the seconds of `fit`, and the loss of every window of the last tenth."""
    from ganglion.algorithms.language_model import LanguageModel

    train, test = _text()
    start = time.perf_counter()
    model = LanguageModel(**SETTINGS, random_state=seed).fit([train], validation=([test], None))
    seconds = time.perf_counter() - start
    ids = model.encoder_.tokenizer.encode([test]).values.long()
    return {"seconds": seconds, "losses": _losses(lambda X: model.network_.scores({"tokens": X}), ids)}


def nanogpt(seed: int) -> dict[str, Any]:
    """Return the seconds of nanoGPT's loop, and the loss of every window of the last tenth."""
    import torch
    from torch import nn

    from benchmarks.contenders.transformer.network import GPT, learning_rate

    train, test = _text()
    letters = {letter: i for i, letter in enumerate(sorted(set(train + test)))}
    data = {"train": train, "val": test}
    data = {name: np.array([letters[letter] for letter in part], dtype=np.uint16) for name, part in data.items()}
    job: Any = type(
        "Job",
        (),
        {
            "symbols": len(letters),
            "length": BLOCK,
            "width": 128,
            "layers": 4,
            "heads": 4,
            "learning_rate": 1e-3,
            "least_rate": 1e-4,
            "warmup": 100,
            "steps": STEPS,
        },
    )

    def get_batch(split: str) -> tuple[Any, Any]:
        part = data[split]
        starts = torch.randint(len(part) - BLOCK, (BATCH,))
        x = torch.stack([torch.from_numpy(part[i : i + BLOCK].astype(np.int64)) for i in starts])
        y = torch.stack([torch.from_numpy(part[i + 1 : i + 1 + BLOCK].astype(np.int64)) for i in starts])
        return x, y

    def loss_of(x: Any, y: Any) -> Any:
        return nn.functional.cross_entropy(network(x).flatten(0, 1), y.flatten())

    def estimate_loss() -> None:
        network.eval()
        with torch.no_grad():
            for split in ("train", "val"):
                torch.tensor([loss_of(*get_batch(split)).item() for _ in range(20)]).mean()
        network.train()

    start = time.perf_counter()
    torch.manual_seed(seed)
    network = GPT(job)
    decaying, others = network.groups()
    groups = [{"params": decaying, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99))
    x, y = get_batch("train")
    for step in range(STEPS + 1):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(job, step)
        if step % 250 == 0:
            estimate_loss()
        loss = loss_of(x, y)
        x, y = get_batch("train")
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    seconds = time.perf_counter() - start
    network.eval()
    return {"seconds": seconds, "losses": _losses(network, torch.from_numpy(data["val"].astype(np.int64)))}


def _losses(scores: Any, ids: Any) -> list[float]:
    """Return the loss of each of the windows that stand side by side in a text."""
    import torch
    from torch import nn

    n = (len(ids) - 1) // BLOCK
    X, y = (ids[first : first + n * BLOCK].view(n, BLOCK) for first in (0, 1))
    losses = []
    with torch.inference_mode():
        for some, answers in zip(X.split(100), y.split(100), strict=True):
            found = nn.functional.cross_entropy(scores(some).transpose(1, 2), answers, reduction="none")
            losses += found.mean(1).tolist()
    assert all(map(math.isfinite, losses))
    return losses


if __name__ == "__main__":
    print(json.dumps({"ganglion": ganglion, "nanogpt": nanogpt}[sys.argv[1]](int(sys.argv[2]))))
