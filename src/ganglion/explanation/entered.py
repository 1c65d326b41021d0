"""Samples where slopes begin: as the input layer gives them, beside what stands for nothing, and whose each number is.

modality   z                                          features                       nothing known is
table      scaled numbers, vectors of categories      columns                        background rows
image      scaled pixels                              superpixels, or tiles          the picture blurred; or pictures
text       vectors of tokens                          words                          zero vectors
audio      a scaled spectrogram, steps × bands        stretches of time              the mean of each band
sequence   scaled steps                               stretches of each number       the mean of each number
series     a scaled window, columns × steps           stretches of each column       the mean of each column

Features, their names and pictures are those of `players`, so that all methods speak of the same ones.

Letters: n samples of one length, S the shape of z of one, B baselines, d features, k outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from ganglion.data.encoding import TableEncoder
from ganglion.data.ragged import Ragged, lengths_of, side_by_side
from ganglion.errors import InvalidInput
from ganglion.explanation.asking import Array, Asked
from ganglion.explanation.cut import Cut
from ganglion.explanation.players import Players
from ganglion.explanation.split import Split
from ganglion.explanation.tables import EncodedTable
from ganglion.networks.inputs import TableInput
from ganglion.networks.log_mel import LogMelInput
from ganglion.networks.visible import VisibleInput


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where a sample stands: among which players, and what is asked of it."""

    players: Players
    asked: Asked
    row: int


@dataclass(frozen=True, slots=True, eq=False)
class Entered:
    """Samples of one length behind the input layer.

    Attributes
    ----------
    places : sequence of Place
        Of each sample.
    numbers : ndarray of shape (n,)
        Which sample of all that are explained each is.
    z : Tensor of shape (n, *S)
    base : Tensor of shape (n, B, *S), or (1, B, *S)
        Baselines, of each sample or of all.
    part : Tensor of shape (n, *P) or (1, *P), int64
        Which feature each number of z belongs to; P may be expanded to S.
    modality : str
    channels : tuple of int
        Of pictures (C, H, W), else empty.
    nothing : str
        What the baselines are, in words.
    """

    places: Sequence[Place]
    numbers: np.ndarray
    z: Tensor
    base: Tensor
    part: Tensor
    modality: str
    nothing: str
    channels: tuple[int, ...] = ()

    @property
    def n_features(self) -> int:
        """The most features that a sample has, d."""
        return max(len(each.players.names) for each in self.places)

    @property
    def outputs(self) -> Tensor:
        """Which outputs are asked of each sample, (n, k) int64."""
        rows = [
            [each.asked.predicted[each.row]] if each.asked.places is None else each.asked.places for each in self.places
        ]
        return torch.tensor(np.array(rows, dtype=np.int64), device=self.z.device)

    @property
    def said(self) -> Array:
        """What the model says of each sample, of the outputs that are asked, (n, k)."""
        return np.stack([_taken(each, each.asked.whole[each.row]) for each in self.places])

    @property
    def spans(self) -> Array:
        """How far apart these outputs are over all samples, (n, k)."""
        return np.stack([each.asked.spans(each.row) for each in self.places])

    def of_outputs(self, answers: Tensor) -> Array:
        """Return the outputs that are asked of each sample from answers to baselines, (n or 1, outputs) → (n, k)."""
        rows = answers.double().cpu().numpy()
        return np.stack([_taken(each, rows[i % len(rows)]) for i, each in enumerate(self.places)])

    def by_feature(self, numbers: Tensor, part: Tensor | None = None) -> Array:
        """Return the sum of the numbers of each feature, (k, n, *P) → (n, d, k) float64.

        `part` says which feature each belongs to, where that is not the one of z.
        """
        k, n = numbers.shape[:2]
        part = (self.part if part is None else part).expand(n, *numbers.shape[2:]).flatten(1)
        sums = torch.zeros(k, n, self.n_features, dtype=torch.float64, device=numbers.device)
        sums.scatter_add_(2, part.expand(k, -1, -1), numbers.flatten(2).double())
        return sums.permute(1, 2, 0).cpu().numpy()

    def taken(self, rows: Sequence[int]) -> Entered:
        """Return some of the samples."""
        some = torch.as_tensor(rows, device=self.z.device)
        return replace(
            self,
            places=[self.places[i] for i in rows],
            numbers=self.numbers[list(rows)],
            z=self.z[some],
            base=self.base if len(self.base) == 1 else self.base[some],
            part=self.part if len(self.part) == 1 else self.part[some],
        )


def _taken(place: Place, answers: Array) -> Array:
    return place.asked.taken(answers[None], np.array([place.row]))[0]


def entered(
    split: Split, model: Any, X: Any, background: Any, every: Sequence[Players], asked: Sequence[Asked]
) -> list[Entered]:
    """Return the samples of X behind the input layer, those of one length together.

    Parameters
    ----------
    split : Split
    model : fitted estimator
    X, background : as of `explain`
    every, asked : sequence
        The samples as players, and what is asked of them: one each, or of a table one for all rows.
    """
    places = [
        Place(players, each, row) for players, each in zip(every, asked, strict=True) for row in range(players.n_rows)
    ]
    modality = every[0].modality
    if modality == "table":
        return [_table(split, model, cast(EncodedTable, every[0]), places)]
    cuts = cast("Sequence[Cut]", every)
    if modality == "image":
        return [_images(split, model, X, cuts, places)]
    if modality == "series":
        return [_windows(split, cuts, places)]
    return _of_steps(split, model, X, background, cuts, places)


def _table(split: Split, model: Any, players: EncodedTable, places: Sequence[Place]) -> Entered:
    rows, others = players.encoded
    z, base = split.enter(rows), split.enter(others)
    owners = torch.from_numpy(owners_of(model)).to(z.device)
    part = owners.view(1, -1, *[1] * (z.dim() - 2))
    return Entered(places, np.arange(len(z)), z, base[None], part, "table", "background rows")


def owners_of(model: Any) -> np.ndarray:
    """Return the column, as its user counts them, behind each number that a table's input layer gives a row.

    Raises
    ------
    InvalidInput
        If the input layer lays numbers out in a way that is not known here.
    """
    encoder: TableEncoder = model.encoder_
    entry = model.network_.input
    place = {name: i for i, name in enumerate(encoder.column_names)}
    owners = np.array([place[name] for name in encoder.origins], dtype=np.int64)
    numbers, categories = owners[: encoder.spec.numeric], owners[encoder.spec.numeric :]
    if isinstance(entry, TableInput):
        width = entry.vectors.embedding_dim if len(categories) else 1
        return np.concatenate([numbers, numbers[entry.missing.cpu().numpy()], categories.repeat(width)])
    if isinstance(entry, VisibleInput):
        states = np.concatenate([numbers[entry.boolean], categories])
        return np.concatenate([numbers[entry.numbers], states.repeat(entry.states)])
    raise InvalidInput(
        f"the input layer of {type(model).__name__}, {type(entry).__name__}, lays columns out in a way that explain "
        "does not know. Give method='permutation'."
    )


def _images(split: Split, model: Any, X: Any, cuts: Sequence[Cut], places: Sequence[Place]) -> Entered:
    pictures = model.encoded(X)["image"]
    z = split.enter({"image": pictures})
    fillings = torch.cat([each.fillings for each in (cuts[:1] if _same(cuts) else cuts)])
    base = split.enter({"image": fillings}).unflatten(0, (-1, cuts[0].n_background))
    channels = tuple(pictures.shape[1:])
    parts = torch.stack([each.part.expand(channels) for each in cuts]).to(z.device)
    part = parts.reshape(len(z), *z.shape[1:])
    return Entered(places, np.arange(len(z)), z, base, part, "image", cuts[0].replaced, channels)


def _windows(split: Split, cuts: Sequence[Cut], places: Sequence[Place]) -> Entered:
    z, base = (split.enter({"window": torch.stack(each)}) for each in zip(*(cut.ends for cut in cuts), strict=True))
    part = torch.stack([cut.part.clamp(min=0) for cut in cuts]).to(z.device)  # what has no part is the same in both
    return Entered(places, np.arange(len(z)), z, base[:, None], part, "series", cuts[0].replaced)


def _same(cuts: Sequence[Cut]) -> bool:
    """Whether all pictures have the same background pictures in their place."""
    return all(each.fillings is cuts[0].fillings for each in cuts)


def _of_steps(
    split: Split, model: Any, X: Any, background: Any, cuts: Sequence[Cut], places: Sequence[Place]
) -> list[Entered]:
    columns = model.encoded(X)
    ready = model.network_.ready(columns)
    lengths, modality = cast(Tensor, lengths_of(ready)), cuts[0].modality
    mean = None if background is None else _mean_step(split, model, background)
    nothing = {"text": "zero vectors", "audio": "the mean of each band in training"}.get(
        modality, f"the mean of each number {'in training' if background is None else 'over the background'}"
    )
    found = []
    for length in lengths.unique().tolist():
        rows = torch.nonzero(lengths == length)[:, 0]
        z = split.enter(side_by_side(ready, rows))
        base = torch.zeros_like(z[:1]) if mean is None else mean.expand_as(z[:1])
        parts = [_part_of_steps(model, columns, cuts[i], i, z.shape[1]) for i in rows.tolist()]
        part = torch.stack(parts).to(z.device)
        some = [places[i] for i in rows.tolist()]
        found.append(Entered(some, rows.numpy(), z, base[:, None], part, modality, nothing))
    return found


def _mean_step(split: Split, model: Any, background: Any) -> Tensor:
    """Return the mean over all steps of background sequences, (D,)."""
    ready = model.network_.ready(model.encoded(background))
    n, sums, steps = len(next(iter(ready.values()))), 0.0, 0
    for i in range(n):
        z = split.enter(side_by_side(ready, torch.tensor([i])))[0]
        sums, steps = sums + z.sum(0), steps + len(z)
    return cast(Tensor, sums) / steps


def _part_of_steps(model: Any, columns: Any, cut: Cut, i: int, n_steps: int) -> Tensor:
    """Return which feature each number of z of a sample belongs to: (T, 1), or (T, D) of a sequence's numbers."""
    if cut.modality != "audio":
        return cut.part if cut.part.dim() == 2 else cut.part[:, None]
    entry: LogMelInput = model.network_.input
    sound = cast(Ragged, columns["audio"]).take(torch.tensor([i]))
    steps = entry.heard_at(*sound.padded(torch.tensor([0])))[0]
    middle = (steps * entry.hop + entry.n_fft / 2).long().clamp(max=len(cut.part) - 1)
    return cut.part[middle[:n_steps], None]
