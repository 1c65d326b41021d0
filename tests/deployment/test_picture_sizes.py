"""What a graph makes of pictures of other sizes is, to the bit, what Python makes of them."""

import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image

from ganglion.data.image_files import Form, fit_picture
from ganglion.data.resizing import POLICIES, place
from ganglion.deployment.picture_sizes import brought, moved_back
from ganglion.deployment.signature import Input

SIZE = (9, 14)
OTHERS = [(9, 14), (5, 3), (20, 31), (9, 100), (61, 14), (1, 1), (1, 300), (211, 1), (38, 57), (97, 120), (500, 260)]
helper, BYTES, FLOATS = onnx.helper, onnx.TensorProto.UINT8, onnx.TensorProto.FLOAT


def session_of(nodes, inputs, result, kind):
    """Return what runs some nodes, whose inputs and result have these shapes."""
    ends = [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()]
    made = helper.make_graph(nodes, "sizes", ends, [helper.make_tensor_value_info("result", kind, result)])
    proto = helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(proto, full_check=True)
    return onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])


def pictures(size, channels):
    return Input("image", "image", "uint8", ("N", "H", "W", channels), size=size)


def graph(size, channels, resize):
    """Return what brings pictures to a size, and does nothing else."""
    each = pictures(size, channels)
    nodes = brought(helper, each, "result", resize)
    session = session_of(nodes, {"image": (BYTES, each.shape)}, each.brought.shape, BYTES)
    return lambda given: session.run(None, {"image": given})[0]


def in_python(picture, size, resize):
    """Return a picture (height, width, channels) in another size, channel by channel."""
    form = Form(1, size, resize, is_deep=False)
    bands = [fit_picture(Image.fromarray(band), form) for band in np.moveaxis(picture, 2, 0).copy()]
    return np.concatenate(bands).transpose(1, 2, 0)


@pytest.mark.parametrize("resize", POLICIES)
def test_bytes_are_equal_to_the_bit(resize):
    rng = np.random.default_rng(0)
    for size, channels in ((SIZE, 3), ((16, 5), 1), ((1, 7), 1)):
        resized = graph(size, channels, resize)
        for sides in OTHERS:
            given = rng.integers(0, 256, (2, *sides, channels), dtype=np.uint8)
            own = [in_python(each, size, resize) for each in given]
            np.testing.assert_array_equal(resized(given), own, err_msg=f"{sides} to {size}")


def test_pictures_of_the_size_of_training_stay_as_they_are():
    given = np.random.default_rng(0).integers(0, 256, (3, *SIZE, 3), dtype=np.uint8)
    np.testing.assert_array_equal(graph(SIZE, 3, "pad")(given), given)


@pytest.mark.parametrize("resize", POLICIES)
def test_boxes_are_told_in_the_pixels_of_the_picture(resize):
    rng = np.random.default_rng(0)
    each = pictures(SIZE, 1)
    inputs = {"image": (BYTES, each.shape), "boxes": (FLOATS, ("N", 5, 4))}
    session = session_of(moved_back(helper, "boxes", "result", each, resize), inputs, ("N", 5, 4), FLOATS)
    boxes = np.sort(rng.uniform(0, SIZE[0], (2, 5, 2, 2)).astype(np.float32), axis=2).reshape(2, 5, 4)
    boxes[1, 3:] = 0  # no box
    for sides in OTHERS:
        image = np.zeros((2, *sides, 1), np.uint8)
        (moved,) = session.run(None, {"image": image, "boxes": boxes})
        own = place(sides, SIZE, resize).moved_back(boxes.reshape(10, 4)).clip(0, [*sides[::-1], *sides[::-1]])
        own[8:] = 0
        np.testing.assert_allclose(moved.reshape(10, 4), own, rtol=1e-6, atol=1e-6)
        if sides == SIZE:
            np.testing.assert_array_equal(moved, boxes)
