"""What a graph makes of pictures of other sizes is, to the bit, what Python makes of them."""

import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image

from ganglion.data.image_files import Form, fit_picture
from ganglion.data.resizing import POLICIES
from ganglion.deployment.picture_sizes import brought
from ganglion.deployment.signature import Input

SIZE = (9, 14)
OTHERS = [(9, 14), (5, 3), (20, 31), (9, 100), (61, 14), (1, 1), (1, 300), (211, 1), (38, 57), (97, 120), (500, 260)]
helper = onnx.helper


def graph(size, channels, resize):
    """Return a graph that brings pictures to a size, and does nothing else."""
    each = Input("image", "image", "uint8", ("N", "H", "W", channels), size=size)
    kind = onnx.TensorProto.UINT8
    ends = [
        [helper.make_tensor_value_info(name, kind, shape)]
        for name, shape in (("image", each.shape), ("brought", each.brought.shape))
    ]
    made = helper.make_graph(brought(helper, each, "brought", resize), "sizes", *ends)
    proto = helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(proto, full_check=True)
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    return lambda pictures: session.run(None, {"image": pictures})[0]


def in_python(picture, size, resize):
    """Return a picture (height, width, channels) in another size, channel by channel."""
    form = Form(1, size, resize, is_deep=False)
    bands = [fit_picture(Image.fromarray(band), picture.shape[:2], form) for band in np.moveaxis(picture, 2, 0).copy()]
    return np.concatenate(bands).transpose(1, 2, 0)


@pytest.mark.parametrize("resize", POLICIES)
def test_bytes_are_equal_to_the_bit(resize):
    rng = np.random.default_rng(0)
    for size, channels in ((SIZE, 3), ((16, 5), 1), ((1, 7), 1)):
        resized = graph(size, channels, resize)
        for sides in OTHERS:
            pictures = rng.integers(0, 256, (2, *sides, channels), dtype=np.uint8)
            own = [in_python(each, size, resize) for each in pictures]
            np.testing.assert_array_equal(resized(pictures), own, err_msg=f"{sides} to {size}")


def test_pictures_of_the_size_of_training_stay_as_they_are():
    pictures = np.random.default_rng(0).integers(0, 256, (3, *SIZE, 3), dtype=np.uint8)
    np.testing.assert_array_equal(graph(SIZE, 3, "pad")(pictures), pictures)
