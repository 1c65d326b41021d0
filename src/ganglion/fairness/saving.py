"""A debiased classifier in one model file: the networks inside, and what keeps groups alike as JSON.

Each network is described as in a file of its own (`estimators/artifact.py`); its weights have its place before their
names. Groups are kept by their names and cuts, never by who was in them. What answers is the networks and the rule:
fairlearn is not needed to load it, and what it left behind (`optimizer_`, `estimator_` of a constraint) is not there.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sklearn.base import clone

from ganglion.errors import InvalidModel, InvalidParameter
from ganglion.estimators.artifact import describe, restored
from ganglion.estimators.base import Estimator
from ganglion.estimators.card import model_card
from ganglion.fairness.debiased import Debiased
from ganglion.fairness.groups import Array, Groups
from ganglion.fairness.relaxed import number_to_json
from ganglion.options import from_json, to_json
from ganglion.registry import name_of
from ganglion.storage import write_model
from ganglion.version import __version__

_DTYPE = re.compile(r"[|<>=]?[biufU]\d{1,4}")


def save_debiased(model: Debiased, path: str | os.PathLike[str]) -> None:
    """Write a fitted mitigation to one file; see `Debiased.save`."""
    networks, rule = model.saved()
    for each in networks:
        _check_ours(each, type(model).__name__)
    manifests = [describe(each) for each in networks]
    options = {name: to_json(value) for name, value in model.get_params(deep=False).items() if name != "estimator"}
    manifest = {
        "ganglion": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "wrapper": type(model).__name__,
        "options": options,
        "classes": {"dtype": model.classes_.dtype.str, "values": model.classes_.tolist()},
        "columns": [_group_names(each) for each in model.columns_],
        "groups": _group_names(model.groups_),
        "hidden": list(model.hidden_),
        "rule": rule,
        "networks": manifests,
    }
    tensors = {
        f"{place}.{name}": tensor
        for place, each in enumerate(networks)
        for name, tensor in each.network_.state_dict().items()
    }
    settings = ", ".join(f"{name}={value}" for name, value in options.items())
    card = f"{model_card(manifests[0])}\n\n## Groups kept alike\n\n{type(model).__name__}({settings}): {_how(model)}\n"
    write_model(path, manifest, tensors, card)


def load_debiased(cls: type[Debiased], manifest: dict[str, Any], tensors: dict[str, Any]) -> Debiased:
    """Return the mitigation that a model file holds; `load` finds it by the name of its class."""
    networks = [
        restored(each, {name.partition(".")[2]: t for name, t in tensors.items() if name.startswith(f"{place}.")})
        for place, each in enumerate(manifest["networks"])
    ]
    options = {name: from_json(value) for name, value in manifest["options"].items()}
    if isinstance(options["sensitive"], tuple):
        options["sensitive"] = list(options["sensitive"])
    model: Any = cls(clone(networks[0]), **options)  # type: ignore[call-arg]
    model.classes_ = _classes(manifest["classes"])
    model.columns_ = [_groups(each) for each in manifest["columns"]]
    model.groups_ = _groups(manifest["groups"])
    model.hidden_ = [str(name) for name in manifest["hidden"]]
    model.restore(networks, manifest["rule"])
    return model


def _check_ours(model: Any, name: str) -> None:
    if isinstance(model, Estimator) and name_of(type(model)) is not None:
        return
    raise InvalidParameter(
        f"{name} holds a {type(model).__name__}, of which no file can be written: only algorithms of Ganglion have a "
        "form that is read without running what it says. Debias one of those (see `ganglion list`), or fit this one "
        "again where it is needed."
    )


def _how(model: Debiased) -> str:
    return (type(model).__doc__ or "").strip().split("\n")[0]


def _group_names(groups: Groups) -> dict[str, Any]:
    return {
        "name": groups.name,
        "labels": list(groups.labels),
        "cuts": [number_to_json(each) for each in groups.cuts],
        "ranges": list(groups.ranges),
    }


def _groups(kept: dict[str, Any]) -> Groups:
    labels, ranges = (tuple(str(each) for each in kept[name]) for name in ("labels", "ranges"))
    cuts = tuple(float(each) for each in kept["cuts"])
    return Groups(str(kept["name"]), labels, np.empty(0, dtype=np.int64), cuts=cuts, ranges=ranges)


def _classes(kept: dict[str, Any]) -> Array:
    dtype, values = str(kept["dtype"]), kept["values"]
    if not isinstance(values, list) or not all(isinstance(each, bool | int | float | str) for each in values):
        raise InvalidModel("its classes are no labels.")
    if dtype == "|O":
        return np.array(values, dtype=object)
    if not _DTYPE.fullmatch(dtype):
        raise InvalidModel(f"its classes have the type {dtype[:20]!r}.")
    return np.array(values, dtype=dtype)
