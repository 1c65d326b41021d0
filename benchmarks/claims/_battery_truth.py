"""What happened in a run, measured on held-out rows and apart from what its alarms look at.

Each failure is true (it happened), false, or None where it lies between, or makes no sense. What lies between was
fixed before any alarm was looked at:

posterior collapse    of what held-out rows vary, the share that their reconstruction explains, beside that of PCA with
                      as many numbers: true below 0.05, false above 0.15
samples unlike the    share of samples within the data (of a mixture 3.5 σ of a centre, else above the density that 98 %
  data                of held-out rows reach in a mixture fitted to training rows): true below 0.25, false above 0.5
the critic has won    samples of the generator as it is now are unlike the data by that measure, and the critic ranks
                      held-out rows above them: true from an area under the ROC curve of 0.995 on, false below 0.97
mode collapse         share of the modes, or of classes as a classifier of real rows tells them, that have a fifth of
                      their due, and the spread within them beside that of the data: true if at most 0.5, or below 0.1;
                      false from 0.8 and 0.3 on. Asked only where samples are like the data; of machines always
diverging free-energy mean log-likelihood of training rows, exact or by annealed importance sampling, less that of the
  gap                 model without hidden units: true below -2 % of that model's entropy, false above -0.5 %
overfitting by        of what training rows gained over that model, the share that held-out rows did not: true above
  free energy         0.5, false below 0.25. Not asked where the gap diverges
dead units            share of hidden units that are constant on held-out rows, of the layer that has most: true above
                      0.5, false below 0.15
no numbers            weights, a forward pass over training rows, or samples are not finite
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from benchmarks.claims._battery_data import Array, Data
from ganglion.networks.energy import BoltzmannMachine
from ganglion.networks.partition import annealed_log_partition, exact_log_partition, is_enumerable

Truth = bool | None
N_SAMPLES = 500
CONSTANT = 0.01  # of a unit in [0, 1]: deviation over rows


def between(value: float, false_above: float, true_below: float) -> Truth:
    """Return whether something is as bad as that: true below one bound, false above the other."""
    return True if value < true_below else False if value > false_above else None


def flat(X: Any) -> Array:
    """Return rows as numbers, (n, d); pixels in [0, 1]."""
    X = np.asarray(X)
    return X.reshape(len(X), -1) / (255 if X.dtype == np.uint8 else 1)


# samples


class Law:
    """What is known of the law of data: which samples lie within it, of which mode they are, how far modes spread."""

    def __init__(self, data: Data) -> None:
        self.data, self.held_out = data, flat(data.held_out)
        n = len(self.held_out) // 2
        if data.centers is None:
            self.deviation = 1.0 if data.X.dtype == np.uint8 else data.X.std(0)  # pixels have one scale
            self.components = PCA(min(10, n // 8), whiten=True).fit(flat(data.X) / self.deviation)
            few = max(1, min(10, len(data.X) // 60))
            seen = self._features(flat(data.X))
            self.density = GaussianMixture(few, reg_covar=0.05, random_state=0).fit(seen)
            self.least = np.quantile(self.density.score_samples(self._features(self.held_out)), 0.02)
        self.classifier = make_pipeline(StandardScaler(), KNeighborsClassifier(5)).fit(flat(data.X), data.y)

    def _features(self, X: Array) -> Array:
        """Return the first principal components, and how much of a row they leave out, as a logarithm."""
        X = X / self.deviation
        code = self.components.transform(X)
        left = (X - self.components.inverse_transform(code)).std(1)
        return np.column_stack([code, 2 * np.log(left + 1e-3)])

    def within(self, samples: Array) -> float:
        """Return the share of samples that lie within the data."""
        if self.data.centers is not None:
            apart = np.sqrt(((samples[:, None] - self.data.centers) ** 2).sum(2)).min(1)
            reach = np.sqrt(samples.shape[1]) + 2.5  # 3.5 σ along a line, as rare in more directions
            return float((apart < reach * cast(float, self.data.deviation)).mean())
        return float((self.density.score_samples(self._features(samples)) >= self.least).mean())

    def variety(self, samples: Array) -> tuple[float, float]:
        """Return the share of the modes that are there, and the spread within those beside that of the data."""
        said, true = self.classifier.predict(samples), self.classifier.predict(self.held_out)
        due = np.bincount(true, minlength=self.data.y.max() + 1) / len(true)
        got = np.bincount(said, minlength=len(due)) / len(said)
        there = np.flatnonzero((got >= 0.2 * due) & (due > 0))
        spreads = [samples[said == k].var(0).sum() / self.held_out[true == k].var(0).sum() for k in there]
        return len(there) / int((due > 0).sum()), float(np.median(spreads)) if spreads else 0.0


def of_samples(samples: Array, law: Law) -> tuple[dict[str, Truth], dict[str, float]]:
    """Return whether samples are unlike the data, and whether modes are missing, with the numbers."""
    if not np.isfinite(samples).all():
        return {}, {}
    within = law.within(samples)
    unlike, (collapsed, numbers) = between(within, 0.5, 0.25), of_dreams(samples, law)
    numbers = {"within": within} | numbers
    # where nothing made is like the data, it makes no sense to ask which of their modes are there
    return {"samples unlike the data": unlike} | (collapsed if unlike is False else {}), numbers


def of_dreams(samples: Array, law: Law) -> tuple[dict[str, Truth], dict[str, float]]:
    """Return whether what a machine dreams is alike, or of few kinds, however unlike the data it is."""
    covered, spread = law.variety(samples)
    alike = True if covered <= 0.5 or spread < 0.1 else False if covered >= 0.8 and spread >= 0.3 else None
    return {"mode collapse": alike}, {"modes_there": covered, "spread": spread}


def of_game(model: Any, law: Law) -> tuple[dict[str, Truth], dict[str, float]]:
    """Return whether a critic has won: what the generator makes now is unlike the data, and easily told from them."""
    sides, average = model._sides, model._sides.average.module
    sides.average.module = sides.generator
    made = model.sample(N_SAMPLES, random_state=1)
    sides.average.module = average
    raw, rows = flat(made), law.data.held_out
    bad, scores = between(law.within(raw), 0.5, 0.25), [model.discriminate(each) for each in (made, rows)]
    area = float(roc_auc_score(np.repeat([0, 1], [len(made), len(rows)]), np.concatenate(scores)))
    numbers = {"within_now": law.within(raw), "area": area}
    told = True if area >= 0.995 else False if area < 0.97 else None
    if bad is False or told is False:
        return {"the critic has won": False}, numbers
    return {"the critic has won": True if bad and told else None}, numbers


# codes


def of_codes(model: Any, data: Data) -> tuple[dict[str, Truth], dict[str, float]]:
    """Return whether what is said again of held-out rows tells anything of them."""
    seen, rows = flat(data.X), flat(data.held_out)
    said = flat(model.reconstruct(data.held_out))
    if not np.isfinite(said).all():
        return {}, {}
    scale = seen.std(0) + 1e-9 if data.X.dtype != np.uint8 else 1.0
    seen, rows, said = seen / scale, rows / scale, said / scale
    pca = PCA(min(model._network.latent, seen.shape[1])).fit(seen)
    total = np.square(rows - seen.mean(0)).sum()
    best = 1 - np.square(rows - pca.inverse_transform(pca.transform(rows))).sum() / total
    ours = 1 - np.square(rows - said).sum() / total
    return {"posterior collapse": between(ours / best, 0.15, 0.05)}, {"explained_beside_pca": float(ours / best)}


# machines


def of_machine(machine: BoltzmannMachine, seen: Tensor, held_out: Tensor) -> tuple[dict[str, Truth], dict[str, float]]:
    """Return whether a machine is worse than one without hidden units, and whether it knows its rows by heart."""
    bare = BoltzmannMachine(machine.units, 1).to(machine.weight.dtype)
    with torch.inference_mode():
        bare.weight.zero_()
        bare.hidden_bias.zero_()
        bare.visible_bias.copy_(machine.base)
        log_z, of_bare = log_partition(machine), exact_log_partition(bare)
        gained = [
            float((-machine.free_energy(v) - log_z + bare.free_energy(v) + of_bare).mean()) for v in (seen, held_out)
        ]
        entropy = float(-(-bare.free_energy(seen) - of_bare).mean())
    numbers = {"gained": gained[0], "gained_held_out": gained[1], "bare": -entropy}
    if not np.isfinite(gained).all():
        return {"diverging free-energy gap": True}, numbers
    diverged = between(gained[0], -0.005 * abs(entropy), -0.02 * abs(entropy))
    if diverged is not False:
        return {"diverging free-energy gap": diverged}, numbers
    lost = (gained[0] - gained[1]) / max(gained[0], 0.01 * abs(entropy))
    return {"diverging free-energy gap": False, "overfitting by free energy": between(-lost, -0.25, -0.5)}, numbers


def log_partition(machine: BoltzmannMachine) -> float:
    """Return log Z, enumerated or estimated."""
    if min(machine.weight.shape) <= 14 and is_enumerable(machine):
        return float(exact_log_partition(machine))
    torch.manual_seed(0)
    return annealed_log_partition(machine, runs=60, steps=1500).value


def of_hidden(chances: Sequence[Array]) -> tuple[dict[str, Truth], dict[str, float]]:
    """Return whether most units of a layer are constant on held-out rows, by their chances to be on, (n, h) each."""
    share = max(float((each.std(0) < CONSTANT).mean()) for each in chances)
    return {"dead hidden units": between(-share, -0.15, -0.5)}, {"constant": share}


# layers


def of_rectifiers(network: nn.Module, run: Any) -> tuple[dict[str, Truth], dict[str, float]]:
    """Return whether most rectified units of a layer answer 0 to every held-out row that `run()` shows them."""
    shares: list[float] = [0.0]

    def look(module: nn.Module, inputs: Any, output: Tensor) -> None:
        shares.append(float((output == 0).all(0).double().mean()))

    hooks = [each.register_forward_hook(look) for each in network.modules() if type(each) is nn.ReLU]
    with torch.inference_mode():
        run()
    for hook in hooks:
        hook.remove()
    return {"dead units": between(-max(shares), -0.15, -0.5)}, {"zero": max(shares)}


def broken_layers(network: nn.Module) -> list[str]:
    """Return the names of weights that are not finite."""
    return [name for name, each in network.named_parameters() if not bool(each.isfinite().all())]
