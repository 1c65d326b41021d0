"""What went wrong in a training run, said in words: where numbers stopped being numbers, which units died."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ganglion.errors import TrainingWarning
from ganglion.training.history import History

FEWEST_SAMPLES = 64  # fewer say little of a unit that is rarely active
DEAD_SHARE = 0.5
RECTIFIERS = (nn.ReLU, nn.ReLU6)


def first_nonfinite(network: nn.Module, loss: Callable[[], Any], batch: Mapping[str, Tensor]) -> str:
    """Return in words where NaN or infinity first appears when `loss()` runs the network on a batch."""
    for name, tensor in batch.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            return f"in the batch itself, column {name!r}"
    for name, parameter in network.named_parameters():
        if not parameter.isfinite().all():
            return f"in the weights {name!r}, after the step before"
    found, sizes = [], {}

    def look(name: str, output: Any) -> None:
        if not isinstance(output, Tensor) or not output.numel():
            return
        size = float(output.abs().max())
        sizes[name] = max(sizes.get(name, 0.0), size)
        if not found and not math.isfinite(size):  # NaN is no maximum
            found.append(name)

    outputs_of(network, loss, look, lambda module: not list(module.children()))
    if found:
        return f"in the output of the layer {found[0]!r}"
    return f"in the loss itself, from finite scores; {_largest(network, sizes)}"


def _largest(network: nn.Module, sizes: Mapping[str, float]) -> str:
    """Return where the largest numbers of a network are: in what one of its layers gave, or in weights."""
    places = {f"came from the layer {name!r}": size for name, size in sizes.items()}
    for name, each in network.named_parameters():
        if each.numel():
            places[f"are the weights {name!r}"] = float(each.detach().abs().max())
    where = max(places, key=places.__getitem__)
    return f"the largest numbers, up to {places[where]:.3g}, {where}"


def nonfinite_weights(network: nn.Module) -> str:
    """Return the name of the first weights that hold NaN or infinity, or "" if there are none."""
    return next((name for name, each in network.named_parameters() if not bool(each.isfinite().all())), "")


def outputs_of(
    network: nn.Module,
    run: Callable[[], Any],
    look: Callable[[str, Any], None],
    wanted: Callable[[nn.Module], bool],
) -> None:
    """Call `look(name, output)` for every wanted module of a network while `run()` uses it, without gradients."""

    def hook(name: str) -> Callable[..., None]:
        def call(module: nn.Module, inputs: Any, output: Any) -> None:
            look(f"{name} ({type(module).__name__})", output)

        return call

    hooks = [module.register_forward_hook(hook(name)) for name, module in network.named_modules() if wanted(module)]
    try:
        with torch.no_grad():
            run()
    finally:
        for each in hooks:
            each.remove()


def dead_units(network: nn.Module, run: Callable[[], Any]) -> list[tuple[str, str, str]]:
    """Return an alarm of layers most of whose rectified units are zero for all samples that `run()` shows them."""
    dead: list[str] = []

    def look(name: str, output: Tensor) -> None:
        if output.dim() == 2 and len(output) >= FEWEST_SAMPLES:
            share = float((output <= 0).all(0).double().mean())
            if share > DEAD_SHARE:
                dead.append(f"{share:.0%} of {name}")

    outputs_of(network, run, look, lambda module: isinstance(module, RECTIFIERS))
    if not dead:
        return []
    return [
        (
            "dead units",
            f"{', '.join(dead)} answer 0 to every sample that was looked at, so that they tell nothing of it and learn "
            "nothing any more.",
            "Try a smaller learning rate or weight decay, another activation (leaky_relu, silu), or fewer units.",
        )
    ]


def warn_of_divergence(history: History) -> None:
    """Warn, once, if the training loss ended above where it began, in the last phase of several."""
    losses = [row["loss"] for row in history.rows if row.get("phase") == history.rows[-1].get("phase")]
    if len(losses) >= 3 and losses[-1] > max(losses[0], 2 * min(losses)):
        warnings.warn(
            f"the training loss rose from {losses[0]:.4g} in the first epoch to {losses[-1]:.4g} in the last. Try a "
            "learning rate ten times smaller, or clip_norm=1.0.",
            TrainingWarning,
            stacklevel=4,
        )


def raise_alarms(history: History, alarms: Iterable[tuple[str, str, str]]) -> None:
    """Keep alarms, (name, evidence, remedy) each, in the history, and warn of each once."""
    for name, evidence, remedy in alarms:
        history.alarms.append({"name": name, "evidence": evidence, "remedy": remedy})
        warnings.warn(f"{name}: {evidence} {remedy}", TrainingWarning, stacklevel=4)
