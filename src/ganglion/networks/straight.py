"""Layers one after another, gone through without calling the containers that hold them.

A call of a module costs microseconds, whatever it computes. Of one small picture's answer, half of the time went into
calls of containers, and into looking for hooks on each layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from torch import nn
from torch.nn.modules.module import _has_any_global_hook

Step = Callable[[Any], Any]


class StraightLine:
    """What a module computes, as steps that follow one another.

    Parameters
    ----------
    module : Module
        It is not changed. `Sequential`s are opened, and modules with a method `chain`, which returns the parts that
        their `forward` calls one after the other and nothing else, or None where it does more. All others are steps.

    Notes
    -----
    Steps use the weights that the module has when they are asked. Whoever exchanges a layer, or hooks onto one, asks
    `holds` before the next call.
    """

    def __init__(self, module: nn.Module) -> None:
        self.steps = list(_steps(module))
        self._modules = list(module.modules())
        self._children = [(each._modules, tuple(each._modules.values())) for each in self._modules if each._modules]

    def __call__(self, x: Any) -> Any:
        """Return what the module makes of x."""
        for step in self.steps:
            x = step(x)
        return x

    def holds(self) -> bool:
        """Return whether the module has the layers that it had, and nobody listens to their calls."""
        return (
            all(tuple(there.values()) == children for there, children in self._children)
            and not any(each._forward_hooks or each._forward_pre_hooks for each in self._modules)
            and not _has_any_global_hook()
        )


def _steps(module: nn.Module) -> Iterator[Step]:
    """Yield what a module calls, one after the other."""
    parts = _parts(module)
    if parts is not None:
        for part in parts:
            yield from _steps(part) if isinstance(part, nn.Module) else (part,)
    elif not isinstance(module, nn.Identity):
        yield module.forward


def _parts(module: nn.Module) -> Iterable[Step] | None:
    """Return what the `forward` of a module calls, where that is known: by the class that wrote it, of no other."""
    if "forward" in vars(module):  # this one has a way of its own
        return None
    if type(module).forward is nn.Sequential.forward:
        return cast(nn.Sequential, module)
    wrote = next(each for each in type(module).__mro__ if "forward" in vars(each))
    chain = vars(wrote).get("chain")
    return None if chain is None else chain(module)
