"""A network without memory: the shapes of its tensors, and nothing in them."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from ganglion.estimators.base import Estimator
from ganglion.estimators.spec import Spec
from ganglion.networks.network import Network

# changes of a network that change its layers, and where the function `reform(network)` is that makes them again; a
# module above is named here as algorithms are in the registry: imported when asked for, and nothing else ever is
FORMS = {"fold": "ganglion.compression.folding", "activations": "ganglion.compression.activations"}


def empty_network(model: Estimator, dtype: torch.dtype, changes: Sequence[Mapping[str, Any]] = ()) -> Network:
    """Return the network that options and changes describe, on the device "meta", in `dtype`."""
    with torch.device("meta"), _NothingDrawn():
        spec = Spec(model.encoder_.spec, model.target_.n_scores, model.target_.output())
        network = model.build(spec)
        for change in changes:
            if change["step"] in FORMS:
                importlib.import_module(FORMS[change["step"]]).reform(network, change)
        network.changes = [dict(change) for change in changes]
        return network.cast(dtype)


class _NothingDrawn(TorchFunctionMode):
    """Leaves tensors without memory as they are: to draw normal numbers for them torch imports its compiler."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Pass by `Tensor.normal_` and `init.normal_`, and do the rest."""
        kwargs = kwargs or {}
        if getattr(func, "__name__", "") == "normal_":
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)
