"""Estimators that the training loop trains: the options of training, declared once, and the way into the loop."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch import Tensor

from ganglion.data.dataset import Batches
from ganglion.errors import InvalidParameter, TrainingWarning
from ganglion.estimators.base import Estimator, Samples
from ganglion.estimators.session import Session
from ganglion.estimators.spec import Spec
from ganglion.networks.network import Network
from ganglion.options import hyperparameters, option
from ganglion.training.diagnosis import warn_of_dead_units, warn_of_divergence
from ganglion.training.execution import Execution, Job, Machine, check_device, plan
from ganglion.training.losses import PerSampleLoss
from ganglion.training.objective import Batch, Objective
from ganglion.training.optimizers import Optimizer, optimizer_by_name
from ganglion.training.schedules import schedule_by_name
from ganglion.training.trainer import OnEpoch, Trainer

PREPARED_BYTES = 2 * 2**30  # prepare the whole training set at once up to this size, batch by batch beyond
EVALUATION_ROWS = 8192


@hyperparameters
class Trained(Estimator):
    """What all estimators share that lower a loss by gradients."""

    epochs: int | Literal["auto"] = option(
        "auto", "Walks over the training data at most; 'auto' gives small data sets more of them.", at_least=1
    )
    batch_size: int | Literal["auto"] = option(
        "auto", "Samples a step; 'auto' takes all of them up to 256, and 32 to 512 of larger sets.", at_least=1
    )
    learning_rate: float | Literal["auto"] = option(
        "auto", "Size of a step; 'auto' takes what suits the optimizer.", above=0
    )
    optimizer: Any = option(
        "adamw",
        "A name, with settings in brackets if wanted: adam, adamw, sgd(momentum=0.9), gradient_descent, rmsprop, "
        "adagrad, muon, lbfgs.",
        check=optimizer_by_name,
    )
    schedule: Any = option(
        "cosine",
        "How the learning rate goes on: constant, cosine, one_cycle, step(every=30), plateau(patience=5), "
        "warm_up(steps=100, then='cosine').",
        check=schedule_by_name,
    )
    weight_decay: float | Literal["auto"] = option(
        "auto",
        "Shrinks weights: decoupled with adamw and muon, an L2 penalty with the other optimizers. 'auto' is 0 for "
        "those, and where it is decoupled 2 below 1,000 samples, then 1 for classes and 0.3 for numbers.",
        at_least=0,
    )
    clip_norm: float | None = option(None, "Largest norm of a gradient; None for no limit.", above=0)
    validation_fraction: float | Literal["auto"] = option(
        "auto",
        "Part of the training data held out to stop early and keep the best weights; 'auto' is a tenth from 1,000 "
        "samples on, and none below.",
        at_least=0,
        below=1,
    )
    patience: int | None = option(
        20, "Stop after so many epochs without a lower held-out loss; None never stops early.", at_least=1
    )
    device: str = option("auto", "'cpu', 'cuda', 'cuda:1', or 'auto'.", check=check_device)
    precision: Literal["auto", "float32", "float64", "bfloat16"] = option(
        "auto", "Precision of the arithmetic; 'auto' is float64 for small float64 data, float32 otherwise."
    )
    threads: int | None = option(None, "Threads to compute with; None lets the size of the job decide.", at_least=1)

    def objectives(self, network: Network) -> Sequence[Objective]:
        """Return what training lowers: for a supervised algorithm the mean loss of a batch."""
        return [Objective("loss", network.parameters(), WeightedLoss(self._per_sample_loss()))]

    def _per_sample_loss(self) -> PerSampleLoss:
        raise NotImplementedError

    def _score(self, network: Network, scores: Tensor, batch: Batch) -> Tensor | None:
        """Return the sum over a batch of what `history_` shows as "validation_score", or None."""
        raise NotImplementedError

    def _stratify(self, y: np.ndarray) -> np.ndarray | None:
        """Return labels whose shares a held-out part should keep, or None."""
        return None

    def _learn(self, samples: Samples, held_out: Samples | None, session: Session) -> None:
        network = self.build(Spec(self.encoder_.spec, self.target_.n_scores, self.target_.output()))
        if held_out is None:
            samples, held_out = self._split(samples, session.seed)
        network.entry.adapt(samples.inputs, None if samples.weight is None else torch.from_numpy(samples.weight))
        optimizer = optimizer_by_name(self.optimizer)
        batch_size = len(samples) if optimizer.full_batch else self._batch_size(len(samples))
        execution = self._execution(samples, network, batch_size)
        trainer = self._trainer(optimizer, len(samples), batch_size, session.callbacks)
        network.cast(execution.dtype)
        with execution.applied():
            columns, prepare = self._tensors(network, samples, execution)
            batches = Batches(columns, batch_size, torch.Generator().manual_seed(session.seed), prepare=prepare)
            monitor = None if held_out is None else self._monitor(network, held_out, execution)
            network.to(execution.device)
            objectives = self.objectives(network)
            history = trainer.fit(
                network,
                objectives,
                batches,
                monitor=monitor,
                checkpoints=session.checkpoints,
                resume=session.resume,
            )
            warn_of_divergence(history)
            warn_of_dead_units(network, lambda: objectives[0].loss(network, next(iter(batches))))
        history.execution = execution.to_dict() | {"batch_size": batch_size}
        self.network_, self.history_ = network.to("cpu"), history
        if history.stopped == "interrupted":
            kept = "best weights so far" if history.best_epoch else "weights of the last step"
            if session.checkpoints:
                kept += f"; go on with fit(…, resume={os.fspath(session.checkpoints.folder)!r})"
            warnings.warn(
                f"training was interrupted in epoch {len(history)} of {trainer.epochs}; the estimator has the {kept}.",
                TrainingWarning,
                stacklevel=3,
            )

    def _trainer(self, optimizer: Optimizer, n_samples: int, batch_size: int, callbacks: Sequence[OnEpoch]) -> Trainer:
        return Trainer(
            epochs=self._epochs(n_samples, batch_size),
            optimizer=optimizer,
            learning_rate=optimizer.default_rate if self.learning_rate == "auto" else float(self.learning_rate),
            schedule=schedule_by_name(self.schedule),
            weight_decay=self._decay(optimizer, n_samples),
            clip_norm=self.clip_norm,
            patience=self.patience,
            on_epoch=(*callbacks, *((_print_epoch,) if self.verbose else ())),
        )

    def _decay(self, optimizer: Optimizer, n_samples: int) -> float:
        if self.weight_decay != "auto":
            return float(self.weight_decay)
        if not optimizer.decoupled:
            return 0.0
        # chosen on held-out parts of ten public tables: small ones overfit, and noisy labels ask for more than numbers
        return 2.0 if n_samples < 1000 else 1.0 if self.tags.task == "classification" else 0.3

    def _batch_size(self, n_samples: int) -> int:
        if self.batch_size != "auto":
            return min(int(self.batch_size), n_samples)
        if n_samples <= 256:
            return n_samples
        return min(512, max(32, 2 ** round(math.log2(n_samples / 50))))

    def _epochs(self, n_samples: int, batch_size: int) -> int:
        if self.epochs != "auto":
            return int(self.epochs)
        steps_per_epoch = math.ceil(n_samples / batch_size)
        return min(200, max(20, math.ceil(4000 / steps_per_epoch)))

    def _split(self, samples: Samples, seed: int) -> tuple[Samples, Samples | None]:
        share = self.validation_fraction
        if share == "auto":
            share = 0.1 if len(samples) >= 1000 else 0.0
        n_held_out = round(float(share) * len(samples))
        if share == 0:
            return samples, None
        if n_held_out < 1 or n_held_out >= len(samples):
            raise InvalidParameter(
                f"{type(self).__name__}(validation_fraction={share}): that is {n_held_out} of {len(samples)} samples. "
                "Leave at least one on each side, or give 0 for no held-out part."
            )
        labels = self._stratify(samples.y)
        rows = np.arange(len(samples))
        if labels is not None and np.unique(labels, return_counts=True)[1].min() * share >= 1:
            train, held_out = train_test_split(rows, test_size=n_held_out, random_state=seed, stratify=labels)
        else:
            train, held_out = train_test_split(rows, test_size=n_held_out, random_state=seed)
        return samples.take(np.sort(train)), samples.take(np.sort(held_out))

    def _execution(self, samples: Samples, network: Network, batch_size: int) -> Execution:
        job = Job(
            n_samples=len(samples),
            n_parameters=sum(parameter.numel() for parameter in network.parameters()),
            batch_size=batch_size,
            float64_input=any(tensor.dtype == torch.float64 for tensor in samples.inputs.values()),
        )
        return plan(job, Machine.here(), device=self.device, precision=self.precision, threads=self.threads)

    def _tensors(
        self, network: Network, samples: Samples, execution: Execution
    ) -> tuple[dict[str, Tensor], Callable | None]:
        """Return the columns that batches are gathered from, and what is still to be done to every batch."""
        columns: dict[str, Tensor] = dict(samples.inputs)
        small = sum(tensor.numel() * 4 for tensor in columns.values()) <= PREPARED_BYTES
        if small:
            with torch.no_grad():
                columns = dict(network.prepare(samples.inputs))
        columns["target"] = self.target_.encode(samples.y, execution.dtype)
        weight = self._weight(samples)
        if weight is not None:
            columns["weight"] = torch.from_numpy(weight / weight.mean()).to(execution.dtype)
        columns = {name: tensor.to(execution.device).contiguous() for name, tensor in columns.items()}
        return columns, None if small else network.prepare

    def _monitor(self, network: Network, held_out: Samples, execution: Execution) -> Callable[[], dict[str, float]]:
        columns, prepare = self._tensors(network, held_out, execution)
        loss = WeightedLoss(self._per_sample_loss())
        batches = [
            {name: tensor[start : start + EVALUATION_ROWS] for name, tensor in columns.items()}
            for start in range(0, len(held_out), EVALUATION_ROWS)
        ]

        def measure() -> dict[str, float]:
            total_loss, total_score, has_score = 0.0, 0.0, False
            for batch in batches:
                ready = {**batch, **prepare(batch)} if prepare else batch
                scores = network.scores(ready)
                total_loss += float(loss.of(scores, ready)) * len(batch["target"])
                score = self._score(network, scores, ready)
                if score is not None:
                    total_score, has_score = total_score + float(score), True
            measured = {"validation_loss": total_loss / len(held_out)}
            return measured | {"validation_score": total_score / len(held_out)} if has_score else measured

        return measure


class WeightedLoss:
    """The mean loss of a batch, each sample counting by its weight (1 on average over the training data)."""

    def __init__(self, per_sample: PerSampleLoss) -> None:
        self.per_sample = per_sample

    def __call__(self, network: Any, batch: Batch) -> Tensor:
        """Return the loss of a network on a batch of prepared inputs, a scalar."""
        return self.of(network.scores(batch), batch)

    def of(self, scores: Tensor, batch: Batch) -> Tensor:
        """Return the loss of scores, (n_samples, n_scores), a scalar."""
        losses = self.per_sample(scores, batch["target"])
        if losses.dim() == 0:  # a user's own function that reduces by itself
            return losses
        return (losses * batch["weight"]).mean() if "weight" in batch else losses.mean()


def _print_epoch(row: dict[str, Any], epochs: int) -> None:
    figures = "  ".join(f"{name} {value:.4g}" for name, value in row.items() if name not in ("epoch", "step"))
    print(f"epoch {row['epoch']}/{epochs}  {figures}")
