"""A residual backbone and a feature pyramid that end in maps: where objects have their middle, and how far they reach.

    c_1 = a(W * unshuffle(x))                    2 × 2 pixels become channels: half the size
    c_l = F_l(pool(c_{l-1}))                     l = 2 … 5: residual blocks at strides 4, 8, 16, 32
    p_5 = V_5 c_5,  p_l = a(G_l * (V_l c_l + up(p_{l+1})))      down to the stride of the answer; V are 1 × 1
    heat = H p,  distances = d_0 exp(R p)        for every cell; d_0 = 4 strides

Residual blocks: He et al. 2016, arXiv:1512.03385; pyramid: Lin et al. 2017, arXiv:1612.03144, figure 3; distances by an
exponential: Tian et al. 2019, arXiv:1904.01355, section 3.2. Letters: B pictures, C channels, H height, W width, K
classes.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganglion.networks.boxes import decode
from ganglion.networks.convolution import ResidualBlock, channels_last, convolution

KERNEL, POINT = (3, 3), (1, 1)
RARE = 0.01  # how likely a cell is a middle before anything is learned: else all the others drown it at first
LARGEST = 8.0  # of the logarithm of a distance in units of d_0: more overflows


class PyramidDetector(nn.Module):
    """Pictures of any size to maps of centres and boxes, (B, C, H, W) → (B, K + 4, H', W').

    The first K channels are logits, one a class, that the middle of an object is in this cell; the last four are its
    box: left, top, right, bottom in pixels. H' and W' are the sides over the stride, rounded up.

    Parameters
    ----------
    n_in, n_classes : int
        Channels of a picture, and classes of objects.
    channels : int
        Of the first stage; each one below has twice as many, up to eight times. The pyramid has twice as many.
    depth : int
        Residual blocks in a stage.
    stride : {4, 8}
        Pixels of a cell's side.
    activation : str
        A name in `ACTIVATIONS`.
    """

    def __init__(self, n_in: int, n_classes: int, *, channels: int, depth: int, stride: int, activation: str) -> None:
        super().__init__()
        self.stride, self.n_classes = stride, n_classes

        def layer(n_in: int, n_out: int, kernel: tuple[int, int] = KERNEL) -> nn.Module:
            return convolution(n_in, n_out, kernel, activation=activation, normalization="batch")

        def stage(n_in: int, n_out: int) -> nn.Module:
            sizes = [n_in] + [n_out] * depth
            blocks = (
                ResidualBlock(*pair, KERNEL, activation=activation, normalization="batch") for pair in pairwise(sizes)
            )
            return nn.Sequential(nn.MaxPool2d(2, ceil_mode=True), *blocks)

        widths = [channels, channels, 2 * channels, 4 * channels, 8 * channels]
        self.stem = nn.Sequential(nn.PixelUnshuffle(2), layer(4 * n_in, channels))
        self.stages = nn.ModuleList(stage(*pair) for pair in pairwise(widths))
        width, finest = 2 * channels, int(math.log2(stride)) - 2
        self.lateral = nn.ModuleList(_point(n, width) for n in widths[1 + finest :])
        self.smooth = nn.ModuleList(layer(width, width) for _ in self.lateral[:-1])
        self.trunks = nn.ModuleList(layer(width, width) for _ in range(2))
        self.heat, self.reach = _point(width, n_classes), _point(width, 4)
        for head, bias in ((self.heat, math.log(RARE / (1 - RARE))), (self.reach, 0.0)):
            if head.weight.device.type != "meta" and head.bias is not None:
                nn.init.normal_(head.weight, std=0.01)
                nn.init.constant_(head.bias, bias)
        channels_last(self)

    def maps(self, x: Tensor) -> list[Tensor]:
        """Return what every stage of the backbone, then of the pyramid makes of pictures, (B, C_l, H_l, W_l) each."""
        height, width = x.shape[-2:]
        x = F.pad(x, (0, width % 2, 0, height % 2), mode="replicate").contiguous(memory_format=torch.channels_last)
        found = [self.stem(x)]
        for stage in self.stages:
            found.append(stage(found[-1]))
        low = found[-len(self.lateral) :]
        pyramid = [self.lateral[-1](low[-1])]
        for lateral, smooth, maps in zip(self.lateral[-2::-1], self.smooth, low[-2::-1], strict=True):
            pyramid.append(smooth(lateral(maps) + F.interpolate(pyramid[-1], maps.shape[-2:])))
        return found + pyramid

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of centres and the boxes of every cell."""
        finest = self.maps(x)[-1]
        heat, reach = self.heat(self.trunks[0](finest)), self.reach(self.trunks[1](finest))
        # places need all digits, also where products are in bfloat16, in which 500.5 is 500
        exact = torch.promote_types(reach.dtype, torch.float32)
        distances = 4 * self.stride * reach.to(exact).clamp(max=LARGEST).exp()
        return torch.cat([heat.to(exact), decode(distances, self.stride)], 1)


def _point(n_in: int, n_out: int) -> nn.Conv2d:
    return convolution(n_in, n_out, POINT, activation="identity", normalization=None)[0]  # type: ignore[return-value]


class SurestBoxes(nn.Module):
    """Maps of centres and boxes to the boxes of the surest centres, (B, K + 4, H, W) → (B, n, 6).

    A centre is a cell that is as likely as any of its eight neighbours (Zhou et al. 2019, arXiv:1904.07850, section 4).
    Each row is left, top, right, bottom, score, code of the class, the surest first; n is `most`, or less where there
    are fewer cells. Rows whose score is 0 are no centres.

    Parameters
    ----------
    n_classes, most : int
    """

    def __init__(self, n_classes: int, most: int) -> None:
        super().__init__()
        self.n_classes, self.most = n_classes, most

    def forward(self, maps: Tensor) -> Tensor:
        """Return the surest boxes."""
        heat, boxes = maps[:, : self.n_classes].sigmoid(), maps[:, self.n_classes :].flatten(2)
        heat = torch.where(heat >= F.max_pool2d(heat, 3, stride=1, padding=1), heat, 0.0).flatten(2)
        n_cells = heat.shape[-1]
        scores, places = heat.flatten(1).topk(min(self.most, self.n_classes * n_cells))
        cells = (places % n_cells)[:, None].expand(-1, 4, -1)
        rows = [boxes.gather(2, cells), scores[:, None], (places // n_cells)[:, None].to(scores.dtype)]
        return torch.cat(rows, 1).transpose(1, 2)
