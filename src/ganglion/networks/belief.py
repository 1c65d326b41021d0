"""Deep belief nets: restricted Boltzmann machines on top of one another, each reading the hidden units of the last.

    up      h⁰ = v,   h^l = σ(c^l + W^l h^{l-1})                          l = 1 … L: the recognition pass
    down    p(h^{l-1} | h^l): natural parameters b^l + W^lᵀ h^l           the generative pass, sampled
    top     the L-th machine, an associative memory that may see labels beside h^{L-1}, as one softmax unit
    p(y | v) ∝ exp(-F(h^{L-1}, y))                                        what it thinks the label is

Hinton, Osindero & Teh 2006, "A fast learning algorithm for deep belief nets", Neural Computation 18.
Letters: n rows, k classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from ganglion.networks.dropout import Dropout
from ganglion.networks.energy import BoltzmannMachine
from ganglion.networks.mlp import MLP, DenseLayer
from ganglion.networks.network import Inputs, Network
from ganglion.networks.visible_units import UnitKind, VisibleUnits

Blocks = Sequence[tuple[UnitKind, int]]


class BeliefNet(nn.Module):
    """A stack of restricted Boltzmann machines; `forward` gives the chances of the topmost hidden units.

    Parameters
    ----------
    blocks : sequence of (kind, width)
        The visible units (see `VisibleUnits`).
    hidden : sequence of int
        Hidden units of each machine, from below.
    n_classes : int
        Of the labels that the top machine sees; 0 for none.
    n_chains : int
        Persistent chains of each machine; 0 for none.
    """

    def __init__(self, blocks: Blocks, hidden: Sequence[int], *, n_classes: int = 0, n_chains: int = 0) -> None:
        super().__init__()
        self.n_classes, self.units = n_classes, VisibleUnits(blocks)
        machines = []
        for level, width in enumerate(hidden):
            seen: Blocks = [("bernoulli", hidden[level - 1])] if level else blocks
            labels: Blocks = [("softmax", n_classes)] if n_classes and level == len(hidden) - 1 else []
            machines.append(BoltzmannMachine(VisibleUnits([*seen, *labels]), width, n_chains=n_chains))
        self.machines = nn.ModuleList(machines)

    def machine(self, level: int) -> BoltzmannMachine:
        """Return one of the machines, 0 the lowest."""
        return cast(BoltzmannMachine, self.machines[level])

    def below(self, v_nd: Tensor, level: int) -> Tensor:
        """Return what the machine of a level reads, but for labels: the chances of the units below it."""
        for i in range(level):
            v_nd = self.machine(i)(v_nd)
        return v_nd

    def forward(self, v_nd: Tensor) -> Tensor:
        """Return the chances of the topmost units, (n, h); those over all labels, each as likely as it is thought."""
        top, seen = self.machine(-1), self.below(v_nd, len(self.machines) - 1)
        if not self.n_classes:
            return top(seen)
        chances = self._of_labels(seen).softmax(1)
        found = [p_n[:, None] * top(self._beside(seen, k)) for k, p_n in enumerate(chances.t())]
        return torch.stack(found).sum(0)

    def log_odds(self, v_nd: Tensor) -> Tensor:
        """Return the scores of the labels, (n, k): their softmax is p(y | v)."""
        return self._of_labels(self.below(v_nd, len(self.machines) - 1))

    def recall(self, n: int, steps: int, codes: Tensor | None = None) -> Tensor:
        """Return visible units that the net dreams of, (n, d), their means where they are on or off.

        Parameters
        ----------
        n : int
        steps : int
            Gibbs steps of the top machine, which begins at the frequency of its units.
        codes : Tensor of shape (n,), int64, optional
            Labels that are held on all the while.
        """
        top = self.machine(-1)
        held = None if codes is None else nn.functional.one_hot(codes, self.n_classes).to(top.weight.dtype)
        v_nd = self._holding(top.units.draw(top.base.expand(n, -1)), held)
        for _ in range(steps):
            v_nd = self._holding(top.gibbs(v_nd, 1), held)
        return self.down(v_nd[:, : v_nd.shape[1] - self.n_classes])

    def down(self, h_nh: Tensor) -> Tensor:
        """Return the visible units, (n, d), from those that the top machine reads, a sample at each level."""
        for level in range(len(self.machines) - 2, 0, -1):
            machine = self.machine(level)
            h_nh = machine.units.draw(machine.visible_input(h_nh))
        return shown(self.machine(0), h_nh) if len(self.machines) > 1 else h_nh

    def _holding(self, v_nd: Tensor, held_nk: Tensor | None) -> Tensor:
        return v_nd if held_nk is None else torch.cat([v_nd[:, : -self.n_classes], held_nk], 1)

    def _of_labels(self, seen: Tensor) -> Tensor:
        top = self.machine(-1)
        return -torch.stack([top.free_energy(self._beside(seen, k)) for k in range(self.n_classes)], 1)

    def _beside(self, seen: Tensor, k: int) -> Tensor:
        """Return what the top machine reads if every row is of class k."""
        label = seen.new_zeros(seen.shape[0], self.n_classes)
        label[:, k] = 1
        return torch.cat([seen, label], 1)


class PretrainedNetwork(Network):
    """A perceptron of sigmoid layers, each of which is the hidden side of a restricted Boltzmann machine as well.

    Parameters
    ----------
    input, output : Module
        See `Network`.
    body : MLP
        Of sigmoid units.
    blocks : sequence of (kind, width)
        What the input layer gives, as visible units.
    input_dropout : float in [0, 1)
        Share of the inputs that is silenced while all layers are trained together.
    """

    def __init__(
        self, input: nn.Module, body: MLP, output: nn.Module, blocks: Blocks, *, input_dropout: float = 0.0
    ) -> None:
        super().__init__(input, body, output)
        self.silenced = Dropout(input_dropout)
        self.layers = [cast(nn.Linear, cast(DenseLayer, layer).layers[0]) for layer in list(body)[:-1]]
        self.units = [
            VisibleUnits(blocks if i == 0 else [("bernoulli", layer.in_features)])
            for i, layer in enumerate(self.layers)
        ]
        self.visible_biases = nn.ParameterList([torch.zeros(layer.in_features) for layer in self.layers])

    def scores(self, prepared: Inputs) -> Tensor:
        """Return what the loss is measured on, from prepared inputs."""
        return self.body(self.silenced(self.input(prepared)))

    def machine(self, level: int) -> BoltzmannMachine:
        """Return the machine of a layer, 0 the lowest, which shares its parameters."""
        layer = self.layers[level]
        bias = cast(nn.Parameter, self.visible_biases[level])
        return BoltzmannMachine.of(
            self.units[level], cast(nn.Parameter, layer.weight), bias, cast(nn.Parameter, layer.bias)
        )

    def below(self, v_nd: Tensor, level: int) -> Tensor:
        """Return what the machine of a level reads, (n, d): the input, or the chances of the units below it."""
        for layer in self.layers[:level]:
            v_nd = torch.addmm(layer.bias, v_nd, layer.weight.t()).sigmoid_()
        return v_nd


def shown(machine: BoltzmannMachine, h_nh: Tensor) -> Tensor:
    """Return visible units to be looked at, (n, d): means where they are on or off, samples of the others."""
    a_nd = machine.visible_input(h_nh)
    return machine.units.mean(a_nd) if machine.units.are_binary else machine.units.draw(a_nd)
