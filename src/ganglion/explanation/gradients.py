"""Explanations that go through our own networks, and not around them: by slopes, by maps, by attention.

    integrated_gradients, expected_gradients   values that add up to what is said      `paths`
    saliency, smoothgrad                       sizes of slopes                         `slopes`
    grad_cam                                   where the last convolution looked       `grad_cam`
    rollout                                    where attention went                    `rollout`

A pass costs as much for a picture of a thousand pixels as for a row of ten columns: where there are hundreds of
features, that is the way to go. What is asked of is what the input layer gives (see `entered`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ganglion.drawing.png import displayable
from ganglion.errors import InvalidInput
from ganglion.explanation.asking import Asked, Kind
from ganglion.explanation.entered import Entered, entered
from ganglion.explanation.explanation import Explanation
from ganglion.explanation.found import Found
from ganglion.explanation.grad_cam import grad_cam, last_convolution
from ganglion.explanation.making import explanation_of
from ganglion.explanation.paths import expected_gradients, integrated_gradients
from ganglion.explanation.players import Players
from ganglion.explanation.regions import Heat
from ganglion.explanation.rollout import attention_rollout
from ganglion.explanation.settings import Settings
from ganglion.explanation.slopes import saliency, smoothgrad
from ganglion.explanation.split import Split, is_split

BY_SLOPES: dict[str, Callable[[Split, Entered, Settings], Found]] = {
    "integrated_gradients": integrated_gradients,
    "expected_gradients": expected_gradients,
    "saliency": saliency,
    "smoothgrad": smoothgrad,
    "grad_cam": grad_cam,
}
GRADIENTS = (*BY_SLOPES, "rollout")
ANYWHERE = "'auto', 'exact', 'permutation', 'kernel', 'lime' and 'occlusion'"


def check_network(model: Any, method: str) -> None:
    """Raise InvalidInput unless a model is a network through which `method` can go."""
    name = type(model).__name__
    if not is_split(model):
        inside = getattr(model, "steps", None)
        hint = (
            " To explain the network inside it, give that, pipeline[-1], and its data as pipeline[:-1].transform(X) "
            "makes them."
            if isinstance(inside, list) and inside and is_split(inside[-1][1])
            else ""
        )
        raise InvalidInput(
            f"method={method!r} goes through a network of ours, and {name} is none.{hint} Methods that work with it: "
            f"{ANYWHERE}."
        )
    slopes = "'integrated_gradients', 'expected_gradients', 'saliency' and 'smoothgrad'"
    if method == "grad_cam" and last_convolution(model.network_) is None:
        raise InvalidInput(
            f"method='grad_cam' draws the maps of the last convolution, and the network of {name} has no stack of "
            f"convolutions, as CNNClassifier has. Methods that work with it: {slopes}; {ANYWHERE}."
        )
    if method == "rollout" and not hasattr(model, "attention"):
        raise InvalidInput(
            f"method='rollout' follows attention, and the network of {name} has none that it shows, as "
            f"TransformerClassifier and VisionTransformer have. Methods that work with it: {slopes}; {ANYWHERE}."
        )


def by_gradients(
    model: Any,
    kind: Kind,
    X: Any,
    background: Any,
    every: Sequence[Players],
    asked: Sequence[Asked],
    settings: Settings,
) -> list[Explanation]:
    """Return explanations of the samples of X by the method that the settings name.

    Parameters
    ----------
    model : fitted estimator of ours, see `check_network`
    kind : {"probability", "score", "number"}
    X, background : as of `explain`
    every, asked : sequence
        The samples as players, and what is asked of them: one each, or of a table one for all rows.
    settings : Settings
    """
    split = Split(model, kind)
    groups = entered(split, model, X, background, every, asked)
    if settings.method == "rollout":
        found = attention_rollout(model, X, groups)
    else:
        found = [BY_SLOPES[settings.method](split, group, settings) for group in groups]
    made: dict[int, Explanation] = {}
    for group, each in zip(groups, found, strict=True):
        made.update(_explained(group, each, settings))
    return [made[i] for i in range(len(made))]


def predicted_only(asked: Asked, kind: Kind) -> Asked:
    """Return what is asked where no output is named: of three classes or more the predicted one; each costs a pass."""
    return asked if kind == "number" or len(asked.names) <= 2 else replace(asked, places=None)


def _explained(group: Entered, found: Found, settings: Settings) -> Iterator[tuple[int, Explanation]]:
    for i, (number, place) in enumerate(zip(group.numbers.tolist(), group.places, strict=True)):
        d = len(place.players.names)
        made = explanation_of(
            place.players,
            place.asked,
            place.row,
            method=settings.method,
            how=found.how[i],
            effects=found.effects[i, :d],
            errors=None if found.errors is None else found.errors[i, :d],
            stability=None if found.stability is None else found.stability[i],
            adds_up=found.adds_up,
            bases=None if found.bases is None else found.bases[i],
        )
        yield number, replace(made, drawn=_drawn(group, found, i, made.drawn))


def _drawn(group: Entered, found: Found, i: int, drawn: Any) -> Any:
    """Return what is needed to draw a sample: of pictures and recordings, with the heat of every pixel or bin."""
    if found.heat is None or group.modality not in ("image", "audio"):
        return drawn
    heat = found.heat[:, i].double().cpu().numpy()
    if group.modality == "image":
        heat = heat.reshape(len(heat), -1, *group.channels[1:]).sum(axis=1)
        return Heat(drawn.picture, drawn.part, heat)
    z = group.z[i].double().cpu().numpy()
    part = group.part[i].expand(group.z.shape[1:]).cpu().numpy()
    heat = np.broadcast_to(heat, (len(heat), *z.shape))
    upright = [np.flip(each.swapaxes(-1, -2), -2) for each in (z, part, heat)]  # low tones at the bottom, time across
    return Heat(displayable(upright[0][None, None])[0], upright[1], upright[2])
