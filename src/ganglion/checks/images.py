"""What is promised of images."""

from __future__ import annotations

import numpy as np

from ganglion.checks.comparing import answers, ask, ensure, fresh, has_answers, refused, same_answers, same_bits
from ganglion.checks.data import image_stack
from ganglion.checks.suiting import reads_images
from ganglion.errors import InvalidInput
from ganglion.estimators.base import Estimator


def check_image_stacks(estimator: Estimator) -> None:
    """Grey and colour images are read in any order of axes, whole numbers or not.

    Other channels are refused, and another size too, unless the tags say that any is read.
    """
    grey, y = image_stack(estimator)
    colour = np.stack([grey, grey // 2, 255 - grey], axis=-1)
    expected = answers(fresh(estimator).fit(grey, y), grey)
    for given in (grey[..., None], grey[:, None], grey.astype(np.float32), grey.astype(np.int64)):
        same_bits(answers(fresh(estimator).fit(given, y), given), expected)
    model = fresh(estimator).fit(colour, y)
    first_axis = np.ascontiguousarray(colour.transpose(0, 3, 1, 2))
    same_bits(answers(model, first_axis), answers(model, colour))
    same_answers(fresh(estimator).fit(first_axis, y), model, colour)
    other_sizes = colour[:, :-1], colour[:, :, :-1]
    bad_ones = (grey, grey.reshape(len(grey), -1), *(() if estimator.tags.any_size else other_sizes))
    for bad in bad_ones if has_answers(model) else ():
        refused(lambda bad=bad: ask(model, bad), ValueError)
    for given in other_sizes if estimator.tags.any_size else ():
        ensure(len(model.predict(given)) == len(given), "images of another size were not answered")
    broken = grey.astype(np.float32)
    broken[2, 1, 1] = np.nan
    refused(lambda: fresh(estimator).fit(broken, y), InvalidInput, "NaN")


def check_zero_weight_of_images(estimator: Estimator) -> None:
    """An image of weight 0 leaves no trace either."""
    grey, y = image_stack(estimator)
    weight = np.ones(len(y))
    weight[1::3] = 0
    grey[weight == 0] = 255
    kept = np.flatnonzero(weight)
    same_answers(fresh(estimator).fit(grey, y, sample_weight=weight), fresh(estimator).fit(grey[kept], y[kept]), grey)


CHECKS = (
    (reads_images, check_image_stacks),
    (reads_images, check_zero_weight_of_images),
)
