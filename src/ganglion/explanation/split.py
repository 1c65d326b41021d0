"""A network cut behind its input layer: what that gives can be moved a little, whatever the data were.

    z = input(prepare(x))      scaled numbers, vectors of categories or tokens, pixels, a spectrogram
    f(z) = output(body(z))     ∂f/∂z in one forward and one backward pass for many samples, or many points of one

The slope of each sample is asked of the sum over the samples: none depends on another.

Letters: n samples or points, S the shape of one at the input layer's end, k outputs that are asked of each.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ganglion.errors import InvalidInput
from ganglion.explanation.asking import Kind
from ganglion.explanation.histories import forecasts
from ganglion.networks.belief import PretrainedNetwork
from ganglion.networks.network import Network
from ganglion.networks.outputs import Bernoulli, Sigmoid, Softmax
from ganglion.networks.sequences import Steps
from ganglion.networks.series import SeriesNetwork

PASS_BYTES, GPU_BYTES = 2**25, 2**30  # of what all layers make of the samples of one pass, about
PLAIN = (Network.scores, PretrainedNetwork.scores)  # the body of what the input layer gives, and nothing else


def is_split(model: Any) -> bool:
    """Whether a model is a network of ours, through which slopes can be taken."""
    network = getattr(model, "network_", None)
    plain = isinstance(network, SeriesNetwork) or (isinstance(network, Network) and type(network).scores in PLAIN)
    return plain and hasattr(model, "multiplying")


class Split:
    """One of our networks behind its input layer.

    Parameters
    ----------
    model : fitted estimator
    kind : {"probability", "score", "number"}
        Which numbers of it are explained, as in `asking`.
    """

    def __init__(self, model: Any, kind: Kind) -> None:
        self._model, self._kind = model, kind
        self.network: Network = model.network_
        self.device = next(self.network.parameters()).device
        # one score says two probabilities: the slope of one is that of the other, turned round
        self._opposite = isinstance(self.network.output, Bernoulli)
        self._steps = False
        self._sizes: dict[tuple[int, ...], int] = {}

    def enter(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return z of encoded samples side by side, (n, *S); those of a sequence are equally long.

        Raises
        ------
        InvalidInput
            If the input layer is none whose numbers are told apart.
        """
        with torch.no_grad(), self._passing():
            given = self.network.input(self.network.prepare({k: t.to(self.device) for k, t in batch.items()}))
        self._steps = isinstance(given, Steps)
        given = given.x if isinstance(given, Steps) else given
        if not isinstance(given, Tensor):
            raise InvalidInput(
                f"the input layer of {type(self._model).__name__} gives a {type(given).__name__}, through which "
                "explain takes no slopes. Give method='permutation'."
            )
        return given.to(self.network.dtype)

    def answers(self, z: Tensor) -> Tensor:
        """Return what the model says of z, (n, *S) → (n, outputs), float64."""
        with torch.no_grad(), self._passing():
            return torch.cat([self._said(z[some]).double() for some in self.pieces(z, len(z))])

    def slopes(self, z: Tensor, outputs: Tensor, *, scores: bool = False, at: list[Tensor] | None = None) -> Tensor:
        """Return the slope of each output that is asked of each sample, (k, n, *S), in one pass.

        Parameters
        ----------
        z : Tensor of shape (n, *S)
        outputs : Tensor of shape (n, k), int64
            Which outputs are asked of each.
        scores : bool
            Of the scores before softmax or sigmoid, in place of probabilities.
        at : list, optional
            Where a hook puts what some layer gives, (n, …): the slopes are by that in place of z, (k, n, …).
        """
        with torch.enable_grad(), self._passing():
            x = z.detach().requires_grad_()
            asked = self._said(x, scores=scores).gather(1, outputs)
            where, k = x if at is None else at[-1], outputs.shape[1]
            turned = k == 2 and self._opposite and self._kind != "score" and bool(outputs[0, 0] != outputs[0, 1])
            once = [0] if turned else range(k)
            found = [torch.autograd.grad(asked[:, j].sum(), where, retain_graph=j < once[-1])[0] for j in once]
        return torch.stack([found[0], -found[0]] if turned else found)

    def pieces(self, z: Tensor, n: int) -> list[slice]:
        """Cut n points like those of z into pieces that go through the network together."""
        shape = tuple(z.shape[1:])
        step = self._sizes[shape] = self._sizes.get(shape) or self._together(z)
        return [slice(i, min(n, i + step)) for i in range(0, n, step)]

    def _together(self, z: Tensor) -> int:
        """Return how many points like those of z go through the network together: by what all layers make of one."""
        made = [0]

        def count(module: nn.Module, given: Any, output: Any) -> None:
            first = output[0] if isinstance(output, tuple) else output
            made[0] += first.numel() if isinstance(first, Tensor) else 0

        hooks = [module.register_forward_hook(count) for module in self.network.body.modules()]
        try:
            with torch.no_grad():
                self._said(z[:1])
        finally:
            for hook in hooks:
                hook.remove()
        row_bytes = z.element_size() * (made[0] + z[:1].numel())
        return max(1, (GPU_BYTES if z.is_cuda else PASS_BYTES) // row_bytes)

    def _said(self, z: Tensor, *, scores: bool = False) -> Tensor:
        """Return the answers of the kind that is explained, (n, outputs); of classes with `scores` their scores."""
        if isinstance(self.network, SeriesNetwork):
            return forecasts(self._model, z)
        given = Steps(z, z.new_full((len(z),), z.shape[1], dtype=torch.int64)) if self._steps else z
        found = self.network.body(given)
        if self._kind == "score" or (scores and isinstance(self.network.output, Softmax | Sigmoid)):
            return found
        if scores and self._opposite:
            return torch.cat([-found, found], 1)
        return self.network.output(found)

    @contextlib.contextmanager
    def _passing(self) -> Iterator[None]:
        with self._model.multiplying(), contextlib.ExitStack() as stack:
            if self.device.type == "cuda" and any(isinstance(each, nn.RNNBase) for each in self.network.modules()):
                stack.enter_context(torch.backends.cudnn.flags(enabled=False))  # whose cells learn in training alone
            yield
