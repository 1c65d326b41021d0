"""Estimators that the training loop trains: the options of training, declared once, and the way into the loop."""

from __future__ import annotations

import math
import os
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Literal, cast

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch import Tensor

from ganglion.data.batches import Batches, batch_of
from ganglion.data.gather import gather
from ganglion.data.memory import is_large
from ganglion.data.ragged import Column, Columns, Ragged, by_length, lengths_of
from ganglion.data.spool import load
from ganglion.errors import InvalidParameter, TrainingWarning
from ganglion.estimators.base import STEPS_TOGETHER, Estimator, Samples
from ganglion.estimators.session import Session
from ganglion.estimators.spec import Spec
from ganglion.networks.backpropagation import Backpropagation, is_plain
from ganglion.networks.network import Network
from ganglion.networks.work import gains_from_bfloat16, most_images, work_per_sample
from ganglion.options import hyperparameters, option
from ganglion.training.diagnosis import dead_units, raise_alarms, warn_of_divergence
from ganglion.training.distribution import fingerprint, muster, workers
from ganglion.training.execution import Execution, Job, Machine, check_device, plan
from ganglion.training.history import History
from ganglion.training.losses import PerSampleLoss
from ganglion.training.objective import Batch, Objective
from ganglion.training.optimizers import AdamW, Optimizer, optimizer_by_name
from ganglion.training.phases import Phase, fit_in_phases
from ganglion.training.run import Source
from ganglion.training.schedules import schedule_by_name
from ganglion.training.sharding import check_shardable, shard, whole_network
from ganglion.training.supervised import WeightedLoss
from ganglion.training.trainer import Monitor, OnEpoch, Trainer

PREPARED_BYTES = 512 * 2**20  # prepare the whole training set at once up to this size, batch by batch beyond
STATISTICS_NUMBERS = 2**21  # fit the preprocessing to so many of it
PIECE = 2**17  # numbers prepared together
EVALUATION_BYTES = 4 * 2**20  # measure so much held-out data at a time
CLASSES = (  # tasks whose answers are the largest of some scores
    *("classification", "detection", "segmentation"),
    *("language_modelling", "music_modelling", "speech_recognition", "tagging", "translation"),
)


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
        "auto",
        "Precision of the arithmetic; 'auto' is float64 for small float64 data, float32 otherwise, and trains large "
        "classifiers with products in bfloat16. Pinned to bfloat16, answers to many rows are rounded as well.",
    )
    threads: int | None = option(None, "Threads to compute with; None lets the size of the job decide.", at_least=1)
    sharded: bool | Literal["auto"] = option(
        "auto",
        "Whether the workers of torchrun hold a part of the network each (FSDP2) in place of a copy; 'auto' does if "
        "weights, gradients and moments do not fit one device.",
    )

    losses_compare: ClassVar[bool] = True  # whether a loss that rises from epoch to epoch is bad news

    def objectives(self, network: Network) -> Sequence[Objective]:
        """Return what training lowers: for a supervised algorithm the mean loss of a batch."""
        loss = WeightedLoss(self._per_sample_loss())
        by_hand = partial(Backpropagation, network, loss.and_slope) if is_plain(network) else None
        return [Objective("loss", network.parameters(), loss, closed_form=by_hand)]

    def _per_sample_loss(self) -> PerSampleLoss:
        raise NotImplementedError

    def _precision(self) -> str:
        return self.precision

    def _augmentation(self) -> Callable[[Batch], Batch] | None:
        """Return what changes batches at random while training; estimators of pictures have an option for it."""
        return None

    def _score(self, network: Network, scores: Tensor, batch: Batch) -> Tensor | None:
        """Return the sum over a batch of what `history_` shows as "validation_score", or None."""
        raise NotImplementedError

    def _stratify(self, y: np.ndarray) -> np.ndarray | None:
        """Return labels whose shares a held-out part should keep, or None."""
        return None

    def _learn(self, samples: Samples, held_out: Samples | None, session: Session) -> None:
        rows, held_rows = (None, None) if held_out is not None else self._split(samples, session.seed)
        n_samples = len(samples) if rows is None else len(rows)
        network = session.start or self._new_network(samples, rows, n_samples)
        optimizer = optimizer_by_name(self.optimizer)
        batch_size = n_samples if optimizer.full_batch else self._batch_size(n_samples)
        execution = self._execution(samples, network, batch_size)
        if execution.sharded:
            check_shardable(network, optimizer)
        trainer = self._trainer(optimizer, n_samples, batch_size, session.callbacks)
        network.cast(execution.dtype, inputs=execution.input_dtype)
        with execution.applied():
            source, monitor = self._feed(
                network, samples, rows, held_out, held_rows, execution, batch_size, session.seed
            )
            if workers().n > 1:
                muster(workers(), _facts(network, source, execution, session))
            skeleton = shard(network, execution.device) if execution.sharded else None
            network.to(execution.device)
            objectives = self.objectives(network)
            if session.beside is not None:
                objectives = session.beside.joined(type(self).__name__, network, objectives, source)
            last = Phase(objectives, source, trainer, monitor, self._watch(network, source))
            phases = [last] if session.start else self._phases(network, last)
            history = fit_in_phases(network, phases, checkpoints=session.checkpoints, resume=session.resume)
            if self.losses_compare:
                warn_of_divergence(history)
            self.network_, self.history_ = network, history  # alarms may ask what it answers
            dead = dead_units(network, lambda: phases[-1].objectives[0].loss(network, self._seen(source)))
            raise_alarms(history, [*dead, *self._alarms(history, network, source)])
        history.execution = execution.to_dict() | {"batch_size": batch_size}
        network = whole_network(network, skeleton) if skeleton else network
        self.network_, self.history_ = network.cast(execution.dtype).to("cpu"), history
        if history.stopped == "interrupted":
            kept = "best weights so far" if history.best_epoch else "weights of the last step"
            if session.checkpoints:
                kept += f"; go on with fit(…, resume={os.fspath(session.checkpoints.folder)!r})"
            warnings.warn(
                f"training was interrupted in epoch {len(history)} of {trainer.epochs}; the estimator has the {kept}.",
                TrainingWarning,
                stacklevel=3,
            )

    def _new_network(self, samples: Samples, rows: Tensor | None, n_samples: int) -> Network:
        """Return a network to train, its weights drawn, its preprocessing fitted."""
        network = self.build(Spec(self.encoder_.spec, self.target_.n_scores, self.target_.output(), n_samples))
        network.entry.adapt(*for_statistics(samples, rows))
        return network

    def _watch(self, network: Network, source: Source) -> Monitor | None:
        """Return what measures after each epoch what stands in `history_` and decides nothing, or None."""
        return None

    def _alarms(self, history: History, network: Network, source: Source) -> Sequence[tuple[str, str, str]]:
        """Return what went wrong in a training that ended: a name, the evidence, and what to do, each."""
        return ()

    def _seen(self, source: Source) -> Batch:
        """Return samples by which units are known for dead."""
        return source.example()

    def _phases(self, network: Network, last: Phase) -> Sequence[Phase]:
        """Return what training consists of: for most algorithms one phase, `last`."""
        return [last]

    def _feed(
        self,
        network: Network,
        samples: Samples,
        rows: Tensor | None,
        held_out: Samples | None,
        held_rows: Tensor | None,
        execution: Execution,
        batch_size: int,
        seed: int,
    ) -> tuple[Source, Monitor | None]:
        """Return where batches come from, and what measures the network on held-out data, if there are any."""
        change = self._augmentation()
        columns, prepare = self._tensors(network, samples, rows, execution, raw=change is not None)
        order = torch.Generator().manual_seed(seed)
        changing = partial(prepare, change=change) if prepare and change else prepare
        batches = Batches(columns, batch_size, order, rows=rows, prepare=changing)
        if held_out is not None:
            return batches, self._monitor(network, *self._tensors(network, held_out, None, execution), None)
        return batches, None if held_rows is None else self._monitor(network, columns, prepare, held_rows)

    def _trainer(self, optimizer: Optimizer, n_samples: int, batch_size: int, callbacks: Sequence[OnEpoch]) -> Trainer:
        return Trainer(
            epochs=self._epochs(n_samples, batch_size),
            optimizer=optimizer,
            learning_rate=self._rate(optimizer),
            schedule=schedule_by_name(self.schedule),
            weight_decay=self._decay(optimizer, n_samples),
            clip_norm=self.clip_norm,
            patience=self.patience,
            on_epoch=(*callbacks, *((_print_epoch,) if self.verbose else ())),
        )

    def _rate(self, optimizer: Optimizer) -> float:
        return optimizer.default_rate if self.learning_rate == "auto" else float(self.learning_rate)

    def _decay(self, optimizer: Optimizer, n_samples: int) -> float:
        if self.weight_decay != "auto":
            return float(self.weight_decay)
        if not optimizer.decoupled:
            return 0.0
        # chosen on held-out parts of ten public tables: small ones overfit, and noisy labels ask for more than numbers
        decay = 2.0 if n_samples < 1000 else 1.0 if self.tags.task in CLASSES else 0.3
        return decay * AdamW.default_rate / optimizer.default_rate  # a step shrinks by rate × decay

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
        return min(400, max(20, math.ceil(4000 / steps_per_epoch)))

    def _split(self, samples: Samples, seed: int) -> tuple[Tensor | None, Tensor | None]:
        """Return the rows to train on and those to hold out; None, None for all and none."""
        share = self._share(len(samples))
        n_held_out = round(share * len(samples))
        if share == 0:
            return None, None
        if n_held_out < 1 or n_held_out >= len(samples):
            raise InvalidParameter(
                f"{type(self).__name__}(validation_fraction={share}): that is {n_held_out} of {len(samples)} samples. "
                "Leave at least one on each side, or give 0 for no held-out part."
            )
        labels = self._stratify(samples.y)
        if labels is not None and np.unique(labels, return_counts=True)[1].min() * share < 1:
            labels = None  # a class is too rare to stand on both sides
        parts = train_test_split(np.arange(len(samples)), test_size=n_held_out, random_state=seed, stratify=labels)
        train, held_out = (torch.from_numpy(np.sort(part)) for part in parts)
        return train, held_out

    def _share(self, n_samples: int) -> float:
        """Return which part of the samples is held out."""
        if self.validation_fraction != "auto":
            return float(self.validation_fraction)
        return 0.1 if n_samples >= 1000 else 0.0

    def _execution(self, samples: Samples, network: Network, batch_size: int) -> Execution:
        work = work_per_sample(network, self._example(samples))
        job = Job(
            n_samples=len(samples),
            products=work.products,
            batch_size=batch_size,
            float64_input=any(column.dtype == torch.float64 for column in samples.inputs.values()),
            stands_rounding=self._stands_rounding(network),
            n_parameters=sum(parameter.numel() for parameter in network.parameters()),
            steps=work.steps,
        )
        return plan(
            job,
            Machine.here(),
            device=self.device,
            precision=self.precision,
            threads=self.threads,
            sharded=self.sharded,
        )

    def _stands_rounding(self, network: Network) -> bool:
        """Return whether products in bfloat16 make training faster and cost no quality."""
        # a class is the largest of some scores; a number to be predicted may need more digits
        return gains_from_bfloat16(network) and self.tags.task in CLASSES

    def _example(self, samples: Samples) -> Batch:
        """Return one sample of middling length as a batch of raw inputs."""
        return _one_of(samples.inputs)

    def _tensors(
        self, network: Network, samples: Samples, rows: Tensor | None, execution: Execution, *, raw: bool = False
    ) -> tuple[dict[str, Column], Callable | None]:
        """Return the columns that batches are gathered from, and what is still to be done to every batch.

        Small data are prepared here, once and for all, unless wanted `raw`; large ones batch by batch, so that they may
        lie on disk, and so are samples of different lengths, which lie side by side only in a batch, but for what the
        network can do to them alone (`Network.ready`).
        """
        large = is_large(4 * sum(map(_n_numbers, samples.inputs.values())))
        columns: dict[str, Column] = dict(samples.inputs if large else network.ready(samples.inputs))
        dense = {name: column for name, column in columns.items() if isinstance(column, Tensor)}
        n_bytes = sum(tensor.numel() * 4 for tensor in dense.values())
        small = not raw and len(dense) == len(columns) and n_bytes <= PREPARED_BYTES and not is_large(n_bytes)
        if small:
            columns = dict(_prepared(network, dense))
        columns |= samples.beside
        columns["target"] = self.target_.encode(samples.y, execution.dtype)
        weight = self._weight(samples)
        if weight is not None and weight.min() < weight.max():  # equal weights are none
            mean = weight.mean() if rows is None else weight[rows.numpy()].mean()
            columns["weight"] = torch.from_numpy(weight / mean).to(execution.dtype)
        if small:
            return {name: _moved(column, execution.device) for name, column in columns.items()}, None
        return columns, partial(_prepared_on, network, execution.device)

    def _monitor(
        self, network: Network, columns: Columns, prepare: Callable | None, rows: Tensor | None
    ) -> Monitor | None:
        """Return what measures the network on held-out rows, a piece at a time."""
        loss = WeightedLoss(self._per_sample_loss())
        rows = torch.arange(len(columns["target"])) if rows is None else rows
        # the same number whether prepared or not: sums of other parts would differ in their last bits
        spec = self.encoder_.spec
        lengths = lengths_of(columns)
        if lengths is not None:
            groups = [rows[some] for some in by_length(lengths[rows], STEPS_TOGETHER)]
        else:
            n_numbers = math.prod(spec.image) if spec.image else spec.numeric + len(spec.cardinalities)
            n_together = min(8192, max(16, EVALUATION_BYTES // (4 * n_numbers)))
            if "image" in columns:
                n_together = min(n_together, most_images(network, cast(Tensor, columns["image"])) or n_together)
            device = cast(Tensor, columns["target"]).device
            groups = [some.to(device) for some in rows.split(n_together)]

        def measure() -> dict[str, float]:
            total_loss, total_score, has_score = 0.0, 0.0, False
            for some in groups:
                batch = batch_of(columns, some)
                batch = {**batch, **prepare(batch)} if prepare else batch
                scores = network.scores(batch)
                total_loss += float(loss.of(scores, batch)) * len(some)
                score = self._score(network, scores, batch)
                if score is not None:
                    total_score, has_score = total_score + float(score), True
            measured = {"validation_loss": total_loss / len(rows)}
            return measured | {"validation_score": total_score / len(rows)} if has_score else measured

        return measure


def _facts(network: Network, source: Source, execution: Execution, session: Session) -> dict[str, float]:
    """Return numbers that must be the same on all workers."""
    return {
        "weights and statistics of the features": fingerprint(network.state_dict()),
        "batches an epoch": len(source),
        "steps in the checkpoint": session.resume.numbers["step"] if session.resume else 0,
        "on a GPU": execution.device != "cpu",
        "sharded": execution.sharded,
    }


def for_statistics(samples: Samples, rows: Tensor | None) -> tuple[dict[str, Column], Tensor | None]:
    """Return training rows to fit the preprocessing to: all of them, or evenly spaced ones of very large data."""
    weight = None if samples.weight is None else torch.from_numpy(samples.weight)
    share = 1.0 if rows is None else len(rows) / len(samples)
    step = math.ceil(share * sum(map(_n_numbers, samples.inputs.values())) / STATISTICS_NUMBERS)
    if rows is None and step <= 1:
        return samples.inputs, weight
    rows = (torch.arange(len(samples)) if rows is None else rows)[::step]
    return gather(samples.inputs, rows), None if weight is None else weight[rows]


def _n_numbers(column: Column) -> int:
    return column.values.numel() if isinstance(column, Ragged) else column.numel()


def _one_of(columns: Columns) -> dict[str, Tensor]:
    """Return one sample of middling length as a batch."""
    lengths = lengths_of(columns)
    row = 0 if lengths is None else int(lengths.argsort()[len(lengths) // 2])
    return batch_of(columns, torch.tensor([row]))


def _moved(column: Column, device: str) -> Column:
    """Return a column on a device; a ragged one stays, since only its batches go there."""
    return column if isinstance(column, Ragged) else column.to(device).contiguous()


@torch.no_grad()
def _prepared(network: Network, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the prepared inputs, a piece at a time: what is computed on the way stays in the cache."""
    n_rows, row_size = len(next(iter(inputs.values()))), sum(tensor[:1].numel() for tensor in inputs.values())
    whole: dict[str, Tensor] = {}
    for rows in (slice(i, i + step) for step in [max(1, PIECE // row_size)] for i in range(0, n_rows, step)):
        for name, part in network.prepare({name: load(tensor, rows) for name, tensor in inputs.items()}).items():
            if name not in whole:
                whole[name] = part.new_empty((n_rows, *part.shape[1:]))
            whole[name][rows] = part
    return whole


def _prepared_on(network: Network, device: str, batch: Batch, change: Callable[[Batch], Batch] | None = None) -> Batch:
    """Return a batch on the device, changed if so wanted, its inputs prepared."""
    there: Batch = {name: tensor.to(device) for name, tensor in batch.items()}
    there = change(there) if change else there
    return {**there, **network.prepare(there)}


def _print_epoch(row: dict[str, Any], epochs: int) -> None:
    shown = {name: value for name, value in row.items() if not re.fullmatch(r"epoch|step|.*_\d+", name)}
    figures = "  ".join(f"{name} {value:.4g}" for name, value in shown.items())
    print(f"epoch {row['epoch']}/{epochs}  {figures}")
