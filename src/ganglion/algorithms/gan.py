"""Generative adversarial networks: a generator learns to make what a critic cannot tell from data.

    critic      lowers  E_x c_real(D(x)) + E_z c_made(D(G(z))) + λ E penalty
    generator   lowers  E_z g(D(G(z))),   z ~ N(0, I), beside a category drawn evenly if wanted
    samples     come from the generator whose weights are the average over its last steps

Goodfellow et al. 2014, arXiv:1406.2661. The losses c and g and the penalties, with their equations and papers, stand in
`training.adversarial`; the networks, dense and the DCGAN of Radford et al. 2016, and how labels come in, in
`networks.adversarial`; columns of categories in `networks.visible_head`. Differs from the papers: He's initialisation,
a learning rate that falls, the average, and waves beside few numbers. Letters: x data, z noise, D critic, G generator.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, cast

import numpy as np
import torch
from torch import Tensor

from ganglion.errors import InvalidParameter
from ganglion.estimators.base import Tags
from ganglion.estimators.generative import Generative, check_count, generator_of
from ganglion.estimators.spec import Spec
from ganglion.networks.adversarial import Adversaries, ConvGenerator, DenseGenerator, conv_critic, dense_critic
from ganglion.networks.draws import uniform
from ganglion.networks.network import Network
from ganglion.networks.visible_head import VisibleHead
from ganglion.networks.waves import waves_of
from ganglion.options import hyperparameters, option
from ganglion.training.adversarial import ADVERSARIAL_LOSSES, gradient_penalty, scores_and_slopes, slope_penalty
from ganglion.training.adversarial_watch import alarms_of, watched
from ganglion.training.execution import fast_products
from ganglion.training.history import History
from ganglion.training.objective import Batch, Objective
from ganglion.training.optimizers import Optimizer, optimizer_by_name
from ganglion.training.run import Source
from ganglion.training.trainer import Monitor

PENALTY = {"non_saturating": 0.01, "wasserstein": 10.0, "hinge": 0.0}
CRITIC_STEPS = {"non_saturating": 1, "wasserstein": 5, "hinge": 1}
RATE = 1e-3  # also of a dcgan: the paper's 2e-4 belongs to its weights, which begin several times smaller than He's
LOOKED_AT = 500  # samples, when training has ended


@hyperparameters
class GAN(Generative):
    """Generative adversarial network, on images and on tables.

    A generator makes data of noise, and a critic tries to tell them from those of training; each learns from the other.
    `history_` shows how often the critic is right, and how varied samples are beside the data: a collapse is an alarm.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal([3, -1], [1, 0.2], size=(500, 2))
    >>> gan = GAN(hidden=(32,), epochs=20, learning_rate=2e-3, averaging=0.95, random_state=0).fit(X)
    >>> bool(abs(gan.sample(1000, random_state=0).mean(0) - [3, -1]).max() < 0.3)
    True

    References
    ----------
    Goodfellow et al. 2014, arXiv:1406.2661; Radford et al. 2016, arXiv:1511.06434; Gulrajani et al. 2017,
    arXiv:1704.00028; Miyato et al. 2018, arXiv:1802.05957.
    """

    network: Literal["auto", "dense", "dcgan"] = option(
        "auto", "Layers of units, or convolutions; 'auto' takes convolutions for images of 8 pixels a side and more."
    )
    loss: Literal["non_saturating", "wasserstein", "hinge"] = option(
        "non_saturating", "What critic and generator lower; wasserstein wants a penalty, hinge spectral_norm."
    )
    penalty: float | Literal["auto"] = option(
        "auto",
        "Weight of the penalty on the critic's slope, between real and made samples with wasserstein, else at both; "
        "'auto' is 10 with wasserstein, 0.01 with non_saturating, 0 with hinge.",
        at_least=0,
    )
    spectral_norm: bool | Literal["auto"] = option(
        "auto", "Whether the critic's layers stretch no direction by more than 1; 'auto' does so with hinge."
    )
    critic_steps: int | Literal["auto"] = option(
        "auto", "Steps of the critic to each one of the generator; 'auto' is 5 with wasserstein, else 1.", at_least=1
    )
    latent: int = option(64, "Numbers of noise that a sample is made of.", at_least=1)
    categories: int = option(
        0,
        "Categories of noise beside its numbers, of which each sample has one: for data that fall into clusters, "
        "between which numbers alone must pass. Give more than there are clusters; 0 for none.",
        at_least=0,
    )
    hidden: tuple[int, ...] = option(
        (256, 256), "Units of each layer of a dense generator; the critic has them in reverse.", at_least=1
    )
    channels: int = option(64, "Channels of the widest places of a dcgan; each halving doubles them.", at_least=1)
    conditional: bool = option(False, "Whether y are labels that samples can be asked of.")
    averaging: float = option(
        0.999,
        "Decay of the average of the generator's weights, which makes the samples; 0 for none.",
        at_least=0,
        below=1,
    )
    optimizer: Any = option(
        "adam(beta1=0.5, beta2=0.99)", "A name, with settings in brackets if wanted.", check=optimizer_by_name
    )
    validation_fraction: float | Literal["auto"] = option(
        0.0,
        "Part of the data held out; no loss of a GAN says when to stop, so nothing is gained by it.",
        at_least=0,
        below=1,
    )

    losses_compare: ClassVar[bool] = False  # a player may lose because the other one learns
    tags: ClassVar[Tags] = Tags(task="generation")

    def build(self, spec: Spec) -> Network:
        """Return input layer, generator and critic for data like `spec`."""
        image, n_classes = spec.inputs.image, spec.n_scores
        entry = spec.visible_layer("symmetric" if image else "standard")
        noise, spectral = self.latent + self.categories, self._spectral
        if self._is_dcgan(spec):
            plain = self.loss == "non_saturating" and not spectral  # as in the DCGAN; penalties ask of single samples
            generator = ConvGenerator(noise, image, self.channels, n_classes=n_classes)
            critic = conv_critic(
                image, self.channels, n_classes=n_classes, spectral=spectral, normalization=plain and not self._penalty
            )
        else:
            generator = DenseGenerator(noise, entry.n_out, self.hidden, n_classes=n_classes)
            critic = dense_critic(
                entry.n_out, self.hidden[::-1], n_classes=n_classes, spectral=spectral, waves=waves_of(entry.n_out)
            )
        head = VisibleHead([(block.kind, block.width) for block in entry.blocks])
        sides = Adversaries(
            generator, critic, head, latent=self.latent, categories=self.categories, decay=self.averaging
        )
        return Network(entry, sides, spec.output)

    def objectives(self, network: Network) -> list[Objective]:
        """Return what critic and generator lower."""
        sides = cast(Adversaries, network.body)
        return [
            Objective("critic", sides.critic.parameters(), self._critic_loss),
            Objective(
                "generator",
                sides.generator.parameters(),
                self._generator_loss,
                every=CRITIC_STEPS[self.loss] if self.critic_steps == "auto" else int(self.critic_steps),
                after=sides.follow,
            ),
        ]

    def _critic_loss(self, network: Network, batch: Batch) -> Tensor:
        sides, real, y, weight = *_given(network, batch), batch.get("weight", 1.0)
        with torch.no_grad():
            made = sides.made(sides.noise(len(real), real), y)
        loss, penalty = ADVERSARIAL_LOSSES[self.loss], self._penalty
        if penalty and self.loss != "wasserstein":
            twice = None if y is None else torch.cat([y, y])
            scores, slopes = scores_and_slopes(lambda x: sides.critic(x, twice), torch.cat([real, made]))
            (of_real, of_made), (at_real, at_made) = scores.chunk(2), slope_penalty(slopes).chunk(2)
            losses = weight * (loss.real(of_real) + penalty * at_real) + loss.made(of_made) + penalty * at_made
            return losses.mean()
        of_real, of_made = sides.scored(real, made, y)
        losses = weight * loss.real(of_real) + loss.made(of_made)
        if penalty:
            share = uniform((len(real), 1), real)
            losses = losses + penalty * weight * gradient_penalty(lambda x: sides.critic(x, y), real, made, share)
        return losses.mean()

    def _generator_loss(self, network: Network, batch: Batch) -> Tensor:
        sides, real, y = _given(network, batch)
        made = sides.made(sides.noise(len(real), real), y)
        return ADVERSARIAL_LOSSES[self.loss].generator(sides.critic(made, y)).mean()

    def discriminate(self, X: Any, y: Any = None) -> np.ndarray:
        """Return what the critic thinks of data.

        Parameters
        ----------
        X : array-like, frame, images or Dataset
        y : array-like of shape (n_samples,), optional
            Labels, if the model was fitted with `conditional=True`.

        Returns
        -------
        ndarray of shape (n_samples,), float64
            With the loss non_saturating the chance that a sample is real and not made, in [0, 1]; with the others its
            score, higher for what looks real.
        """
        v = self._visible(X)
        codes = self._codes_of(y, len(v))
        with torch.inference_mode(), fast_products(self.network_, len(v), precision=self._precision()):
            scores = self._sides.critic(v, codes).double()
        return (scores.sigmoid() if self.loss == "non_saturating" else scores).numpy()

    def interpolate(
        self, n_samples: int = 8, *, y: Any = None, random_state: int | np.random.RandomState | None = None
    ) -> Any:
        """Walk from one sample to another one, along the arc between what they are made of.

        Parameters
        ----------
        n_samples : int >= 2
            How many samples the walk has, both ends included.
        y : label, or array-like of shape (n_samples,), optional
            Of a model that was fitted with `conditional=True`.
        random_state : int, RandomState or None
            The same seed gives the same walk.

        Returns
        -------
        ndarray, frame or Dataset
            In the form of X, n_samples of them.

        References
        ----------
        White 2016, arXiv:1609.04468, section 2.1.
        """
        self._check_fitted()
        generator, n = generator_of(random_state), check_count("n_samples", n_samples)
        if n < 2:
            raise InvalidParameter("n_samples=1: a walk has two ends. Give 2 or more, or ask `sample` for one.")
        codes = self._asked_codes(y, n, generator)
        with torch.inference_mode():
            ends = self._sides.noise(2, self._like, generator)
            walk = arc(ends[0], ends[1], torch.linspace(0, 1, n, dtype=ends.dtype))
            return self._in_form(self._sides.sampled(walk, codes, generator))

    # how it goes

    def _watch(self, network: Network, source: Source) -> Monitor | None:
        return watched(network, source)

    def _alarms(self, history: History, network: Network, source: Source) -> list[tuple[str, str, str]]:
        made = self._made_beside(network, source, history, LOOKED_AT)
        return alarms_of(history, self.loss, made, decay=self.averaging)

    # shared

    def _sampled(self, n: int, codes: Tensor | None, generator: torch.Generator) -> Tensor:
        return self._sides.sampled(self._sides.noise(n, self._like, generator), codes, generator)

    @property
    def _sides(self) -> Adversaries:
        return cast(Adversaries, self.network_.body)

    @property
    def _like(self) -> Tensor:
        return next(self.network_.parameters())

    @property
    def _penalty(self) -> float:
        return PENALTY[self.loss] if self.penalty == "auto" else float(self.penalty)

    @property
    def _spectral(self) -> bool:
        return self.loss == "hinge" if self.spectral_norm == "auto" else bool(self.spectral_norm)

    def _is_dcgan(self, spec: Spec) -> bool:
        if self.network == "dcgan" and not spec.inputs.image:
            raise InvalidParameter(
                "GAN(network='dcgan') makes images, but X is a table. Give images, (n_samples, height, width), or "
                "network='dense'."
            )
        large = bool(spec.inputs.image) and min(spec.inputs.image[1:]) >= 8
        return self.network == "dcgan" or (self.network == "auto" and large)

    def _stands_rounding(self, network: Network) -> bool:
        return bool(self.encoder_.spec.image)  # pixels have as few digits

    def _rate(self, optimizer: Optimizer) -> float:
        return RATE if self.learning_rate == "auto" else float(self.learning_rate)


def _given(network: Network, batch: Batch) -> tuple[Adversaries, Tensor, Tensor | None]:
    """Return the two sides, real samples, (n, d), and their labels, (n,), if there are any."""
    y = batch["target"]
    return cast(Adversaries, network.body), network.input(batch).to(network.dtype), y if y.dim() == 1 else None


def arc(start: Tensor, end: Tensor, share: Tensor) -> Tensor:
    """Return points on the arc between two vectors, (d,), at shares from 0 to 1, (n,): (n, d)."""
    cosine = torch.dot(start, end) / (start.norm() * end.norm())
    angle = cosine.clamp(-1, 1).acos()
    if angle.sin() < 1e-6:
        return start.lerp(end, share[:, None])
    return (((1 - share) * angle).sin()[:, None] * start + (share * angle).sin()[:, None] * end) / angle.sin()
