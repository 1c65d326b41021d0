"""Models of music: pieces in; how likely each chord is behind those before it, and new pieces, out.

A piece is learned chord by chord from its beginning on; its end is not learned, as in the literature. Pieces longer
than `context` are cut into parts, each of which knows the chord before it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor

from ganglion.data.batches import batch_of
from ganglion.data.chords import KEYS, pieces_to_dataset
from ganglion.data.dataset import Dataset
from ganglion.data.music_encoding import MusicEncoder, framed
from ganglion.data.ragged import Columns, Ragged, by_length, side_by_side
from ganglion.data.read import read_as
from ganglion.data.resizing import Reading
from ganglion.data.transposition import transposed
from ganglion.estimators.base import STEPS_TOGETHER, Samples
from ganglion.estimators.composer import Composer
from ganglion.estimators.next_chord import NextChordTarget
from ganglion.estimators.session import Session
from ganglion.estimators.trained import Trained
from ganglion.networks.chords import NextChord
from ganglion.networks.network import Network
from ganglion.options import hyperparameters, option
from ganglion.training.execution import fast_products
from ganglion.training.losses import PerSampleLoss
from ganglion.training.objective import Batch
from ganglion.training.optimizers import Optimizer
from ganglion.training.schedules import schedule_by_name

HELD_OUT, FEWEST = 0.1, 50  # of the pieces, from so many on
STEPS, MOST_EPOCHS = 3000, 200  # of a training, where nothing is said


@hyperparameters
class Music(Composer, Trained):
    """Base of models of music: an algorithm adds `build`, which makes a `NextChord`."""

    transpose: int = option(
        0,
        "Semitones by which a piece is moved up or down in training at most, anew each time, as far as the piano goes; "
        "0 leaves each in its key.",
        at_least=0,
        at_most=24,
    )
    context: int = option(
        256, "Chords that are learned from together; longer pieces are cut into parts of so many.", at_least=1
    )
    batch_size: int | Literal["auto"] = option("auto", "Pieces, or parts of them, a step; 'auto' is 16.", at_least=1)
    schedule: Any = option(
        "warm_up(steps=100, then='cosine(floor=0.1)')",
        "How the learning rate goes on: constant, cosine, one_cycle, step(every=30), plateau(patience=5), "
        "warm_up(steps=100, then='cosine').",
        check=schedule_by_name,
    )
    weight_decay: float | Literal["auto"] = option(
        "auto", "Shrinks weights, decoupled with adamw and muon; 'auto' is 0.1 for those and 0 for others.", at_least=0
    )
    clip_norm: float | None = option(1.0, "Largest norm of a gradient; None for no limit.", above=0)
    validation_fraction: float | Literal["auto"] = option(
        "auto",
        "Part of the pieces held out to stop early and keep the best weights; 'auto' is a tenth from 50 pieces on, and "
        "none below.",
        at_least=0,
        below=1,
    )

    # learning

    def _dataset(self, X: Any, *, reset: bool) -> Dataset:
        if isinstance(X, str | os.PathLike):
            X = read_as(X, Reading(step="" if reset else self._step, corrupt="refuse"))
        data = X if isinstance(X, Dataset) else pieces_to_dataset(X)
        if reset:
            self.n_features_in_ = KEYS
        return data

    def _read_target(self, y: Any, data: Dataset, *, reset: bool, weight: np.ndarray | None = None) -> np.ndarray:
        return np.empty((len(data), 0))  # pieces are their own answers: y, as scikit-learn has it, is not looked at

    def _fit_encoder(self, data: Dataset) -> MusicEncoder:
        return MusicEncoder.fit(data)

    def _learn(self, samples: Samples, held_out: Samples | None, session: Session) -> None:
        if held_out is None:
            rows, held_rows = super()._split(samples, session.seed)
            if rows is not None and held_rows is not None:
                samples, held_out = (_chosen(samples, each.numpy()) for each in (rows, held_rows))
        parts = self._parts(samples)
        lengths = cast(Ragged, parts.inputs["music"]).lengths - 1
        self.target_ = NextChordTarget(KEYS, float(lengths.double().mean()))
        super()._learn(parts, None if held_out is None else self._parts(held_out), session)

    def _parts(self, samples: Samples) -> Samples:
        """Return pieces as what is learned from: whole, or cut into parts."""
        music, piece = framed(cast(Ragged, samples.inputs["music"]), self.context)
        rows = piece.numpy()
        weight = None if samples.weight is None else samples.weight[rows]
        return Samples({"music": music}, samples.y[rows], weight, samples.rows[rows])

    def _split(self, samples: Samples, seed: int) -> tuple[None, None]:
        return None, None  # whole pieces were held out before

    def _share(self, n_samples: int) -> float:
        if self.validation_fraction != "auto":
            return float(self.validation_fraction)
        return HELD_OUT if n_samples >= FEWEST else 0.0

    def _augmentation(self) -> Callable[[Batch], Batch] | None:
        return partial(_moved, most=self.transpose) if self.transpose else None

    def _per_sample_loss(self) -> PerSampleLoss:
        # divided by the steps of a usual piece, not by its own: neighbours don't matter, and long pieces count more
        steps = self.target_.per_sample
        return lambda log_p, target: -log_p.sum(1) / steps

    def _monitor(
        self, network: Network, columns: Columns, prepare: Callable | None, rows: Tensor | None
    ) -> Callable[[], dict[str, float]]:
        """Return what measures the mean surprise of a chord of held-out pieces, in nats."""
        lengths = cast(Ragged, columns["music"]).lengths
        groups, n_steps = by_length(lengths, STEPS_TOGETHER), int((lengths - 1).sum())

        def measure() -> dict[str, float]:
            nats = 0.0
            for some in groups:
                batch = batch_of(columns, some)
                nats -= float(network.scores({**batch, **prepare(batch)} if prepare else batch).double().sum())
            return {"validation_loss": nats / n_steps}

        return measure

    def _batch_size(self, n_samples: int) -> int:
        return min(16 if self.batch_size == "auto" else int(self.batch_size), n_samples)

    def _epochs(self, n_samples: int, batch_size: int) -> int:
        if self.epochs != "auto":
            return int(self.epochs)
        return min(MOST_EPOCHS, max(10, math.ceil(STEPS / math.ceil(n_samples / batch_size))))

    def _decay(self, optimizer: Optimizer, n_samples: int) -> float:
        if self.weight_decay != "auto":
            return float(self.weight_decay)
        return 0.1 if optimizer.decoupled else 0.0

    # judging

    def surprisals(self, X: Any) -> list[np.ndarray]:
        """Return how surprising each chord is, minus the logarithm of its chance given all before it.

        Parameters
        ----------
        X : list of pieces, array of piano rolls, path or Dataset

        Returns
        -------
        list of ndarray of shape (n_steps,), float64
            In nats, the first chord of each piece included; over all 88 keys.
        """
        return [-each.double().numpy() for each in self._of_steps(X, lambda network, given: network.scores(given))]

    def score_samples(self, X: Any) -> np.ndarray:
        """Return the log-likelihood of each piece, in nats: the sum over its chords.

        Parameters
        ----------
        X : list of pieces, array of piano rolls, path or Dataset

        Returns
        -------
        ndarray of shape (n_pieces,), float64
        """
        return np.array([-each.sum() for each in self.surprisals(X)])

    def score(self, X: Any, y: Any = None) -> float:
        """Return the mean log-likelihood of a chord, in nats, over all steps of all pieces.

        Parameters
        ----------
        X : list of pieces, array of piano rolls, path or Dataset
        y : ignored
        """
        return -float(np.concatenate(self.surprisals(X)).mean())

    def predict(self, X: Any) -> np.ndarray:
        """Return the chord that is expected in each step: the keys that sound rather than not, given all before it.

        Parameters
        ----------
        X : list of pieces, array of piano rolls, path or Dataset

        Returns
        -------
        ndarray of shape (n_pieces,), of ndarray of shape (n_steps, 88), uint8
        """
        said = self._of_steps(X, lambda network, given: network.expected(given))
        answer = np.empty(len(said), dtype=object)
        for i, each in enumerate(said):
            answer[i] = each.to(torch.uint8).numpy()
        return answer

    # shared

    @property
    def _network(self) -> NextChord:
        return cast(NextChord, self.network_)

    @property
    def _step(self) -> str:
        return cast(MusicEncoder, self.encoder_).step

    def _of_steps(self, X: Any, ask: Callable[[NextChord, Any], Tensor]) -> list[Tensor]:
        """Return what the network says of each piece: of its chords alone, without what fills up a batch."""
        self._check_fitted()
        music, _ = framed(cast(Ragged, cast(Columns, self._encoded(X))["music"]))
        said: list[Tensor] = [torch.empty(0)] * len(music)
        sizes = (music.lengths - 1).tolist()
        with torch.inference_mode(), fast_products(self.network_, math.inf, precision=self._precision()):
            for some in by_length(music.lengths, STEPS_TOGETHER):
                given = self.network_.prepare(side_by_side({"music": music}, some))
                for row, each in zip(some.tolist(), ask(self._network, given), strict=True):
                    said[row] = each[: sizes[row]]
        return said


def _moved(batch: Batch, *, most: int) -> Batch:
    """Return a batch with every piece moved up or down by up to so many semitones."""
    return {**batch, "music": transposed(cast(Tensor, batch["music"]), most)}


def _chosen(samples: Samples, rows: Sequence[int] | np.ndarray) -> Samples:
    inputs = {name: cast(Ragged, column).take(torch.as_tensor(rows)) for name, column in samples.inputs.items()}
    weight = None if samples.weight is None else samples.weight[rows]
    return Samples(dict(inputs), samples.y[rows], weight, samples.rows[rows])
