"""The runs of the battery: what each is trained on, how, and what was expected of it, which decides nothing."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, cast

import torch
from torch import nn

from benchmarks.claims import _battery_truth as truth
from benchmarks.claims._battery_data import Array, Data
from ganglion.algorithms.autoencoder import Autoencoder
from ganglion.algorithms.dbn import DBN
from ganglion.algorithms.diffusion import Diffusion
from ganglion.algorithms.gan import GAN
from ganglion.algorithms.rbm import RBM
from ganglion.algorithms.vae import VAE
from ganglion.errors import TrainingDiverged
from ganglion.networks.belief import BeliefNet
from ganglion.networks.energy import BoltzmannMachine

Options = dict[str, Any]
LARGE = 1e15  # squares of larger numbers have no room in float32
NUMBERS, DIVERGING, OVERFITTING = "no numbers", "diverging free-energy gap", "overfitting by free energy"
FAST = "sgd(momentum=0.9, nesterov=False)"


@dataclass(frozen=True)
class Run:
    """One training: its data by name, its options, and whether it was made to collapse."""

    algorithm: type
    data: str
    options: Options
    meant: str = "healthy"
    generator_rate: float = 1.0
    rows: int | None = None
    seed: int = 0

    def __str__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.options.items())
        slow = f", generator's rate × {self.generator_rate:g}" if self.generator_rate != 1 else ""
        few = f"{self.rows} rows of " if self.rows else ""
        return f"{self.algorithm.__name__}({given}{slow}) on {few}{self.data}, seed {self.seed}"


@dataclass
class Outcome:
    """What happened in a run, and what was said of it: truths by failure, alarms by name with their texts."""

    truths: dict[str, truth.Truth] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    alarms: dict[str, str] = field(default_factory=dict)

    def learn(self, found: tuple[Mapping[str, truth.Truth], Mapping[str, float]]) -> None:
        """Add truths, and the numbers they rest on."""
        self.truths |= found[0]
        self.numbers |= found[1]


# a run


def outcome_of(run: Run, data: Data) -> Outcome:
    """Train, and find out what happened."""
    model, networks, outcome = run.algorithm(**run.options, threads=1, random_state=run.seed), [], Outcome()
    _listen(model, networks, run.generator_rate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model.fit(data.X)
        except TrainingDiverged as error:
            outcome.alarms[NUMBERS] = str(error)
            outcome.learn(of_broken(networks[-1], data, str(error)))
            return outcome
        outcome.alarms = {each["name"]: f"{each['evidence']} {each['remedy']}" for each in model.history_.alarms}
        outcome.numbers["seconds"] = model.history_.rows[-1]["seconds"]
        outcome.truths[NUMBERS] = bool(truth.broken_layers(model.network_))
        if not outcome.truths[NUMBERS]:
            JUDGES[run.algorithm](model, data, outcome)
    return outcome


def _listen(model: Any, networks: list[nn.Module], generator_rate: float) -> None:
    """Keep the network of a model, also where `fit` raises; let its generator learn slower."""
    build, objectives = model.build, model.objectives

    def built(spec: Any) -> nn.Module:
        networks.append(build(spec))
        return networks[-1]

    def slower(network: nn.Module) -> list[Any]:
        each = list(objectives(network))
        if generator_rate != 1:
            each[1].rate *= generator_rate
        return each

    model.build, model.objectives = built, slower


def of_broken(network: Any, data: Data, message: str) -> tuple[dict[str, truth.Truth], dict[str, float]]:
    """Return whether a training that ended in an error had no numbers left, and whether its message names a layer.

    A layer is named if the message has the name of one whose weights, or whose output of training rows, are not finite;
    or, if all of these still are, of any layer.
    """
    broken, names = truth.broken_layers(network), [name for name, _ in network.named_parameters()]
    named = [name for name in broken or names if name in message or name.rpartition(".")[0] in message]
    return {NUMBERS: bool(broken) or not _is_finite(network, data)}, {"layer_named": float(bool(named))}


def _is_finite(network: Any, data: Data) -> bool:
    """Return whether what a network, or its machines, say of training rows is finite, and may still be squared."""
    rows = torch.from_numpy(truth.flat(data.X)).to(next(network.parameters()).dtype)
    machines = [network.body] if isinstance(network.body, BoltzmannMachine) else []
    if isinstance(network.body, BeliefNet):
        machines = [network.body.machine(0)]
    with torch.inference_mode():
        said = [machine.free_energy(machine.gibbs(rows, 1)) for machine in machines] or [network.body(rows)]
    return all(bool(each.abs().max() < LARGE) for each in said)


# how each algorithm is judged


def _judge_vae(model: VAE, data: Data, outcome: Outcome) -> None:
    outcome.learn(truth.of_codes(model, data))
    outcome.learn(truth.of_rectifiers(model.network_, lambda: model.reconstruct(data.held_out)))


def _judge_autoencoder(model: Autoencoder, data: Data, outcome: Outcome) -> None:
    outcome.learn(truth.of_rectifiers(model.network_, lambda: model.reconstruct(data.held_out)))


def _judge_gan(model: GAN, data: Data, outcome: Outcome) -> None:
    law = truth.Law(data)
    outcome.learn(truth.of_samples(_samples(model), law))
    generator = model._sides.generator
    noise = model._sides.noise(truth.N_SAMPLES, next(generator.parameters()), torch.Generator().manual_seed(2))
    outcome.learn(truth.of_rectifiers(generator, lambda: generator(noise)))
    if model.loss != "wasserstein":  # there a critic that can tell still shows the way
        outcome.learn(truth.of_game(model, law))


def _judge_diffusion(model: Diffusion, data: Data, outcome: Outcome) -> None:
    outcome.learn(truth.of_samples(_samples(model), truth.Law(data)))


def _judge_rbm(model: RBM, data: Data, outcome: Outcome) -> None:
    seen, held_out = model._visible(data.X[:1000]), model._visible(data.held_out)
    dtype = model.machine_.weight.dtype
    outcome.learn(truth.of_machine(model.machine_, seen.to(dtype), held_out.to(dtype)))
    outcome.learn(truth.of_hidden([model.transform(data.held_out)]))
    outcome.learn(truth.of_dreams(_samples(model), truth.Law(data)))


def _judge_dbn(model: DBN, data: Data, outcome: Outcome) -> None:
    net = cast(Any, model.network_.body)
    dtype = next(net.parameters()).dtype
    chances = []
    with torch.inference_mode():
        for level in range(len(model.hidden)):
            seen, held = (net.below(model._visible(rows).to(dtype), level) for rows in (data.X[:1000], data.held_out))
            machine = net.machine(level)
            found, numbers = truth.of_machine(machine, seen, held)
            outcome.truths |= {name: worst(outcome.truths.get(name, False), said) for name, said in found.items()}
            outcome.numbers |= {f"{name}_{level + 1}": value for name, value in numbers.items()}
            chances.append(machine(held).numpy())
    outcome.learn(truth.of_hidden(chances))
    outcome.learn(truth.of_dreams(_samples(model), truth.Law(data)))


def worst(one: truth.Truth, other: truth.Truth) -> truth.Truth:
    """Return what is true of two machines together."""
    return True if True in (one, other) else None if None in (one, other) else False


def _samples(model: Any) -> Array:
    return truth.flat(model.sample(truth.N_SAMPLES, random_state=0))


JUDGES: dict[type, Any] = {
    VAE: _judge_vae,
    Autoencoder: _judge_autoencoder,
    GAN: _judge_gan,
    Diffusion: _judge_diffusion,
    RBM: _judge_rbm,
    DBN: _judge_dbn,
}


# the list

ALL = ("modes", "pictures", "table")
SMALL: Options = {"hidden": (64,), "batch_size": 100, "validation_fraction": 0.0}
GAME: Options = {"hidden": (64, 64), "latent": 8, "batch_size": 128, "averaging": 0.98, "network": "dense"}
MACHINE: Options = {"units": 14, "batch_size": 50, "epochs": 40}
DENOISER: Options = {"network": "dense", "width": 96, "depth": 2, "steps": 30, "batch_size": 128, "averaging": 0.98}
BINARY: Options = {"visible": "bernoulli"}


def runs(seed: int) -> list[Run]:
    """Return all runs of a half of the battery, each with a seed of its own from this one on."""
    listed = [*_vaes(), *_autoencoders(), *_gans(), *_machines(), *_nets(), *_diffusions(), *_broken()]
    return [replace(run, seed=seed + i) for i, run in enumerate(listed)]


def _vaes() -> Iterator[Run]:
    for data in ALL:
        vae = partial(Run, VAE, data)
        epochs = 300 if data == "table" else 60
        for options in ({}, {"latent": 2}, {"hidden": (128, 64), "latent": 8}, {"activation": "tanh", "beta": 0.5}):
            yield vae({**SMALL, "latent": 4, "epochs": epochs, **options})
        for options in ({"beta": 20.0}, {"beta": 300.0}, {"beta": 60.0, "latent": 32}, {"beta": 6.0, "latent": 8}):
            yield vae({**SMALL, "latent": 4, "epochs": epochs * 2 // 3, **options}, "posterior collapse")
    yield Run(VAE, "modes", {**SMALL, "latent": 6, "epochs": 6, "learning_rate": 1e-5}, "posterior collapse")


def _autoencoders() -> Iterator[Run]:
    sparse = {"sparsity": "l1", "sparsity_weight": 0.01}
    for data in ALL:
        autoencoder = partial(Run, Autoencoder, data)
        for options in ({}, {"corruption": "gaussian"}, sparse, {"hidden": (128, 32), "learning_rate": 2e-3}):
            yield autoencoder({**SMALL, "latent": 4, "epochs": 60, **options})
        for options in ({"learning_rate": 0.1}, {"learning_rate": 0.5}, {"learning_rate": 0.05, "weight_decay": 5.0}):
            yield autoencoder({**SMALL, "latent": 4, "epochs": 60, **options}, "dead units")


def _gans() -> Iterator[Run]:
    plane: Options = {**GAME, "latent": 2, "categories": 48, "optimizer": "adam(beta1=0.0, beta2=0.99)"}
    for options in ({"epochs": 50}, {"epochs": 60}, {"loss": "hinge", "epochs": 60}):
        yield Run(GAN, "modes in 2-D", {**plane, **options})
    for options in ({"epochs": 80}, {"epochs": 100, "loss": "wasserstein"}):
        yield Run(GAN, "modes", {**plane, "latent": 8, **options})
    for penalty in (1.0, 10.0):
        yield Run(GAN, "pictures", {**GAME, "latent": 32, "penalty": penalty, "hidden": (128, 128), "epochs": 80})
    yield Run(GAN, "table", {**GAME, "epochs": 200, "batch_size": 64, "penalty": 1.0})
    yield Run(GAN, "table", {**GAME, "epochs": 150, "batch_size": 64, "loss": "wasserstein"})
    free: Options = {**GAME, "penalty": 0.0}
    for data in ("modes in 2-D", "modes", "pictures"):
        gan = partial(Run, GAN, data)
        for rate in (1e-2, 3e-2):
            yield gan({**free, "learning_rate": rate, "epochs": 25}, "mode collapse")
        yield gan({**GAME, "latent": 1, "hidden": (8,), "epochs": 25}, "mode collapse")
        yield gan({**free, "critic_steps": 5, "epochs": 40}, "the critic has won", 1e-3)
        yield gan({**free, "epochs": 40}, "the critic has won", 1e-4)
        yield gan({**GAME, "epochs": 7, "averaging": 0.999}, "samples unlike the data")
        yield gan({**GAME, "epochs": 12, "averaging": 0.9999, "loss": "wasserstein"}, "samples unlike the data")


def _machines() -> Iterator[Run]:
    wide: Options = {"persistent": True, "units": 40}
    for options in ({"epochs": 60}, {"persistent": True}, {"k": 5}, wide, {"learning_rate": 0.3}):
        yield Run(RBM, "bits", {**MACHINE, **BINARY, **options})
        yield Run(RBM, "black and white", {**MACHINE, "learning_rate": 0.3, **options})
    for data in ("modes", "table"):
        yield Run(RBM, data, {**MACHINE, "learning_rate": 0.02})
        for rate in (0.7, 1.0):
            yield Run(RBM, data, {**MACHINE, "learning_rate": rate}, DIVERGING)
        yield Run(RBM, data, {**MACHINE, "learning_rate": 0.3, "units": 64, "optimizer": FAST}, DIVERGING)
    by_heart: Options = {"units": 100, "batch_size": 20, "learning_rate": 0.1, "validation_fraction": 0.4}
    for rows, epochs in ((50, 300), (80, 200)):
        yield Run(RBM, "black and white", {**MACHINE, **by_heart, "epochs": epochs}, OVERFITTING, rows=rows)
        yield Run(RBM, "bits", {**MACHINE, **BINARY, **by_heart, "epochs": epochs}, OVERFITTING, rows=rows)
    for rate in (3.0, 10.0):
        yield Run(RBM, "bits", {**MACHINE, **BINARY, "learning_rate": rate, "optimizer": FAST}, "dead hidden units")
        yield Run(RBM, "black and white", {**MACHINE, "learning_rate": rate, "optimizer": FAST}, "dead hidden units")
    for target in (0.001, 0.999):
        sparse = {"sparsity_target": target, "sparsity_cost": 30.0, "units": 40}
        yield Run(RBM, "black and white", {**MACHINE, **sparse}, "dead hidden units")
    yield Run(RBM, "bits", {**MACHINE, **BINARY, "epochs": 5, "learning_rate": 1e-4}, "dead hidden units")


def _nets() -> Iterator[Run]:
    net: Options = {"hidden": (40, 40), "batch_size": 50, "epochs": 60}
    for options in ({}, {"persistent": True}):
        yield Run(DBN, "bits", {**net, **BINARY, "hidden": (14, 14), **options})
        yield Run(DBN, "bits", {**net, **BINARY, **options})
        yield Run(DBN, "black and white", {**net, "learning_rate": 0.3, **options})
    yield Run(DBN, "black and white", {**net, "hidden": (64, 64), "epochs": 10}, "mode collapse")
    yield Run(DBN, "pictures", {**net, "hidden": (32, 14), "epochs": 10}, "mode collapse")
    yield Run(DBN, "pictures", {**net, "epochs": 20, "learning_rate": 5.0}, "dead hidden units")
    yield Run(DBN, "modes", {**net, "hidden": (14, 14), "epochs": 30, "learning_rate": 0.7}, DIVERGING)


def _diffusions() -> Iterator[Run]:
    for data, epochs in (("modes in 2-D", 60), ("modes", 80), ("pictures", 100), ("table", 200)):
        yield Run(Diffusion, data, {**DENOISER, "epochs": epochs})
    for data in ("modes", "pictures"):
        yield Run(Diffusion, data, {**DENOISER, "epochs": 7}, "samples unlike the data")
        yield Run(Diffusion, data, {**DENOISER, "epochs": 10, "averaging": 0.9999}, "samples unlike the data")


def _broken() -> Iterator[Run]:
    much: Options = {"epochs": 20, "batch_size": 50, "validation_fraction": 0.0}
    for algorithm, data, rate in (
        (VAE, "table", 1e6),
        (VAE, "pictures", 1e8),
        (Autoencoder, "table", 1e3),
        (Autoencoder, "pictures", 1e8),
        (GAN, "table", 1e8),
        (Diffusion, "modes", 1e8),
    ):
        options = {**much, "learning_rate": rate, "optimizer": "sgd(momentum=0.9)"}
        options |= {"network": "dense", "clip_norm": None} if algorithm in (GAN, Diffusion) else {}
        yield Run(algorithm, data, options, NUMBERS)
    yield Run(RBM, "table", {**much, "learning_rate": 1e3}, NUMBERS)
    yield Run(DBN, "modes", {**much, "hidden": (16, 16), "learning_rate": 1e3}, NUMBERS)
