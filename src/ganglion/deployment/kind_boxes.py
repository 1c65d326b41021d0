"""Objects in pictures: the search for the surest boxes is in the graph."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganglion.data.boxes import Boxes
from ganglion.data.resizing import place
from ganglion.deployment.kind import Arrays, Inputs, Kind, Made, Single, answer_of, label_type, plain_classes
from ganglion.deployment.said import ragged
from ganglion.deployment.signature import Signature
from ganglion.networks.network import Network

FAR = 1e9  # apart, in pixels, are two boxes of different classes


def _box_outputs(model: Any) -> list[Made]:
    most = model.max_detections
    return [
        ("boxes", "float32", ("N", most, 4)),
        ("confidence", "float32", ("N", most)),
        ("label", label_type(model), ("N", most)),
    ]


def _box_said(network: Network, prepared: Inputs, signature: Signature) -> dict[str, Tensor]:
    """Return the surest boxes that no surer one of their class covers, as `Detector.predict` has them.

    What `kept_by_nms` walks through until nothing changes is an operator of ONNX; both are the greedy walk.
    """
    told, (_, height, width, _) = signature.settings, signature.inputs[0].brought.shape
    most = int(told["max_detections"])
    rows = answer_of(network, network.scores(prepared)).float()
    rows = torch.nn.functional.pad(rows, (0, 0, 0, max(0, most - rows.shape[1])))
    edges = rows.new_tensor([width, height, width, height])
    boxes, score, code = torch.minimum(rows[..., :4].clamp(min=0), edges), rows[..., 4], rows[..., 5].long()
    of_class = torch.nn.functional.one_hot(code, len(signature.classes)).to(score.dtype) * score[..., None]
    limits = (told["nms_iou"], told["score_threshold"])
    chosen = torch.onnx.ops.symbolic(
        "NonMaxSuppression",
        (boxes, of_class.transpose(1, 2), torch.tensor([rows.shape[1]]), *(rows.new_tensor([each]) for each in limits)),
        dtype=torch.int64,
        shape=(rows.shape[0], 3),  # as many as are chosen; nothing that follows looks at it
    )
    places = chosen[:, 0] * rows.shape[1] + chosen[:, 2]
    kept = torch.zeros_like(score).flatten().scatter(0, places, 1.0).view(score.shape)
    kept = kept * (boxes[..., 2:] > boxes[..., :2]).all(-1)
    best, order = (score * kept).topk(most)
    corners = boxes.gather(1, order[..., None].expand(-1, -1, 4))
    return {"boxes": corners * (best > 0)[..., None], "confidence": best, "label": code.gather(1, order)}


def _box_own(model: Any, X: Any) -> Arrays:
    """Return what a detector finds; of single pictures in the pixels that they have, as a graph tells it."""
    found = model.predict(X)
    if isinstance(X, Single):
        found = [_in_own_pixels(model, boxes, picture.shape[:2]) for boxes, picture in zip(found, X, strict=True)]
    parts = {"boxes": "boxes", "confidence": "scores", "label": "labels"}
    return {role: ragged([getattr(each, name) for each in found]) for role, name in parts.items()}


def _in_own_pixels(model: Any, found: Boxes, size: tuple[int, int]) -> Boxes:
    moved = place(size, model.encoder_.shape[1:], model.encoder_.resize).moved_back(found.boxes)
    return replace(found, boxes=np.clip(moved, 0, [size[1], size[0]] * 2).astype(np.float32))


def _box_aligned(own: Arrays, said: Arrays) -> Arrays:
    """Return what was said with the boxes of each picture in the order of the original: equally sure ones have none."""
    orders = []
    for i, (a, b) in enumerate(zip(own["boxes"], said["boxes"], strict=True)):
        if len(a) != len(b) or not len(a):
            orders.append(np.arange(len(b)))
            continue
        apart = np.abs(a[:, None].astype(np.float64) - b).sum(2)
        apart += np.abs(own["confidence"][i][:, None].astype(np.float64) - said["confidence"][i])
        other = own["label"][i][:, None] != said["label"][i]
        orders.append(np.where(other, apart + FAR, apart).argmin(1))
    return {role: ragged([row[o] for row, o in zip(each, orders, strict=True)]) for role, each in said.items()}


BOXES = Kind(
    frozenset({"image"}),
    _box_outputs,
    _box_said,
    _box_own,
    classes=plain_classes,
    unit=lambda model, role: float(max(model.encoder_.shape[1:])) if role == "boxes" else 1.0,
    aligned=_box_aligned,
)
