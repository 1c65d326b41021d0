"""Saving and loading a fitted estimator: what the manifest says, and how it is checked on the way back.

The file holds the options, the encoder, the target, the history and the weights; never a row of training data.
"""

from __future__ import annotations

import math
import os
import re
from datetime import UTC, datetime
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganglion.data.encoders import encoder_from_json
from ganglion.data.encoding import ImageEncoder, TableEncoder
from ganglion.data.summary import Summary, summary_from_json
from ganglion.errors import GanglionError, InvalidModel, InvalidParameter
from ganglion.estimators.base import Estimator
from ganglion.estimators.card import model_card
from ganglion.estimators.empty import empty_network
from ganglion.estimators.packing import pack, unpack
from ganglion.estimators.targets import target_from_json
from ganglion.networks.network import Network
from ganglion.options import check_options, from_json, options_of, to_json
from ganglion.registry import algorithm, name_of, wrapper
from ganglion.storage import read_model, write_model
from ganglion.training.execution import check_device
from ganglion.training.history import History
from ganglion.version import __version__

_OTHER_DEVICE = re.compile(r"(cuda|mps|xpu)(:\d{1,3})?")
_FLOATS = {"float32": torch.float32, "float64": torch.float64}
# what a manifest that was tampered with can make the constructors below raise
_DAMAGE = (
    *(GanglionError, ArithmeticError, AttributeError, LookupError),
    *(MemoryError, RuntimeError, TypeError, ValueError),
)


def save(model: Estimator, path: str | os.PathLike[str]) -> None:
    """Write a fitted estimator to `path`; see `Estimator.save`."""
    manifest = describe(model)
    tensors, manifest["packing"] = packed(model)
    write_model(path, manifest, tensors, model_card(manifest))


def packed(model: Estimator) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the weights of a fitted estimator as its file holds them, and how they are to be read."""
    kinds = [kind for change in model.compression_ for kind in change.get("packing", ())]
    return pack(model.network_.state_dict(), kinds)


def load(path: str | os.PathLike[str]) -> Estimator:
    """Load an estimator that `save` wrote. It answers to the bit as it did then.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    Estimator
        Fitted, on the CPU; or what was put around one, as a mitigation of `debias`. `metrics_` holds what was measured
        when it was saved.

    Raises
    ------
    InvalidModel
        If the file is missing, damaged, foreign, or from a newer version. Nothing in it is executed.
    """
    manifest, tensors = read_model(path)
    try:
        if "wrapper" in manifest:
            return wrapper(str(manifest["wrapper"])).load(manifest, tensors)
        return restored(manifest, tensors)
    except InvalidModel as error:
        raise InvalidModel(f"{os.fspath(path)}: {error}") from error
    except _DAMAGE as error:
        what = f"{type(error).__name__}: {error}"[:300]
        raise InvalidModel(f"{os.fspath(path)}: its manifest is damaged ({what}). Train and save it again.") from error


def describe(model: Estimator) -> dict[str, Any]:
    """Return the manifest of a fitted estimator: all that the weights do not say, as JSON can hold it."""
    name = name_of(type(model))
    if name is None:
        raise InvalidParameter(
            f"{type(model).__name__} is in no registry, so no file could name it. Add its line to "
            "ganglion/registry.py, or give it an entry point in the group 'ganglion.algorithms'."
        )
    return {
        "ganglion": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "estimator": name,
        "options": {option: _option_to_json(getattr(model, option)) for option in options_of(type(model))},
        "encoder": model.encoder_.to_json(),
        "target": model.target_.to_json(),
        "target_name": getattr(model, "target_name_", ""),
        "feature_names": [str(name) for name in getattr(model, "feature_names_in_", [])],
        "n_features": model.n_features_in_,
        "dtype": str(model.network_.dtype).removeprefix("torch."),
        "history": model.history_.to_dict(),
        "metrics": getattr(model, "metrics_", {}),
        "audit": getattr(model, "audit_", {}),
        "compression": model.compression_,
        "summary": _summary_to_json(getattr(model, "summary_", None)),
    }


def _summary_to_json(summary: Summary | None) -> dict[str, Any]:
    return {} if summary is None else summary.to_json()


def _option_to_json(value: Any) -> Any:
    """Return an option as JSON; a function has no place in a file, and what it did is in the weights."""
    if callable(value) and not hasattr(value, "__dataclass_fields__"):
        return {"function": getattr(value, "__qualname__", type(value).__name__)}
    if not isinstance(value, bool | int | float | str | tuple | list | dict | None):
        value = to_json(value)
    return None if isinstance(value, np.random.RandomState) else to_json(value)  # a stream of seeds, not a seed


def restored(manifest: dict[str, Any], tensors: dict[str, Tensor]) -> Estimator:
    """Return the estimator that a manifest describes and tensors fill; of a file that lies, any error of `_DAMAGE`."""
    cls = algorithm(str(manifest["estimator"]))
    declared = options_of(cls)
    given = {name: value for name, value in manifest["options"].items() if name in declared}
    options = {name: from_json(value) for name, value in given.items() if not _is_function(value)}
    model: Estimator = cls(**_with_device_of_here(options))
    check_options(model)
    model.encoder_ = encoder_from_json(manifest["encoder"])
    model.target_ = target_from_json(manifest["target"])
    model.n_features_in_ = _count(manifest["n_features"])
    if manifest["feature_names"]:
        model.feature_names_in_ = _names(manifest["feature_names"])
    _check_columns(model)
    model.target_name_ = str(manifest["target_name"])
    model.metrics_ = dict(manifest["metrics"])
    model.audit_ = dict(manifest.get("audit") or {})
    model.summary_ = summary_from_json(manifest.get("summary"))
    model.history_ = History.from_dict(manifest["history"])
    changes = [dict(change) for change in manifest.get("compression") or ()]
    tensors = unpack(tensors, dict(manifest.get("packing") or {}))
    model.network_ = _network(model, tensors, _FLOATS[manifest["dtype"]], changes)
    return model


def _network(
    model: Estimator, tensors: dict[str, Tensor], dtype: torch.dtype, changes: list[dict[str, Any]]
) -> Network:
    """Build the network without memory, compare it with the weights that are there, and only then take them."""
    _plausible(model, len(tensors))
    network = empty_network(model, dtype, changes)
    expected = network.state_dict()
    if expected.keys() != tensors.keys():
        odd = sorted(expected.keys() ^ tensors.keys())
        raise InvalidModel(f"weights and manifest do not belong together: {', '.join(odd[:5])}.")
    for name, tensor in expected.items():
        if tensor.shape != tensors[name].shape or tensor.dtype != tensors[name].dtype:
            raise InvalidModel(
                f"the weights {name} are {tuple(tensors[name].shape)} {tensors[name].dtype}, but the manifest "
                f"describes {tuple(tensor.shape)} {tensor.dtype}."
            )
    network.load_state_dict(tensors, assign=True)
    network.requires_grad_(True)
    return network.eval()


def _plausible(model: Estimator, n_tensors: int) -> None:
    """Refuse layers by the thousand before they are built: each must have weights in the file."""
    counts = (getattr(model, name, 0) for name in ("layers", "depth"))
    n_layers = max(len(getattr(model, "hidden", ())), *(count for count in counts if isinstance(count, int)))
    if n_layers >= n_tensors or math.prod(model.encoder_.spec.image or (1,)) > 2**40:
        raise InvalidModel("the manifest describes a network larger than the weights in the file.")


def _with_device_of_here(options: dict[str, Any]) -> dict[str, Any]:
    """Return options that ask for no device that this machine has not: a model trained on a GPU loads everywhere."""
    device = options.get("device", "auto")
    if not isinstance(device, str) or not _OTHER_DEVICE.fullmatch(device):
        return options
    try:
        check_device(device)
    except InvalidParameter:
        return options | {"device": "auto"}
    return options


def _check_columns(model: Estimator) -> None:
    """Refuse a manifest whose columns, their number and their names contradict one another."""
    encoder, n_features = model.encoder_, model.n_features_in_
    spec = encoder.spec
    if isinstance(encoder, TableEncoder):
        columns, width = [field.name for field in encoder.fields], sum(math.prod(f.shape) for f in encoder.fields)
        exact = len(encoder.fields) == 1 and bool(encoder.fields[0].shape)
    else:
        columns = encoder.feature_names
        width = math.prod(spec.image) if spec.image else spec.sequence or len(columns)
        exact = not (spec.vocabulary or spec.series or spec.audio)
    if n_features < width or (exact and n_features != width):
        raise InvalidModel(f"n_features is {n_features}, but the columns have {width} features.")
    if isinstance(encoder, ImageEncoder) and encoder.any_size != model.tags.any_size:
        raise InvalidModel(f"any_size is {encoder.any_size}, but not for {type(model).__name__}.")
    names = getattr(model, "feature_names_in_", None)
    if names is not None and (len(names) != n_features or not {*columns} <= {*names}):
        raise InvalidModel("feature_names are not the names of the columns.")


def _is_function(value: Any) -> bool:
    return isinstance(value, dict) and "function" in value


def _count(value: Any) -> int:
    if type(value) is not int or not 0 < value < 2**31:
        raise InvalidModel(f"n_features is {value!r}.")
    return value


def _names(values: Any):
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise InvalidModel("feature_names are no texts.")
    return np.array(values, dtype=object)
