"""First layers: the fitted preprocessing, inside the network, so that it trains, saves and ships with the weights.

An input layer has two halves. `prepare` is fixed once fitted and has no parameters (impute, scale); training applies
it to the whole data set once. `forward` is the rest (embed, join), and moves with the weights.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

SCALINGS = ("none", "standard", "robust", "quantile")
N_QUANTILES = 129
PIECE = 2**17  # numbers looked at together
LARGE = 2**19  # numbers that are scaled in one pass through memory, where that costs no digits
MOST_SORTED = 2**20  # rows
ORDINARY = 1e9  # the size of numbers that need no second look
FARTHEST = 1e18  # a number beyond so many deviations counts as so many: products of larger ones overflow float32


class TableInput(nn.Module):
    """Numbers are imputed and scaled, categories embedded, and both are joined to one row.

    Parameters
    ----------
    numeric : int
        Width of the tensor "numeric", (n_samples, numeric), NaN for missing.
    missing : sequence of int
        The numeric columns that had missing values in training: each gets an indicator beside it.
    cardinalities : sequence of int
        Number of codes of each column of the tensor "categorical", (n_samples, n_categorical), int64. Code 0 stands
        for missing, rare and unseen, and begins as the zero vector: no information.
    scaling : {"none", "standard", "robust", "quantile"}
        standard: zero mean, unit variance. robust: median and quartiles, then z / sqrt(1 + (z / 3)²), which bends
        outliers towards ±3 (Holzmüller et al. 2024, arXiv:2407.04491). quantile: each column becomes uniform on
        [-√3, √3]. none: as given.
    embedding : int or None
        Width of each category's vector; None chooses by the largest cardinality.
    """

    missing: Tensor
    center: Tensor
    factor: Tensor
    quantiles: Tensor
    first_code: Tensor

    def __init__(
        self,
        numeric: int,
        cardinalities: Sequence[int] = (),
        *,
        missing: Sequence[int] = (),
        scaling: str = "standard",
        embedding: int | None = None,
    ) -> None:
        super().__init__()
        self.numeric, self.scaling, self.dtype = numeric, scaling, torch.float32
        # what follows from the arguments is kept out of weights files, which could hold anything
        places = torch.tensor(list(missing), dtype=torch.int64, device="cpu")
        self.register_buffer("missing", places, persistent=False)
        self.has_indicators = len(missing) > 0
        self.register_buffer("center", torch.zeros(numeric, dtype=torch.float64))
        self.register_buffer("factor", torch.ones(numeric, dtype=torch.float64))
        self.n_out = numeric + len(missing)
        if scaling == "quantile":
            self.register_buffer("quantiles", torch.zeros(numeric, N_QUANTILES, dtype=torch.float64))
        self.n_categorical = len(cardinalities)
        if cardinalities:
            width = embedding or embedding_width(max(cardinalities))
            first = torch.tensor([0, *cardinalities], device="cpu").cumsum(0)[:-1]
            self.register_buffer("first_code", first, persistent=False)
            self.vectors = nn.Embedding(sum(cardinalities), width)
            self.n_out += width * len(cardinalities)
            self._initialize()

    def _initialize(self) -> None:
        if self.vectors.weight.device.type == "meta":
            return
        with torch.no_grad():
            self.vectors.weight.normal_(0.0, 1.0 / math.sqrt(self.n_categorical))
            self.vectors.weight[self.first_code] = 0.0

    @torch.no_grad()
    def adapt(self, inputs: Mapping[str, Tensor], weight: Tensor | None = None) -> None:
        """Fit the imputation and the scaling to training data, each row counting by its weight."""
        if not self.numeric or self.scaling == "none":
            return
        numbers = inputs["numeric"]
        mean, deviation, size = moments(numbers, weight)
        # rounding leaves a constant column a deviation of about 1e-16 of its size: it must not be blown up
        constant = deviation <= 1e-12 * size
        self.center.copy_(mean)
        self.factor.copy_(torch.where(constant, 0.0, 1.0 / deviation))
        if self.scaling in ("robust", "quantile"):
            step = -(-len(numbers) // MOST_SORTED)  # evenly spaced rows of very large data: sorting takes memory
            shares = None if weight is None else weight[::step]
            for column, values in enumerate(numbers[::step].T):
                self._adapt_column(column, values.double(), shares, constant=bool(constant[column]))

    def _adapt_column(self, column: int, values: Tensor, weight: Tensor | None, *, constant: bool) -> None:
        present = ~values.isnan() if weight is None else ~values.isnan() & (weight > 0)
        known = values[present]
        if not len(known):
            return
        shares = None if weight is None else weight[present].to(torch.float64)
        if self.scaling == "quantile":
            self.quantiles[column] = weighted_quantiles(known, shares, torch.linspace(0, 1, N_QUANTILES).double())
            self.center[column] = self.quantiles[column, N_QUANTILES // 2]
            return
        low, middle, high = weighted_quantiles(known, shares, torch.tensor([0.25, 0.5, 0.75]).double())
        self.center[column] = middle
        if high > low and not constant:
            self.factor[column] = 1.349 / (high - low)  # 1.349: quartile distance of the standard normal

    def prepare(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Impute and scale the numbers; point the codes at their rows in the table of vectors.

        Numbers under the name "ordinary" are known to be neither missing nor beyond `ORDINARY`.
        """
        prepared: dict[str, Tensor] = {}
        if "ordinary" in inputs:
            prepared["numeric"] = self._ordinary(inputs["ordinary"])
        elif self.numeric:
            prepared["numeric"] = self._numbers(inputs["numeric"])
        if self.n_categorical:
            prepared["categorical"] = inputs["categorical"] + self.first_code
        return prepared

    def _numbers(self, raw: Tensor) -> Tensor:
        # scaled in the precision of the data, then cast: a date in seconds has more digits than float32
        center, factor = self.center.to(raw.dtype), self.factor.to(raw.dtype)
        if self.scaling == "quantile":
            scaled = _uniform(torch.where(raw.isnan(), center, raw), self.quantiles.to(raw.dtype))
        else:
            # the centre is the imputed value: a missing number becomes exactly 0
            scaled = (raw - center).mul_(factor).nan_to_num_().clamp_(-FARTHEST, FARTHEST)
        if self.scaling == "robust":
            # not torch.hypot, whose last bit depends on where in the tensor a number stands
            scaled = scaled / (scaled / 3).square_().add_(1.0).sqrt_()
        scaled = scaled.to(self.dtype)
        if self.has_indicators:
            scaled = torch.cat([scaled, raw[:, self.missing].isnan().to(self.dtype)], dim=1)
        return scaled

    def _ordinary(self, raw: Tensor) -> Tensor:
        if raw.numel() > LARGE and self.scaling in ("none", "standard") and not self.has_indicators:
            shift = self.center * self.factor
            if shift.abs().max() < 16:  # where the centre is many deviations from 0, this would cost digits
                return torch.addcmul(-shift.to(raw.dtype), raw, self.factor.to(raw.dtype)).to(self.dtype)
        return self._numbers(raw)

    def forward(self, prepared: Mapping[str, Tensor]) -> Tensor:
        """Return one row a sample, (n_samples, n_out)."""
        if not self.n_categorical:
            return prepared["numeric"]
        embedded = self.vectors(prepared["categorical"]).flatten(1)
        return torch.cat([prepared["numeric"], embedded], dim=1) if self.numeric else embedded

    def backward(self, prepared: Mapping[str, Tensor], slope: Tensor) -> list[Tensor]:
        """Return the loss's gradients by the parameters, from that by the output, (n_samples, n_out)."""
        codes, weight = prepared["categorical"], self.vectors.weight
        width = weight.shape[1]
        by_code = slope[:, -codes.shape[1] * width :].reshape(-1, width).to(weight.dtype)
        return [torch.zeros_like(weight).index_add_(0, codes.view(-1), by_code)]


class ImageInput(nn.Module):
    """Pixels are scaled to zero mean and unit variance by channel.

    Parameters
    ----------
    shape : sequence of int
        (channels, height, width) of one image.
    """

    center: Tensor
    factor: Tensor

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        self.dtype, self.n_out, channels = torch.float32, math.prod(shape), shape[0]
        self.register_buffer("center", torch.zeros(channels, 1, 1))
        self.register_buffer("factor", torch.ones(channels, 1, 1))

    @torch.no_grad()
    def adapt(self, inputs: Mapping[str, Tensor], weight: Tensor | None = None) -> None:
        """Fit mean and deviation of every channel (on at most 10,000 images: more change no digit that matters)."""
        images = inputs["image"]
        some = slice(None, None, max(1, len(images) // 10_000))
        pieces = images[some].split(max(1, PIECE // self.n_out))  # a copy of all as floats would be many times as large
        shares = torch.ones(len(images[some])) if weight is None else weight[some].to(torch.float32)
        shares = (shares / shares.sum())[:, None]
        mean = (torch.cat([part.float().mean((2, 3)) for part in pieces]) * shares).sum(0)[:, None, None]
        squares = torch.cat([(part.float() - mean).square().mean((2, 3)) for part in pieces])
        deviation = (squares * shares).sum(0).sqrt()[:, None, None]
        self.center.copy_(mean)
        self.factor.copy_(torch.where(deviation > 0, 1.0 / deviation, 0.0))

    def prepare(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return {"image": scaled pixels}."""
        return {"image": ((inputs["image"] - self.center) * self.factor).to(self.dtype)}

    def forward(self, prepared: Mapping[str, Tensor]) -> Tensor:
        """Return the scaled images, (n_samples, channels, height, width)."""
        return prepared["image"]


def embedding_width(cardinality: int) -> int:
    """Return how many numbers a category of a column with so many categories becomes."""
    return min(16, max(2, math.ceil(cardinality**0.5) + 1))


def weighted_quantiles(values: Tensor, weight: Tensor | None, shares: Tensor) -> Tensor:
    """Return quantiles of a vector whose entries count by their weights (a weight of 2 equals a second copy).

    Parameters
    ----------
    values : Tensor of shape (n,), float64
    weight : Tensor of shape (n,), float64, optional
    shares : Tensor of shape (k,), float64 in [0, 1]

    Returns
    -------
    Tensor of shape (k,)
        The smallest value whose cumulated weight reaches the share (inverse of the distribution function).
    """
    order = values.argsort()
    cumulated = (torch.ones_like(values) if weight is None else weight[order]).cumsum(0)
    reached = torch.searchsorted(cumulated, shares * cumulated[-1])
    return values[order][reached.clamp(max=len(values) - 1)]


def moments(numbers: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Return weighted mean, deviation and largest size of each column, over what is present; 0 where nothing is."""
    width = numbers.shape[1]
    total, sums, squares = (torch.zeros(width, dtype=torch.float64) for _ in range(3))
    size = torch.zeros(width, dtype=torch.float64)
    pieces = range(0, len(numbers), max(1, PIECE // width))  # the data may be a memory map larger than memory
    for known, shares in (_piece(numbers, weight, start, pieces.step) for start in pieces):
        total += shares.sum(0)
        sums += (known * shares).sum(0)
        size = torch.maximum(size, known.abs().amax(0))
    total = total.clamp(min=torch.finfo(torch.float64).tiny)
    mean = sums / total
    for known, shares in (_piece(numbers, weight, start, pieces.step) for start in pieces):
        squares += ((known - mean).square() * shares).sum(0)
    return mean, (squares / total).sqrt(), size


def _piece(numbers: Tensor, weight: Tensor | None, start: int, length: int) -> tuple[Tensor, Tensor]:
    """Return some rows as float64, 0 where missing, and how much each number counts."""
    rows = slice(start, start + length)
    some = numbers[rows].double()
    shares = (~some.isnan()).double()
    if weight is not None:
        shares *= weight[rows].double()[:, None]
    return torch.where(shares > 0, some, 0.0), shares


def _uniform(x: Tensor, quantiles: Tensor) -> Tensor:
    """Return where each number stands among its column's quantiles, stretched to zero mean and unit variance."""
    n = quantiles.shape[1]
    columns = x.T.contiguous()
    # between equal quantiles the middle is meant, which keeps a frequent value (a zero, say) at one place
    if torch.compiler.is_exporting():  # graphs know no search, but can count
        below = (quantiles[:, None] < columns[:, :, None]).sum(2).clamp(0, n - 1)
        above = (quantiles[:, None] <= columns[:, :, None]).sum(2)
    else:
        below = torch.searchsorted(quantiles, columns).clamp(0, n - 1)
        above = torch.searchsorted(quantiles, columns, right=True)
    low = (below - 1).clamp(min=0)
    left, right = quantiles.gather(1, low), quantiles.gather(1, below)
    share = torch.where(right > left, (columns - left) / (right - left), 1.0).clamp(0, 1)
    exact = above > below
    place = torch.where(exact, (below + above - 1) / 2, low + share * (below - low))
    return ((place / (n - 1) - 0.5) * math.sqrt(12)).T
