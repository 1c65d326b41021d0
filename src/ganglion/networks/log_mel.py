"""The first layer for recordings: the log-mel spectrogram, which tells apart what ears do.

    X_tk = Σ_m w_m x_{tH+m} exp(-2πi km / N)           short-time Fourier transform, w a Hann window
    E_tb = Σ_k F_bk |X_tk|² / (Σ_m w_m)²               F_b triangles, evenly apart in mel(f) = 2595 log₁₀(1 + f/700)
    S_tb = log max(E_tb, 10⁻⁸ max E, 10⁻¹⁰)            80 dB below the loudest of a recording nothing is heard
    z_tb = (S_tb - s_b - c_b) f_b                      s the recording's own mean, c and f fitted to all of training

Davis & Mermelstein 1980, "Comparison of parametric representations for monosyllabic word recognition"; the mel scale as
O'Shaughnessy 1987 has it. A step's window lies within the recording: no filling of a batch comes near it.

Letters: n recordings, L samples, T steps, B bands, H samples from step to step, N samples of a transform.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ganglion.errors import InvalidParameter
from ganglion.networks.sequences import Steps
from ganglion.networks.spec_augment import SpecAugment
from ganglion.options import call_by_name, call_text, in_range

SHORT = 2**15  # what samples of 16 bits are divided by
QUIETEST, BELOW = 1e-10, 1e-8
TOGETHER = 2**20  # samples transformed together
FEW_BANDS, MANY_BANDS, WIDE_RATE = 40, 64, 12_000


@dataclass(frozen=True, slots=True)
class LogMel:
    """`log_mel(bands='auto', window=0.025, step=0.01, normalize='recording')`.

    Attributes
    ----------
    bands : int or "auto"
        'auto' is 40, from 12,000 samples a second on 64.
    window, step : float
        Seconds that a step hears, and from one step to the next.
    normalize : {"recording", "loudness", "none"}
        What is taken from each recording before anything is learned: the mean of each band, as a microphone or a
        voice adds it; the mean of all; or nothing.
    """

    bands: int | Literal["auto"] = "auto"
    window: float = 0.025
    step: float = 0.01
    normalize: Literal["recording", "loudness", "none"] = "recording"

    def __post_init__(self) -> None:
        if self.bands != "auto":
            in_range("log_mel", "bands", self.bands, at_least=4, at_most=256)
        in_range("log_mel", "window", self.window, at_least=0.002, at_most=1)
        in_range("log_mel", "step", self.step, at_least=0.001, at_most=1)
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

    window: Tensor
    triangles: Tensor
    center: Tensor
    factor: Tensor

    def __init__(self, rate: int, settings: LogMel, augment: SpecAugment | None = None) -> None:
        super().__init__()
        self.dtype, self.settings, self.augment = torch.float32, settings, augment
        self.n_out = settings.n_bands(rate)
        self.hop = max(1, round(settings.step * rate))
        width = max(2, round(settings.window * rate))
        self.n_fft = 2 ** math.ceil(math.log2(width))
        # what follows from the arguments is kept out of weights files, which could hold anything
        self.register_buffer("window", torch.hann_window(width, device="cpu"), persistent=False)
        self.register_buffer("triangles", mel_triangles(self.n_fft, rate, self.n_out), persistent=False)
        self.register_buffer("center", torch.zeros(self.n_out, dtype=torch.float64))
        self.register_buffer("factor", torch.ones(self.n_out, dtype=torch.float64))
        self.heights = _highest(rate) * torch.arange(1, self.n_out + 1, device="cpu") / (self.n_out + 1)

    def steps_of(self, n_samples: Tensor) -> Tensor:
        """Return how many steps recordings of so many samples have, (n,) int64: one at least."""
        return 1 + (n_samples - self.n_fft).clamp(min=0).add(self.hop - 1).div(self.hop, rounding_mode="floor")

    def most_steps(self, n_samples: int) -> int:
        """Return how many steps a recording of so many samples may have, however it is changed in training."""
        n_steps = int(self.steps_of(torch.tensor(n_samples, device="cpu")))
        return math.ceil(n_steps * (1 + (self.augment.tempo if self.augment else 0.0))) + 1

    @torch.no_grad()
    def spectrogram(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Return S of recordings, (n, T, B), before anything is normalised; of filling it tells nothing.

        Parameters
        ----------
        audio : Tensor of shape (n, L), int16 or float from -1 to 1
        lengths : Tensor of shape (n,), int64
        """
        n_steps = int(self.steps_of(lengths).max()) if len(lengths) else 1
        sound = audio.float() / SHORT if audio.dtype == torch.int16 else audio.float()
        missing = self.n_fft + (n_steps - 1) * self.hop - sound.shape[1]
        sound = nn.functional.pad(sound, (0, max(0, missing)))[:, : sound.shape[1] + missing]
        with torch.autocast(sound.device.type, enabled=False):
            found = torch.stft(
                sound,
                self.n_fft,
                self.hop,
                win_length=len(self.window),
                window=self.window,
                center=False,
                return_complex=True,
            )
            power = torch.view_as_real(found).square().sum(-1) / self.window.sum().square()
            energy = power.transpose(1, 2) @ self.triangles
        quietest = (BELOW * energy.amax((1, 2), keepdim=True)).clamp(min=QUIETEST)
        return torch.maximum(energy, quietest).log_()

    def _level(self, raw: Tensor, lengths: Tensor) -> Tensor:
        """Return S less what `settings.normalize` takes away, 0 where there is only filling."""
        there = (torch.arange(raw.shape[1], device=raw.device) < lengths[:, None])[:, :, None]
        raw = raw * there
        if self.settings.normalize != "none":
            mean = raw.sum(1, keepdim=True) / lengths[:, None, None]
            mean = mean if self.settings.normalize == "recording" else mean.mean(2, keepdim=True)
            raw = (raw - mean) * there
        return raw

    @torch.no_grad()
    def adapt(self, inputs: Mapping[str, Any], weight: Tensor | None = None) -> None:
        """Fit mean and deviation of each band to training recordings, each step counting by its recording's weight."""
        column = inputs["audio"]
        sums, squares = (torch.zeros(self.n_out, dtype=torch.float64) for _ in range(2))
        total = torch.zeros((), dtype=torch.float64)
        for rows, audio, lengths in self._groups(column):
            steps = self.steps_of(lengths)
            raw = self._level(self.spectrogram(audio, lengths), steps).double()
            share = torch.ones(len(rows), dtype=torch.float64) if weight is None else weight[rows].double()
            sums += (raw.sum(1) * share[:, None]).sum(0)
            squares += (raw.square().sum(1) * share[:, None]).sum(0)
            total += (steps * share).sum()
        mean = sums / total
        deviation = (squares / total - mean.square()).clamp(min=0).sqrt()
        self.center.copy_(mean)
        self.factor.copy_(torch.where(deviation > 1e-6, 1.0 / deviation, 0.0))

    def prepare(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return {"log_mel": z (n, T, B), "log_mel_length": (n,)}; what is prepared already stays as it is."""
        if "log_mel" in inputs:
            return {name: inputs[name] for name in ("log_mel", "log_mel_length")}
        lengths = inputs["audio_length"]
        steps = self.steps_of(lengths)
        raw = self._level(self.spectrogram(inputs["audio"], lengths), steps)
        scaled = (raw - self.center.to(raw.dtype)) * self.factor.to(raw.dtype)
        there = torch.arange(raw.shape[1], device=raw.device) < steps[:, None]
        return {"log_mel": (scaled * there[:, :, None]).to(self.dtype), "log_mel_length": steps}

    @torch.no_grad()
    def ready(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        """Return columns with "log_mel", one row a step, in place of "audio": what `prepare` does, once for all."""
        if "audio" not in columns:
            return dict(columns)
        column = columns["audio"]
        steps = self.steps_of(column.lengths)
        offsets = torch.zeros_like(column.offsets)
        torch.cumsum(steps, 0, out=offsets[1:])
        values = torch.empty(int(offsets[-1]), self.n_out, dtype=self.dtype)
        for rows, audio, lengths in self._groups(column):
            made = self.prepare({"audio": audio, "audio_length": lengths})["log_mel"]
            for row, n, each in zip(rows.tolist(), steps[rows].tolist(), made, strict=True):
                values[offsets[row] : offsets[row] + n] = each[:n]
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
        """Return the spectrograms, (n, T, B), changed at random while training."""
        steps = Steps(prepared["log_mel"], prepared["log_mel_length"])
        return self.augment(steps, self.heights) if self.augment is not None and self.training else steps
