"""The first layer for recordings: the log-mel spectrogram, which tells apart what ears do.

    X_tk = Σ_m w_m x_{tH+m} exp(-2πi km / N)           short-time Fourier transform, w a Hann window
    E_tb = Σ_k F_bk |X_tk|² / (Σ_m w_m)²               F_b triangles, evenly apart in mel(f) = 2595 log₁₀(1 + f/700)
    S_tb = log max(E_tb, 10^(-D/10) max E, 10⁻¹⁰)      D dB below the loudest of a recording nothing is heard
    z_tb = (S_tb - s_b - c_b) f_b                      s the recording's own mean, c and f fitted to all of training

Davis & Mermelstein 1980, "Comparison of parametric representations for monosyllabic word recognition"; the mel scale as
O'Shaughnessy 1987 has it. A step's window lies within the recording: no filling of a batch comes near it. Words alone
can be brought to one form: cut where they begin and end (`trim`), and drawn to so many steps (`steps`).

Letters: n recordings, L samples, T steps, B bands, H samples from step to step, N samples of a transform.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from ganglion.errors import InvalidParameter
from ganglion.networks.fourier import Fourier
from ganglion.networks.sequences import Steps
from ganglion.networks.spec_augment import SpecAugment
from ganglion.networks.stretching import evenly_between, read_at, spoken
from ganglion.options import call_by_name, call_text, in_range

SHORT = 2**15  # what samples of 16 bits are divided by
QUIETEST = 1e-10
FLAT = 1e-3  # a band that varies less was always below the floor: what is left is rounding
TOGETHER = 2**20  # samples transformed together
FEW_BANDS, MANY_BANDS, WIDE_RATE = 40, 64, 12_000


@dataclass(frozen=True, slots=True)
class LogMel:
    """`log_mel(bands='auto', window=0.025, step=0.01, normalize='recording', floor=80, emphasis=0, trim=None, …)`.

    Attributes
    ----------
    bands : int or "auto"
        'auto' is 40, from 12,000 samples a second on 64.
    window, step : float
        Seconds that a step hears, and from one step to the next.
    normalize : {"recording", "loudness", "none"}
        What is taken from each recording before anything is learned: the mean of each band, as a microphone or a
        voice adds it; the mean of all; or nothing.
    floor : float
        Decibels below the loudest band and step of a recording, D, beneath which nothing is heard: at 30 rooms and
        microphones sound alike.
    emphasis : float
        How much of each sample the next one takes off, x_t - a x_(t-1): 0.97 lifts high tones, as in speech
        recognition.
    trim : float or None
        Decibels below the loudest step at which a recording begins and ends; None takes all of it.
    steps : int or None
        Steps to which every recording is drawn, in place of one each `step` seconds.
    """

    bands: int | Literal["auto"] = "auto"
    window: float = 0.025
    step: float = 0.01
    normalize: Literal["recording", "loudness", "none"] = "recording"
    floor: float = 80.0
    emphasis: float = 0.0
    trim: float | None = None
    steps: int | None = None

    def __post_init__(self) -> None:
        if self.bands != "auto":
            in_range("log_mel", "bands", self.bands, at_least=4, at_most=256)
        in_range("log_mel", "window", self.window, at_least=0.002, at_most=1)
        in_range("log_mel", "step", self.step, at_least=0.001, at_most=1)
        in_range("log_mel", "floor", self.floor, at_least=1, at_most=100)
        in_range("log_mel", "emphasis", self.emphasis, at_least=0, below=1)
        if self.trim is not None:
            in_range("log_mel", "trim", self.trim, at_least=1, at_most=100)
        if self.steps is not None:
            in_range("log_mel", "steps", self.steps, at_least=2, at_most=10_000)
        if self.step > self.window:
            raise InvalidParameter(
                f"log_mel(window={self.window}, step={self.step}): between two windows sound would be lost. Give a "
                "step of at most the window."
            )

    def n_bands(self, rate: int) -> int:
        """Return the number of bands of recordings of `rate` samples a second."""
        if self.bands == "auto":
            return FEW_BANDS if rate < WIDE_RATE else MANY_BANDS
        return int(self.bands)

    def __str__(self) -> str:
        return call_text("log_mel", self)


def log_mel_by_name(given: Any) -> LogMel:
    """Return the settings that a text such as `log_mel(bands=80)` names; others raise InvalidParameter."""
    return call_by_name("spectrogram", given, {"log_mel": LogMel})


def mel(hertz: Tensor) -> Tensor:
    """Return how high tones sound, in mel, from their frequencies in Hz."""
    return 2595.0 * torch.log10(1.0 + hertz / 700.0)


def hertz(mels: Tensor) -> Tensor:
    """Return frequencies in Hz from heights in mel."""
    return 700.0 * (10.0 ** (mels / 2595.0) - 1.0)


def _emphasized(n_fft: int, share: float) -> Tensor:
    """Return how much louder each frequency is in x_t - a x_(t-1) than in x, (n_fft // 2 + 1, 1) float32."""
    turn = 2 * math.pi * torch.arange(n_fft // 2 + 1, dtype=torch.float64, device="cpu") / n_fft
    return (1 + share**2 - 2 * share * turn.cos()).float()[:, None]


def _highest(rate: int) -> float:
    """Return how high the highest tone of a rate sounds, in mel."""
    return 2595.0 * math.log10(1.0 + rate / 2 / 700.0)


def mel_triangles(n_fft: int, rate: int, bands: int) -> Tensor:
    """Return how much of each frequency each band hears.

    Parameters
    ----------
    n_fft : int
        Samples of a transform, N; its frequencies are k · rate / N, k = 0 … N/2.
    rate : int
    bands : int

    Returns
    -------
    Tensor of shape (n_fft // 2 + 1, bands), float32
        Band b rises from the centre of band b - 1 to 1 at its own, and falls to the centre of b + 1.
    """
    edges = hertz(torch.linspace(0.0, _highest(rate), bands + 2, dtype=torch.float64, device="cpu"))
    heard = torch.arange(n_fft // 2 + 1, dtype=torch.float64, device="cpu")[:, None] * rate / n_fft
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rise, fall = (heard - low) / (centre - low), (high - heard) / (high - centre)
    return torch.minimum(rise, fall).clamp(min=0.0).float()


class LogMelInput(nn.Module):
    """Recordings of different lengths become log-mel spectrograms, a step each `settings.step` seconds.

    Parameters
    ----------
    rate : int
        Samples a second.
    settings : LogMel
    augment : SpecAugment or None
        What changes spectrograms at random while training.
    """

    triangles: Tensor
    center: Tensor
    factor: Tensor

    def __init__(self, rate: int, settings: LogMel, augment: SpecAugment | None = None) -> None:
        super().__init__()
        self.dtype, self.settings = torch.float32, settings
        # what is drawn to so many steps has no tempo
        self.augment = replace(augment, tempo=0.0) if augment and settings.steps else augment
        self.n_out = settings.n_bands(rate)
        self.hop = max(1, round(settings.step * rate))
        width = max(2, round(settings.window * rate))
        self.n_fft = 2 ** math.ceil(math.log2(width))
        self.fourier: nn.Module = Fourier(width, self.n_fft, self.hop)
        triangles = mel_triangles(self.n_fft, rate, self.n_out) * _emphasized(self.n_fft, settings.emphasis)
        self.register_buffer("triangles", triangles, persistent=False)
        self.register_buffer("center", torch.zeros(self.n_out, dtype=torch.float64))
        self.register_buffer("factor", torch.ones(self.n_out, dtype=torch.float64))
        self.heights = _highest(rate) * torch.arange(1, self.n_out + 1, device="cpu") / (self.n_out + 1)

    def steps_of(self, n_samples: Tensor) -> Tensor:
        """Return how many steps whole recordings of so many samples have, (n,) int64: one at least."""
        return 1 + ((n_samples - self.n_fft).clamp(min=0) + self.hop - 1) // self.hop

    def _n_steps(self, n_samples: int) -> int:
        """Return the same of one recording, whose samples may be counted by a symbol."""
        return 1 + (cast(int, torch.sym_max(n_samples - self.n_fft, 0)) + self.hop - 1) // self.hop

    def most_steps(self, n_samples: int) -> int:
        """Return how many steps a recording of so many samples may have, however it is changed in training."""
        n_steps = self.settings.steps or self._n_steps(n_samples)
        return math.ceil(n_steps * (1 + (self.augment.tempo if self.augment else 0.0))) + 1

    @torch.no_grad()
    def spectrogram(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Return S of whole recordings, (n, T, B), before anything is normalised; of filling it tells nothing.

        Parameters
        ----------
        audio : Tensor of shape (n, L), int16 or float from -1 to 1
        lengths : Tensor of shape (n,), int64
        """
        return self._logarithm(self._energy(audio, lengths))

    def _logarithm(self, energy: Tensor) -> Tensor:
        floor = self.settings.floor + (self.augment.floor if self.augment else 0.0)
        quietest = 10 ** (-floor / 10) * energy.amax((1, 2), keepdim=True)
        return torch.maximum(energy, quietest.clamp(min=QUIETEST)).log_().float()

    def _energy(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Return E of whole recordings, (n, T, B) float64, 0 where there is only filling."""
        sound = audio.float() / SHORT if audio.dtype == torch.int16 else audio.float()
        # a graph that is exported does not ask how long the longest is: all that it is given counts as its steps
        whole = torch.compiler.is_exporting() or not len(lengths)
        n_steps = self._n_steps(sound.shape[1] if whole else int(lengths.max()))
        n_samples = self.n_fft + (n_steps - 1) * self.hop
        missing = cast(int, torch.sym_max(n_samples - sound.shape[1], 0))
        sound = nn.functional.pad(sound, (0, missing))[:, :n_samples]
        energy = self.fourier(sound, self.triangles)
        # behind its last step a recording's end would be heard once more, if longer ones stand beside it
        return energy * _there(energy, self.steps_of(lengths))

    @torch.no_grad()
    def _heard(self, audio: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return S of recordings, cut and drawn as the settings say, and how many steps each has."""
        energy, steps = self._energy(audio, lengths), self.steps_of(lengths)
        raw = self._logarithm(energy)
        if self.settings.trim is None and self.settings.steps is None:
            return raw, steps
        places, steps = self._places(energy, steps)
        return read_at(raw, places), steps

    @torch.no_grad()
    def heard_at(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Return at which step of the whole recording each step stands that `prepare` gives, (n, T) float."""
        return self._places(self._energy(audio, lengths), self.steps_of(lengths))[0]

    def _places(self, energy: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
        """Return the places, in steps, of what is heard of recordings, (n, T), and how many there are of each."""
        begin, end, n = torch.zeros_like(steps), steps - 1, self.settings.steps
        if self.settings.trim is not None:
            begin, end = spoken(10 * energy.sum(2).clamp(min=QUIETEST).log10(), steps, self.settings.trim)
        if n is not None:
            return evenly_between(begin, end, n), torch.full_like(steps, n)
        steps = end - begin + 1
        longest = energy.shape[1] if torch.compiler.is_exporting() else int(steps.max())
        return (begin[:, None] + torch.arange(longest, device=energy.device)).float(), steps

    def _level(self, raw: Tensor, lengths: Tensor, *, vary: bool = False) -> Tensor:
        """Return S less what `settings.normalize` takes away, 0 where there is only filling."""
        there = _there(raw, lengths)
        raw = self._floored(raw, there, vary=vary) * there
        if self.settings.normalize != "none":
            # what bands that hardly vary have left is then multiplied: a mean of float32 is not one everywhere
            mean = raw.sum(1, keepdim=True, dtype=torch.float64) / lengths[:, None, None]
            mean = mean if self.settings.normalize == "recording" else mean.mean(2, keepdim=True)
            raw = (raw - mean).to(raw.dtype) * there
        return raw

    def _floored(self, raw: Tensor, there: Tensor, *, vary: bool) -> Tensor:
        """Return S with the floor of the settings, or one that varies around it, where `augment` wants that."""
        if self.augment is None or not self.augment.floor:
            return raw  # it has its floor already
        floor = torch.full((raw.shape[0],), float(self.settings.floor), device=raw.device)
        if vary:
            floor += self.augment.floor * (2 * torch.rand(len(raw), device=raw.device) - 1)
        loudest = raw.masked_fill(~there, -torch.inf).amax((1, 2))
        return torch.maximum(raw, (loudest - floor * (math.log(10) / 10))[:, None, None].to(raw.dtype))

    @torch.no_grad()
    def adapt(self, inputs: Mapping[str, Any], weight: Tensor | None = None) -> None:
        """Fit mean and deviation of each band to training recordings, each step counting by its recording's weight."""
        column = inputs["audio"]
        sums, squares = (torch.zeros(self.n_out, dtype=torch.float64) for _ in range(2))
        total = torch.zeros((), dtype=torch.float64)
        for rows, audio, lengths in self._groups(column):
            raw, steps = self._heard(audio, lengths)
            raw = self._level(raw, steps).double()
            share = torch.ones(len(rows), dtype=torch.float64) if weight is None else weight[rows].double()
            sums += (raw.sum(1) * share[:, None]).sum(0)
            squares += (raw.square().sum(1) * share[:, None]).sum(0)
            total += (steps * share).sum()
        mean = sums / total
        deviation = (squares / total - mean.square()).clamp(min=0).sqrt()
        self.center.copy_(mean)
        self.factor.copy_(torch.where(deviation > FLAT, 1.0 / deviation, 0.0))

    def prepare(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return {"log_mel": S (n, T, B), "log_mel_length": (n,)}; what is prepared already stays as it is."""
        if "log_mel" in inputs:
            return {name: inputs[name] for name in ("log_mel", "log_mel_length")}
        raw, steps = self._heard(inputs["audio"], inputs["audio_length"])
        return {"log_mel": (raw * _there(raw, steps)).to(self.dtype), "log_mel_length": steps}

    @torch.no_grad()
    def ready(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        """Return columns with "log_mel", one row a step, in place of "audio": what `prepare` does, once for all."""
        if "audio" not in columns:
            return dict(columns)
        column = columns["audio"]
        made: list[Tensor] = [torch.empty(0)] * len(column)
        for rows, audio, lengths in self._groups(column):
            prepared = self.prepare({"audio": audio, "audio_length": lengths})
            for row, n, each in zip(
                rows.tolist(), prepared["log_mel_length"].tolist(), prepared["log_mel"], strict=True
            ):
                made[row] = each[:n].clone()  # a part of the group would keep all of it
        offsets = torch.zeros_like(column.offsets)
        torch.cumsum(torch.tensor([len(each) for each in made]), 0, out=offsets[1:])
        values = torch.cat(made)
        rest = {name: each for name, each in columns.items() if name != "audio"}
        return {"log_mel": replace(column, values=values, offsets=offsets, fill=0), **rest}

    def _groups(self, column: Any) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Give rows of a ragged column of about equal length, their samples side by side, and their lengths."""
        order = column.lengths.argsort(descending=True, stable=True)
        start = 0
        while start < len(order):
            size = max(1, TOGETHER // max(1, int(column.lengths[order[start]])))
            rows = order[start : start + size]
            yield rows, *column.padded(rows)
            start += size

    def forward(self, prepared: Mapping[str, Tensor]) -> Steps:
        """Return z of spectrograms S, (n, T, B), changed at random while training."""
        raw, lengths = prepared["log_mel"], prepared["log_mel_length"]
        scaled = (self._level(raw, lengths, vary=self.training) - self.center.to(raw.dtype)) * self.factor.to(raw.dtype)
        steps = Steps(scaled * _there(raw, lengths), lengths)
        return self.augment(steps, self.heights) if self.augment is not None and self.training else steps


def _there(x: Tensor, lengths: Tensor) -> Tensor:
    """Return which steps are no filling, (n, T, 1) bool."""
    return (torch.arange(x.shape[1], device=x.device) < lengths[:, None])[:, :, None]
