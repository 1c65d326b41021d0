"""A network without memory: the shapes of its tensors, and nothing in them."""

from __future__ import annotations

from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from ganglion.estimators.base import Estimator
from ganglion.estimators.spec import Spec
from ganglion.networks.network import Network


def empty_network(model: Estimator, dtype: torch.dtype) -> Network:
    """Return the network that the options of a fitted estimator describe, on the device "meta", in `dtype`."""
    with torch.device("meta"), _NothingDrawn():
        spec = Spec(model.encoder_.spec, model.target_.n_scores, model.target_.output())
        return model.build(spec).cast(dtype)


class _NothingDrawn(TorchFunctionMode):
    """Leaves tensors without memory as they are: to draw normal numbers for them torch imports its compiler."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Pass by `Tensor.normal_` and `init.normal_`, and do the rest."""
        kwargs = kwargs or {}
        if getattr(func, "__name__", "") == "normal_":
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)
