"""Detection without anchors: where objects have their middle, and how far it is from there to their four sides.

    Y_k(p) = max exp(-(x - x_o)² / 2σ_x² - (y - y_o)² / 2σ_y²)       over the objects o of class k; the heat map wanted
    σ_x    = 0.54 width_o / 6,  σ_y = 0.54 height_o / 6                so that Y is 1 in the cell of a middle

    L_heat = -1/N Σ  (1 - h)² log h              where Y = 1          over all k and p        (Zhou et al., eq. 1)
                     (1 - Y)⁴ h² log(1 - h)       elsewhere
    L_box  =  1/N Σ_o Σ_p∈A_o  w_o(p) (1 - GIoU(b(p), b_o))            w_o in proportion to Y, of sum 1
    L      =  L_heat + λ L_box

h_k(p), a sigmoid, and the boxes b(p) are the network's maps (`networks.detector`), A_o the cells in the inner 0.54 of
the object's box (of the smallest box where several meet), N the number of objects. An answer is the box of each cell
that is as hot as its eight neighbours, but for those that a surer one of their class covers.

Zhou, Wang & Krähenbühl 2019, "Objects as points", arXiv:1904.07850; the Gaussians and the boxes around more than the
middle: Liu et al. 2019, "Training-time-friendly network for real-time object detection", arXiv:1909.00700; focal loss
with soft targets: Law & Deng 2018, arXiv:1808.01244, eq. 1. Differs: N is the training set's mean number of objects of
a picture times the pictures, so that no picture's loss depends on its batch; objects count alike, not by their area; a
residual network with a feature pyramid, trained from scratch; of boxes that cover each other one is kept.
Letters: B pictures, K classes, M objects of a picture (padded), H, W sides of the maps in cells.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from ganglion.estimators.base import Tags
from ganglion.estimators.detector import Detector
from ganglion.estimators.spec import Spec
from ganglion.networks.activations import check_activation
from ganglion.networks.boxes import giou
from ganglion.networks.detector import PyramidDetector
from ganglion.networks.network import Network
from ganglion.options import hyperparameters, option
from ganglion.training.losses import PerSampleLoss

SPREAD = 0.54  # alpha and beta of Liu et al.: the part of a box in which it is learned


def gaussians(objects_BM5: Tensor, stride: int, sides: tuple[int, int]) -> Tensor:
    """Return for every object how much each cell is its middle, (B, M, 5) → (B, M, H, W) from 0 to 1.

    `objects_BM5` holds left, top, right, bottom in pixels and the class; of padding, class -1, nothing is a middle.
    """
    along = []
    for axis, n_cells in zip((1, 0), sides, strict=True):  # y, then x
        low, high = objects_BM5[..., axis], objects_BM5[..., axis + 2]
        middle = ((low + high) / (2 * stride)).floor().clamp(0, n_cells - 1)
        sigma = (SPREAD * (high - low) / (6 * stride)).clamp(min=0.1)  # of a cell: small ones have their middle alone
        cells = torch.arange(n_cells, device=low.device, dtype=low.dtype)
        along.append(torch.exp(-((cells - middle[..., None]) ** 2) / (2 * sigma[..., None] ** 2)))
    is_object = (objects_BM5[..., 4] >= 0)[..., None, None]
    return along[0][..., :, None] * along[1][..., None, :] * is_object


def heat_of(gaussians_BMHW: Tensor, codes_BM: Tensor, n_classes: int) -> Tensor:
    """Return Y, the maximum over the objects of each class, (B, K, H, W)."""
    B, M, H, W = gaussians_BMHW.shape
    heat = gaussians_BMHW.new_zeros(B, n_classes, H * W)
    index = codes_BM.long().clamp(min=0)[..., None].expand(B, M, H * W)  # padding is 0 everywhere: no maximum
    return heat.scatter_reduce(1, index, gaussians_BMHW.flatten(2), "amax").view(B, n_classes, H, W)


def heat_loss(logits_BKHW: Tensor, heat_BKHW: Tensor) -> Tensor:
    """Return L_heat of each picture, (B,), before it is divided by N."""
    chance = logits_BKHW.sigmoid()
    middle = heat_BKHW == 1
    hit = (1 - chance) ** 2 * F.softplus(-logits_BKHW)
    miss = (1 - heat_BKHW) ** 4 * chance**2 * F.softplus(logits_BKHW)
    return torch.where(middle, hit, miss).flatten(1).sum(1)


def cell_weights(objects_BM5: Tensor, gaussians_BMHW: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    """Return for every cell the object in whose inner part it is, and its weight there, (B, H W) each.

    The weights of an object's cells sum to 1; those of cells in no object are 0.
    """
    weights = gaussians_BMHW.flatten(2)
    sides = objects_BM5[..., 2:4] - objects_BM5[..., :2]
    middles = (objects_BM5[..., 2:4] + objects_BM5[..., :2]) / 2
    inner = torch.ones_like(gaussians_BMHW, dtype=torch.bool)
    for axis, shape in ((0, (1, -1)), (1, (-1, 1))):  # x, then y
        n_cells = gaussians_BMHW.shape[3 - axis]
        places = ((torch.arange(n_cells, device=sides.device) + 0.5) * stride).to(sides.dtype)
        near = (places - middles[..., axis, None]).abs() <= SPREAD * sides[..., axis, None] / 2
        inner &= near.view(*near.shape[:2], *shape)
    inner = (inner | (gaussians_BMHW == 1)).flatten(2) & (objects_BM5[..., 4, None] >= 0)
    area = torch.where(inner, sides.prod(-1)[..., None], torch.inf)
    smallest, chosen = area.min(1)
    weight = weights.gather(1, chosen[:, None])[:, 0] * smallest.isfinite()
    sums = torch.zeros_like(sides[..., 0]).scatter_add_(1, chosen, weight)
    return chosen, weight / sums.gather(1, chosen).clamp(min=torch.finfo(sums.dtype).tiny)


def box_loss(boxes_B4HW: Tensor, objects_BM5: Tensor, gaussians_BMHW: Tensor, stride: int) -> Tensor:
    """Return L_box of each picture, (B,), before it is divided by N."""
    chosen, weight = cell_weights(objects_BM5, gaussians_BMHW, stride)
    truth = objects_BM5[..., :4].gather(1, chosen[..., None].expand(-1, -1, 4))
    return (weight * (1 - giou(boxes_B4HW.flatten(2).transpose(1, 2), truth))).sum(1)


@hyperparameters
class DetectionCNN(Detector):
    """Convolutional network that finds objects: a box, a class and a score for each.

    Learns from stacks of images and the boxes of each; answers images of any size.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> images, objects = rng.normal(0, 0.2, (60, 32, 32)), []
    >>> for image in images:
    ...     left, top = rng.integers(0, 20, 2)
    ...     image[top : top + 10, left : left + 10] += 1
    ...     objects.append({"boxes": [[left, top, left + 10, top + 10]], "labels": ["square"]})
    >>> model = DetectionCNN(channels=8, epochs=12, learning_rate=0.005, random_state=0).fit(images[:48], objects[:48])
    >>> model.score(images[48:], objects[48:]) > 0.9
    True

    References
    ----------
    Zhou, Wang & Krähenbühl 2019, arXiv:1904.07850. Liu et al. 2019, arXiv:1909.00700.
    """

    channels: int = option(32, "Channels of the first stage; each one below has twice as many.", at_least=1)
    depth: int = option(1, "Residual blocks in a stage.", at_least=1, at_most=8)
    stride: Literal[4, 8] = option(
        4, "Pixels of a cell's side. Objects whose middles share a cell are one; 8 computes about half as much."
    )
    activation: str = option("relu", "Nonlinearity behind each convolution, as of the MLP.", check=check_activation)
    box_weight: float = option(5.0, "How much the boxes count against the middles, lambda.", at_least=0)

    tags: ClassVar[Tags] = Tags(task="detection", modalities=("image",), any_size=True, preferred_for=("image",))

    def build(self, spec: Spec) -> Network:
        """Return input layer, backbone, pyramid, and the layer that picks the surest boxes, for images like `spec`."""
        body = PyramidDetector(
            spec.inputs.image[0],
            spec.n_scores - 4,
            channels=self.channels,
            depth=self.depth,
            stride=self.stride,
            activation=self.activation,
        )
        return Network(spec.input_layer(), body, spec.output)

    def _per_sample_loss(self) -> PerSampleLoss:
        def loss(maps: Tensor, objects: Tensor) -> Tensor:
            near = gaussians(objects, self.stride, (maps.shape[2], maps.shape[3]))
            heat = heat_of(near, objects[..., 4], maps.shape[1] - 4)
            of_heat, of_boxes = heat_loss(maps[:, :-4], heat), box_loss(maps[:, -4:], objects, near, self.stride)
            return (of_heat + self.box_weight * of_boxes) / self.target_.per_picture

        return loss
