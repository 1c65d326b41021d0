"""Boxes as tensors: how much they cover each other, the loss that lowers it, and which of many to keep.

A box is (left, top, right, bottom). |a ∪ b| counts what both cover once; c is the smallest box around a and b.

    IoU(a, b)  = |a ∩ b| / |a ∪ b|
    GIoU(a, b) = IoU(a, b) - (|c| - |a ∪ b|) / |c|        which has a slope also where a and b do not touch

Rezatofighi et al. 2019, "Generalized intersection over union", arXiv:1902.09630, algorithm 1.
"""

from __future__ import annotations

import torch
from torch import Tensor


def _area(boxes: Tensor) -> Tensor:
    return (boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(-1)


def _shared(one: Tensor, other: Tensor) -> Tensor:
    low, high = torch.maximum(one[..., :2], other[..., :2]), torch.minimum(one[..., 2:], other[..., 2:])
    return _area(torch.cat([low, high], -1))


def pairwise_iou(one: Tensor, other: Tensor) -> Tensor:
    """Return the IoU of every pair of boxes, (…, n, 4) and (…, m, 4) → (…, n, m); 0 where neither has an area."""
    shared = _shared(one.unsqueeze(-2), other.unsqueeze(-3))
    union = _area(one).unsqueeze(-1) + _area(other).unsqueeze(-2) - shared
    return shared / union.clamp(min=torch.finfo(union.dtype).tiny)


def giou(one: Tensor, other: Tensor) -> Tensor:
    """Return the GIoU of boxes in pairs, (…, 4) and (…, 4) → (…), from -1 to 1."""
    smallest = torch.finfo(one.dtype).eps
    shared = _shared(one, other)
    union = (_area(one) + _area(other) - shared).clamp(min=smallest)
    low, high = torch.minimum(one[..., :2], other[..., :2]), torch.maximum(one[..., 2:], other[..., 2:])
    around = _area(torch.cat([low, high], -1)).clamp(min=smallest)
    return shared / union - (around - union) / around


def kept_by_nms(boxes: Tensor, labels: Tensor, threshold: float) -> Tensor:
    """Return which boxes to keep: those that no surer kept box of their class covers by more than a threshold.

    Parameters
    ----------
    boxes : Tensor of shape (B, n, 4)
        Of each picture, the surest first.
    labels : Tensor of shape (B, n)
    threshold : float from 0 to 1
        IoU above which two boxes are taken for one object.

    Returns
    -------
    Tensor of shape (B, n), bool

    Notes
    -----
    Greedy suppression looks at one box after the other. Here all are looked at together, and again until nothing
    changes: what the first boxes decide is settled after one step, what they and the next ones decide after two, so
    that the end is that of the greedy walk, mostly in a few steps (Cluster-NMS, Zheng et al. 2020, arXiv:2005.03572).
    """
    same = labels.unsqueeze(-1) == labels.unsqueeze(-2)
    covered = ((pairwise_iou(boxes, boxes) > threshold) & same).triu(1)  # [i, j]: the surer box i covers box j
    kept = torch.ones_like(labels, dtype=torch.bool)
    while True:
        still = ~(covered & kept.unsqueeze(-1)).any(-2)
        if torch.equal(still, kept):
            return kept
        kept = still


def decode(distances: Tensor, stride: int) -> Tensor:
    """Return the boxes around every cell of a grid.

    Parameters
    ----------
    distances : Tensor of shape (B, 4, H, W)
        In pixels, from the middle of a cell to the left, top, right and bottom side.
    stride : int
        Pixels of a cell's side.

    Returns
    -------
    Tensor of shape (B, 4, H, W)
        Left, top, right, bottom.
    """
    y, x = ((torch.arange(n, device=distances.device) + 0.5) * stride for n in distances.shape[-2:])
    y, x = torch.meshgrid(y.to(distances.dtype), x.to(distances.dtype), indexing="ij")
    left, top, right, bottom = distances.unbind(1)
    return torch.stack([x - left, y - top, x + right, y + bottom], 1)
