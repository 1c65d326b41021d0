"""Boxes as tensors, beside slow twins that go box by box."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ganglion.data.matching import pairwise_iou as iou_of_arrays
from ganglion.networks.boxes import decode, giou, kept_by_nms, pairwise_iou


def boxes_of(numbers):
    """Return boxes from (…, 2, 2) corners in any order."""
    corners = np.sort(numbers, axis=-2)
    return torch.from_numpy(corners.reshape(*corners.shape[:-2], 4))


def corners(*shape):
    return arrays(np.float64, (*shape, 2, 2), elements=st.integers(0, 12).map(float))


def iou_by_hand(one, other):
    width = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    height = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    union = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)) - width * height
    return width * height / union if union else 0.0


def nms_by_hand(boxes, labels, threshold):
    kept = []
    for i, box in enumerate(boxes):
        if all(labels[j] != labels[i] or iou_by_hand(boxes[j], box) <= threshold for j in kept):
            kept.append(i)
    return [i in kept for i in range(len(boxes))]


@settings(deadline=None)
@given(corners(3, 5), corners(3, 4))
def test_iou_of_pairs(one, other):
    one, other = boxes_of(one), boxes_of(other)
    found = pairwise_iou(one, other)
    pictures = zip(one.tolist(), other.tolist(), strict=True)
    by_hand = [[[iou_by_hand(a, b) for b in some] for a in each] for each, some in pictures]
    np.testing.assert_allclose(found, by_hand, atol=1e-12)
    np.testing.assert_allclose(found[0], iou_of_arrays(one[0].numpy(), other[0].numpy()), atol=1e-12)


@given(corners(2, 12), arrays(np.int64, (2, 12), elements=st.integers(0, 2)), st.sampled_from([0.0, 0.2, 0.5, 0.9]))
def test_suppression_is_greedy(numbers, labels, threshold):
    boxes = boxes_of(numbers)
    kept = kept_by_nms(boxes, torch.from_numpy(labels), threshold)
    assert kept.tolist() == [
        nms_by_hand(*each, threshold) for each in zip(boxes.tolist(), labels.tolist(), strict=True)
    ]


def test_a_chain_is_settled_link_by_link():
    boxes = torch.tensor(
        [[[i * 4.0, 0, i * 4 + 10, 10] for i in range(9)]]
    )  # neighbours: 6 of 14, next but one: 2 of 18
    kept = kept_by_nms(boxes, torch.zeros(1, 9), 0.4)
    assert kept[0].tolist() == [True, False] * 4 + [True]


def test_giou_by_hand():
    one = torch.tensor([[0.0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 1, 1], [3, 3, 3, 3]])
    other = torch.tensor([[0.0, 0, 2, 2], [1, 1, 3, 3], [4, 0, 6, 2], [99, 0, 100, 1], [3, 3, 3, 3]])
    np.testing.assert_allclose(giou(one, other), [1, 1 / 7 - 2 / 9, -1 / 3, -0.98, 0], atol=1e-6)


@settings(deadline=None)
@given(corners(6), corners(6))
def test_giou_is_below_iou_and_of_finite_slope(one, other):
    one, other = boxes_of(one).requires_grad_(), boxes_of(other)
    found = giou(one, other)
    iou = pairwise_iou(one, other).diagonal()
    assert (found <= iou + 1e-12).all()
    assert (found >= -1 - 1e-12).all()
    found.sum().backward()
    assert one.grad.isfinite().all()


def test_gradient_of_giou():
    one = torch.tensor([[0.1, 0.2, 2.3, 2.1], [0.0, 0.3, 1.1, 1.2]], dtype=torch.float64, requires_grad=True)
    other = torch.tensor([[1.0, 1, 3, 3], [5, 4, 6, 7]], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda boxes: giou(boxes, other), one)


def test_distances_become_boxes_around_the_middle_of_cells():
    distances = torch.tensor([1.0, 2, 3, 4]).view(1, 4, 1, 1).expand(1, 4, 2, 3)
    boxes = decode(distances, 8)
    assert boxes[0, :, 0, 0].tolist() == [3, 2, 7, 8]
    assert boxes[0, :, 1, 2].tolist() == [19, 10, 23, 16]


@pytest.mark.parametrize("n", [0, 1])
def test_few_boxes(n):
    assert kept_by_nms(torch.ones(2, n, 4), torch.zeros(2, n), 0.5).tolist() == [[True] * n] * 2
