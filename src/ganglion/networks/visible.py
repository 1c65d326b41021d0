"""The first layer of networks that say the data themselves: columns to vectors, and vectors back to columns.

    v = (x - center) · factor           numbers and pixels; a missing number is its column's mean
    v = one of K places is 1            categories, and truth values (K = 2); missing, rare or unseen: the usual one

    scaling     center                  factor
    standard    the mean                1 / the deviation (of pixels: of each channel)
    unit        the least               1 / (the greatest - the least); what lies in [0, 1] stays, bytes are v / 255
    symmetric   the middle              2 / (the greatest - the least), of pixels those of all, and [-1, 1]
natural     as unit of pictures; of other stacks, steps of numbers (H steps, W numbers), as standard by number
    none        0                       1

What a network says in this space of vectors goes back by `inverse`, to what the encoder's `decode` takes.
Letters: n samples, d numbers of a vector, C channels, H height, W width.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from ganglion.networks.inputs import FARTHEST, PIECE, ImageInput, moments

Kind = Literal["number", "category", "pixel"]
Scaling = Literal["none", "standard", "unit", "symmetric", "natural"]


@dataclass(frozen=True, slots=True)
class Block:
    """Which part of a vector is what: numbers side by side, the places of one category, or all pixels."""

    kind: Kind
    part: slice

    @property
    def width(self) -> int:
        """How many numbers of a vector it has."""
        return self.part.stop - self.part.start


class VisibleInput(nn.Module):
    """Encoded columns → vectors (n, d), and back.

    Parameters
    ----------
    numeric : int
        Width of the tensor "numeric", (n, numeric), NaN for missing.
    cardinalities : sequence of int
        Number of codes of each column of the tensor "categorical", (n, n_categorical), the code 0 (missing, rare,
        unseen) included, which has no place in a vector.
    boolean : sequence of int
        The numeric columns that hold truth values.
    image : (C, H, W), or empty
        Of one image; then there is nothing else.
    scaling : {"none", "standard", "unit", "symmetric", "natural"}
        With "natural", images that are neither bytes, whole numbers nor in [0, 1] are no pictures but series.

    Attributes
    ----------
    blocks : tuple of Block
        Numbers first, then truth values, then categories; or all pixels.
    n_out : int
        d.
    mean : Tensor of shape (d,), float32
        Of the vectors of training.
    whole : Tensor of shape (n_numbers,), bool
        Which columns of numbers held whole ones alone in training.
    """

    center: Tensor
    factor: Tensor
    usual: Tensor
    mean: Tensor
    whole: Tensor
    are_bytes: Tensor
    are_series: Tensor

    def __init__(
        self,
        numeric: int = 0,
        cardinalities: Sequence[int] = (),
        *,
        boolean: Sequence[int] = (),
        image: Sequence[int] = (),
        scaling: Scaling = "standard",
    ) -> None:
        super().__init__()
        self.numeric, self.image, self.scaling, self.dtype = numeric, tuple(image), scaling, torch.float32
        self.boolean, self.n_categorical = list(boolean), len(cardinalities)
        self.numbers = [j for j in range(numeric) if j not in set(boolean)]
        self.states = [*(2 for _ in boolean), *(cardinality - 1 for cardinality in cardinalities)]
        self.blocks = _blocks(math.prod(image) if image else 0, len(self.numbers), self.states)
        self.n_out = self.blocks[-1].part.stop if self.blocks else 0
        shape = (image[0], 1, image[2] if scaling == "natural" else 1) if image else (len(self.numbers),)
        self.register_buffer("center", torch.zeros(shape, dtype=torch.float64))
        self.register_buffer("factor", torch.ones(shape, dtype=torch.float64))
        self.register_buffer("usual", torch.zeros(len(self.states), dtype=torch.int64))
        self.register_buffer("mean", torch.zeros(self.n_out))
        self.register_buffer("whole", torch.zeros(len(self.numbers), dtype=torch.bool))
        self.register_buffer("are_bytes", torch.zeros((), dtype=torch.bool))
        self.register_buffer("are_series", torch.zeros((), dtype=torch.bool))

    # fitting

    @torch.no_grad()
    def adapt(self, inputs: Mapping[str, Tensor], weight: Tensor | None = None) -> None:
        """Fit the scaling, and what stands for missing values, to training data, each row counting by its weight."""
        self._fit(inputs, weight)
        n, together = len(next(iter(inputs.values()))), max(1, PIECE // max(1, self.n_out))
        shares = torch.full((n,), 1 / n, dtype=torch.float64) if weight is None else weight.double() / weight.sum()
        parts = (slice(i, i + together) for i in range(0, n, together))
        means = [shares[rows] @ self._vectors(inputs, rows).double() for rows in parts]
        self.mean.copy_(torch.stack(means).sum(0))

    def _vectors(self, inputs: Mapping[str, Tensor], rows: slice) -> Tensor:
        return self.prepare({name: tensor[rows] for name, tensor in inputs.items()})["visible"]

    def _fit(self, inputs: Mapping[str, Tensor], weight: Tensor | None) -> None:
        if self.image:
            self._adapt_pixels(inputs["image"], weight)
            return
        if self.numbers:
            self._adapt_numbers(inputs["numeric"][:, self.numbers], weight)
        for j, codes in enumerate(self._codes(inputs)):
            counts = torch.bincount(codes[codes >= 0], _known(weight, codes >= 0), self.states[j])
            self.usual[j] = counts.argmax() if len(counts) else 0

    def _adapt_numbers(self, numbers: Tensor, weight: Tensor | None) -> None:
        self.whole.copy_(_whole(numbers))
        mean, deviation, size = moments(numbers, weight)
        constant = deviation <= 1e-12 * size  # rounding leaves a constant column about so much
        if self.scaling == "standard":
            self.center.copy_(mean)
            self.factor.copy_(torch.where(constant, 0.0, 1 / deviation))
        elif self.scaling != "none":
            low, high = (_extreme(numbers, sign) for sign in (-1, 1))
            if low.min() >= 0 and high.max() <= 1:  # shares and binary numbers mean what they are
                low, high = torch.zeros_like(low), torch.ones_like(high)
            self._fit_range(low, high)

    def _adapt_pixels(self, images: Tensor, weight: Tensor | None) -> None:
        self.are_bytes.fill_(images.dtype == torch.uint8)
        self.are_series.fill_(self.scaling == "natural" and _are_series(images))
        if self.are_series:
            self._adapt_steps(images, weight)
        elif self.scaling == "standard":
            plain = ImageInput(self.image)
            plain.adapt({"image": images}, weight)
            self.center.copy_(plain.center)
            self.factor.copy_(plain.factor)
        elif self.scaling != "none":
            low, high = (float(part) for part in torch.aminmax(images))
            if self.are_bytes:
                low, high = 0.0, 255.0
            elif low >= 0 and high <= 1:
                low, high = 0.0, 1.0
            self._fit_range(*(torch.full_like(self.center, each) for each in (low, high)))

    def _adapt_steps(self, series: Tensor, weight: Tensor | None) -> None:
        """Standardise each number of a step over all steps of all series, (n, C, H, W)."""
        rows = series.transpose(1, 2).flatten(2).flatten(0, 1)  # (n * H, C * W)
        each = None if weight is None else weight.repeat_interleave(series.shape[2])
        mean, deviation, size = moments(rows, each)
        factor = torch.where(deviation <= 1e-12 * size, 0.0, 1 / deviation)
        self.center.copy_(mean.reshape(self.center.shape))
        self.factor.copy_(factor.reshape(self.factor.shape))

    def _fit_range(self, low: Tensor, high: Tensor) -> None:
        symmetric = self.scaling == "symmetric"
        self.center.copy_((low + high) / 2 if symmetric else low)
        self.factor.copy_(torch.where(high > low, (2 if symmetric else 1) / (high - low), 0.0))

    # there

    def prepare(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return {"visible": vectors (n, d)}.

        Numbers under the name "ordinary" are known to be neither missing nor huge.
        """
        if self.image:
            pixels = self._scaled(inputs["image"].to(torch.float32))
            return {"visible": pixels.flatten(1)}
        inputs = {"numeric": inputs["ordinary"]} if "ordinary" in inputs else inputs
        parts = []
        if self.numbers:
            numbers = inputs["numeric"]
            parts.append(self._scaled(numbers[:, self.numbers] if self.boolean else numbers))
        for j, codes in enumerate(self._codes(inputs)):
            if self.states[j]:
                place = torch.where(codes < 0, self.usual[j], codes)
                parts.append(nn.functional.one_hot(place, self.states[j]).to(self.dtype))
        return {"visible": parts[0] if len(parts) == 1 else torch.cat(parts, 1)}

    def forward(self, prepared: Mapping[str, Tensor]) -> Tensor:
        """Return the vectors, (n, d)."""
        return prepared["visible"]

    def _scaled(self, raw: Tensor) -> Tensor:
        if self.scaling == "none" and self.image:
            return raw.to(self.dtype)
        # in the precision of the data, then cast: a date in seconds has more digits than float32
        scaled = (raw - self.center.to(raw.dtype)).mul_(self.factor.to(raw.dtype))
        if not self.image:
            scaled = scaled.nan_to_num_()
        if self.has_ends:  # what new data have beyond the range of training
            scaled = scaled.clamp_(-1.0 if self.scaling == "symmetric" else 0.0, 1.0)
        elif not self.image or (self.scaling == "natural" and self.are_series):
            scaled = scaled.clamp_(-FARTHEST, FARTHEST)
        return scaled.to(self.dtype)

    @property
    def has_ends(self) -> bool:
        """Whether numbers of a vector lie between two ends."""
        return self.scaling in ("unit", "symmetric") or bool(self.scaling == "natural" and not self.are_series)

    def _codes(self, inputs: Mapping[str, Tensor]) -> list[Tensor]:
        """Return the place of each truth value and category, (n,) int64 each, -1 where it is not known."""
        flags = [inputs["numeric"][:, j] for j in self.boolean]
        codes = [torch.where(flag.isnan(), -1, (flag > 0.5).long()) for flag in flags]
        return [*codes, *(inputs["categorical"][:, j] - 1 for j in range(self.n_categorical))]

    # and back

    def inverse(self, v_nd: Tensor, *, rounded: bool = False) -> dict[str, Tensor]:
        """Return the encoded columns that vectors stand for.

        Parameters
        ----------
        v_nd : Tensor of shape (n, d)
            Of a category the largest place counts.
        rounded : bool
            Whether columns that held whole numbers alone are to hold such again.

        Returns
        -------
        dict
            "numeric" float64 (n, numeric) and "categorical" int64 (n, n_categorical), each if there is any; or
            "image", (n, C, H, W), uint8 if those of training were.
        """
        if self.image:
            return {"image": self._pixels(v_nd.reshape(len(v_nd), *self.image))}
        columns: dict[str, Tensor] = {}
        places = self._places(v_nd)
        if self.numeric:
            columns["numeric"] = numeric = v_nd.new_empty((len(v_nd), self.numeric), dtype=torch.float64)
            numbers = self._unscaled(v_nd[:, : len(self.numbers)].double())
            numeric[:, self.numbers] = torch.where(self.whole, numbers.round() + 0.0, numbers) if rounded else numbers
            for j, place in zip(self.boolean, places, strict=False):
                numeric[:, j] = place.double()
        if self.n_categorical:
            columns["categorical"] = torch.stack(places[len(self.boolean) :], 1) + 1
        return columns

    @property
    def log_volume(self) -> float:
        """The logarithm of how much denser data are in their own units than as vectors: Σ log factor."""
        factor = self.factor.expand(self.image) if self.image else self.factor
        return float(factor[factor > 0].log().sum())

    def _places(self, v_nd: Tensor) -> list[Tensor]:
        parts = iter(block.part for block in self.blocks if block.kind == "category")
        unknown = torch.full((len(v_nd),), -1, device=v_nd.device)
        return [v_nd[:, next(parts)].argmax(1) if n_states else unknown for n_states in self.states]

    def _unscaled(self, scaled: Tensor) -> Tensor:
        shift, scale = self.center.to(scaled.dtype), torch.where(self.factor > 0, 1 / self.factor, 0.0)
        return scaled * scale.to(scaled.dtype) + shift

    def _pixels(self, scaled: Tensor) -> Tensor:
        raw = self._unscaled(scaled)
        return raw.round_().clamp_(0, 255).to(torch.uint8) if self.are_bytes else raw


def _blocks(n_pixels: int, n_numbers: int, states: Sequence[int]) -> tuple[Block, ...]:
    blocks, start = [], 0
    kinds: list[tuple[Kind, int]] = [("pixel", n_pixels), ("number", n_numbers)]
    for kind, width in [*kinds, *(("category", width) for width in states)]:
        if width:
            blocks.append(Block(kind, slice(start, start + width)))
            start += width
    return tuple(blocks)


def _are_series(images: Tensor) -> bool:
    """Say whether a stack cannot be pictures: it has fractions, and numbers outside [0, 1]."""
    if not images.is_floating_point():
        return False
    low, high = torch.aminmax(images)
    return bool((low < 0) | (high > 1)) and any(bool((part != part.round()).any()) for part in images.split(1024))


def _whole(numbers: Tensor) -> Tensor:
    """Return of which columns all that is present is whole, (d,) bool."""
    parts = numbers.split(max(1, PIECE // numbers.shape[1]))
    return torch.stack([((part == part.round()) | part.isnan()).all(0) for part in parts]).all(0)


def _extreme(numbers: Tensor, sign: int) -> Tensor:
    """Return the greatest (sign 1) or least (-1) of each column over what is present; 0 where nothing is."""
    parts = [
        (part * sign).nan_to_num(nan=-math.inf).amax(0) for part in numbers.split(max(1, PIECE // numbers.shape[1]))
    ]
    return (torch.stack(parts).amax(0).double() * sign).nan_to_num(posinf=0.0, neginf=0.0)


def _known(weight: Tensor | None, there: Tensor) -> Tensor | None:
    return None if weight is None else weight[there]
