"""Denoising diffusion: a network learns what noise is in data, and makes data of noise by taking it out step by step.

    lower   E |ε - ε_θ(√ᾱ_t x + √(1 - ᾱ_t) ε, t, y)|²     x data, ε ~ N(0, I), t ~ uniform on 1 … T    (Ho, eq. 14)
            or E |v - v_θ|² = E |ε - ε_θ|² / ᾱ_t                                          (Salimans & Ho, section 4)
    sample  x_T ~ N(0, I); x_s from x_t and ε̂ for falling times, to x_0                                (Song, eq. 12)
    guided  ε̂ = ε_θ(x, t, any) + w (ε_θ(x, t, y) - ε_θ(x, t, any))                       (Ho & Salimans, eq. 6)

Ho, Jain & Abbeel 2020, arXiv:2006.11239; sampling in few steps: Song, Meng & Ermon 2021, arXiv:2010.02502; the cosine
schedule: Nichol & Dhariwal 2021, arXiv:2102.09672; guidance, w = 1 + their w, learned by leaving labels out one time in
ten: Ho & Salimans 2022, arXiv:2207.12598. The steps: `networks.noising`; the networks: `networks.denoiser`. Differs:
small networks; the times of a batch are spread evenly (Kingma et al. 2021, arXiv:2107.00630, appendix I.1); categories
of a table are numbers from 0 to 1, of which the largest counts (Chen, Zhang & Hinton 2023, arXiv:2208.04202).
"""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Literal, cast

import torch
from torch import Tensor

from ganglion.errors import InvalidParameter
from ganglion.estimators.base import Tags
from ganglion.estimators.generative import Generative
from ganglion.estimators.spec import Spec
from ganglion.networks.denoiser import ConvDenoiser, Denoising, DenseDenoiser
from ganglion.networks.draws import normal
from ganglion.networks.network import Network
from ganglion.networks.noising import denoised
from ganglion.networks.visible import Block
from ganglion.networks.waves import waves_of
from ganglion.networks.work import most_images
from ganglion.options import hyperparameters, option
from ganglion.training.history import History
from ganglion.training.made import collapse_alarm, is_strange, strange_alarm, unlike_remedy
from ganglion.training.objective import Batch, Objective
from ganglion.training.optimizers import Optimizer, optimizer_by_name
from ganglion.training.run import Source

LEFT_OUT = 0.1  # of the labels, so that the network knows data of any label as well
BOUNDS = {"number": (-torch.inf, torch.inf), "pixel": (-1.0, 1.0), "category": (0.0, 1.0)}
RATE = 1e-3
LOOKED_AT = 100  # samples, when training has ended


@hyperparameters
class Diffusion(Generative):
    """Denoising diffusion model, on images and on tables.

    Makes data of noise in `steps` steps, which may be changed after `fit`, as may `eta` and `guidance`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal([3, -1], [1, 0.2], size=(500, 2))
    >>> model = Diffusion(width=32, depth=1, epochs=20, learning_rate=3e-3, steps=20, random_state=0).fit(X)
    >>> bool(abs(model.sample(1000, random_state=0).mean(0) - [3, -1]).max() < 0.3)
    True

    References
    ----------
    Ho, Jain & Abbeel 2020, arXiv:2006.11239; Song, Meng & Ermon 2021, arXiv:2010.02502; Ho & Salimans 2022,
    arXiv:2207.12598.
    """

    network: Literal["auto", "dense", "unet"] = option(
        "auto", "Layers of units, or a small U-Net; 'auto' takes the latter for images of 8 pixels a side and more."
    )
    schedule_of_noise: Literal["linear", "cosine"] = option("cosine", "How the noise grows over the thousand steps.")
    learns: Literal["velocity", "noise"] = option(
        "velocity",
        "Whose errors are lowered: the noise's, as in DDPM, or the velocity's, so that much noise counts too.",
    )
    steps: int = option(50, "Steps from noise to a sample, at most a thousand.", at_least=1, at_most=1000)
    eta: float = option(
        0.0, "Fresh noise in each step: 0 for none (DDIM), 1 for as much as DDPM.", at_least=0, at_most=1
    )
    guidance: float = option(
        1.0, "How far samples of a label go beyond what it tells: above 1 they are clearer and less varied.", at_least=0
    )
    width: int = option(256, "Units of each block of a dense network.", at_least=1)
    depth: int = option(3, "Blocks of a dense network.", at_least=1)
    channels: int = option(32, "Channels of a U-Net's first level; the level below has twice as many.", at_least=1)
    conditional: bool = option(False, "Whether y are labels that samples can be asked of.")
    averaging: float = option(
        0.999, "Decay of the average of the weights, which makes the samples; 0 for none.", at_least=0, below=1
    )
    optimizer: Any = option("adam", "A name, with settings in brackets if wanted.", check=optimizer_by_name)
    clip_norm: float | None = option(1.0, "Largest norm of a gradient; None for no limit.", above=0)

    tags: ClassVar[Tags] = Tags(task="generation")

    def build(self, spec: Spec) -> Network:
        """Return input layer and denoiser for data like `spec`."""
        image, n_classes = spec.inputs.image, spec.n_scores
        entry = spec.visible_layer("symmetric" if image else "standard")
        if self._is_unet(spec):
            denoiser = ConvDenoiser(image, self.channels, n_classes=n_classes)
        else:
            waves = waves_of(entry.n_out)
            denoiser = DenseDenoiser(entry.n_out, self.width, self.depth, n_classes=n_classes, waves=waves)
        bounds = torch.cat([bounds_of(block) for block in entry.blocks], dim=1)
        return Network(
            entry, Denoising(denoiser, self.schedule_of_noise, decay=self.averaging, bounds=bounds), spec.output
        )

    def objectives(self, network: Network) -> list[Objective]:
        """Return what training lowers: the mean square of what is left of the noise."""
        body = cast(Denoising, network.body)
        return [Objective("noise", body.denoiser.parameters(), self._loss, after=body.follow)]

    def _loss(self, network: Network, batch: Batch) -> Tensor:
        body = cast(Denoising, network.body)
        losses = self._errors(network, batch, body.denoiser, left_out=LEFT_OUT)
        return (losses * batch["weight"]).mean() if "weight" in batch else losses.mean()

    def _held_out_losses(self, network: Network, batch: Batch) -> Tensor:
        return self._errors(network, batch, cast(Denoising, network.body).average.module)

    def _errors(self, network: Network, batch: Batch, denoiser: Any, *, left_out: float = 0.0) -> Tensor:
        body, v, y = cast(Denoising, network.body), network.input(batch).to(network.dtype), batch["target"]
        if y.dim() == 1 and left_out:
            y = torch.where(torch.rand(y.shape, device=y.device) < left_out, body.n_classes, y)
        t = spread_times(len(v), body.n_steps)
        errors, left = body.errors(denoiser, v, normal(tuple(v.shape), v), t, y if y.dim() == 1 else None)
        return left * errors if self.learns == "noise" else errors

    def _sampled(self, n: int, codes: Tensor | None, generator: torch.Generator) -> Tensor:
        body, like = cast(Denoising, self.network_.body), next(self.network_.parameters())
        image = self.encoder_.spec.image
        together = (most_images(self.network_, torch.empty(1, *image, device="meta")) if image else None) or n
        made = []
        for i in range(0, n, together):
            x = normal((min(together, n - i), self._entry.n_out), like, generator)
            y = None if codes is None else codes[i : i + together]
            clean = partial(body.clean, y=y, guidance=self.guidance)
            made.append(denoised(x, clean, body.left, steps=self.steps, eta=self.eta, generator=generator))
        return torch.cat(made)

    def _alarms(self, history: History, network: Network, source: Source) -> list[tuple[str, str, str]]:
        made = self._made_beside(network, source, history, LOOKED_AT)
        if made is None:
            return []
        if is_strange(made):
            return [strange_alarm(made, unlike_remedy(history["step"][-1], self.averaging))]
        return collapse_alarm(made, "Try more epochs, or guidance=1.")

    def _is_unet(self, spec: Spec) -> bool:
        if self.network == "unet" and not spec.inputs.image:
            raise InvalidParameter(
                "Diffusion(network='unet') makes images, but X is a table. Give images, (n_samples, height, width), or "
                "network='dense'."
            )
        large = bool(spec.inputs.image) and min(spec.inputs.image[1:]) >= 8
        return self.network == "unet" or (self.network == "auto" and large)

    def _stands_rounding(self, network: Network) -> bool:
        return bool(self.encoder_.spec.image)  # pixels have as few digits

    def _rate(self, optimizer: Optimizer) -> float:
        return RATE if self.learning_rate == "auto" else float(self.learning_rate)

    def _decay(self, optimizer: Optimizer, n_samples: int) -> float:
        return 0.0 if self.weight_decay == "auto" else float(self.weight_decay)


def spread_times(n: int, n_steps: int) -> Tensor:
    """Return times for a batch, (n,) from 1 to T: each uniform, together spread evenly, so that losses vary less."""
    return (((torch.rand(()) + torch.arange(n) / n) % 1) * n_steps).long() + 1


def bounds_of(block: Block) -> Tensor:
    """Return the least and the greatest number of each place of a block, (2, width)."""
    return torch.tensor(BOUNDS[block.kind], device="cpu")[:, None].expand(2, block.width)
