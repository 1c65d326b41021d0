"""Augmentation: what it does to pictures, and that masks and boxes move along."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganglion.data.augmentation import AUGMENTATIONS, augmentation_by_name, usual
from ganglion.data.recolor import contrasted, posterized, recolored, rectangles, solarized, stretched
from ganglion.data.warps import moved
from ganglion.errors import InvalidInput, InvalidParameter

MOVES = ["flip", "flip(vertical=True)", "turn", "shift(by=0.3)", "rotate(degrees=20)", "affine(zoom=0.4, shift=0.1)"]


def photographs(n=6, channels=3, height=24, width=24, dtype=torch.uint8):
    return torch.randint(256, (n, channels, height, width), generator=torch.Generator().manual_seed(0)).to(dtype)


def bright_rectangles(n=40, side=48):
    """Return dark pictures with one bright rectangle each, the masks of these, and the boxes around them."""
    draw = torch.Generator().manual_seed(3)
    corner, size = torch.randint(4, 30, (n, 2), generator=draw), torch.randint(6, 14, (n, 2), generator=draw)
    boxes = torch.cat([corner, corner + size, torch.zeros(n, 1)], 1).float()[:, None]
    places = torch.arange(side) + 0.5
    inside = [(places > boxes[:, :, i]) & (places < boxes[:, :, i + 2]) for i in (0, 1)]
    masks = (inside[1][:, :, None] & inside[0][:, None, :]).to(torch.uint8)
    return 200 * masks[:, None], masks, boxes


@pytest.mark.parametrize("name", MOVES)
def test_boxes_stay_around_what_they_were_around(name):
    image, _, boxes = bright_rectangles()
    torch.manual_seed(0)
    after = augmentation_by_name(name)({"image": image, "target": boxes})
    axis_parallel = not name.startswith(("rotate", "affine"))
    seen = 0
    for picture, box in zip(after["image"], after["target"], strict=True):
        left, top, right, bottom, code = box[0].tolist()
        y, x = np.nonzero(picture[0].numpy() > 100)
        if code < 0 or min(left, top) <= 0 or max(right, bottom) >= 48:
            continue  # cut at the edge
        found = (x.min(), y.min(), x.max() + 1, y.max() + 1)
        slack = 0 if axis_parallel else 2
        assert np.abs(np.subtract(found, (left, top, right, bottom))).max() <= slack + 1e-4
        seen += 1
    assert seen > 15
    assert not torch.equal(after["target"], boxes)


@pytest.mark.parametrize("name", [*MOVES, "elastic(pixels=3)", "crop(size=32)"])
def test_masks_move_with_their_pictures(name):
    image, masks, _ = bright_rectangles()
    torch.manual_seed(0)
    after = augmentation_by_name(name)({"image": image, "target": masks})
    agree = ((after["image"][:, 0] > 100) == (after["target"] > 0)).float().mean()
    assert agree > 0.995
    assert after["target"].dtype == torch.uint8
    assert after["target"].shape == after["image"][:, 0].shape


@pytest.mark.parametrize("name", sorted(AUGMENTATIONS))
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_every_change_gives_finite_pictures_of_the_same_shape(name, dtype, channels):
    image = photographs(channels=channels, dtype=dtype)
    before = image.clone()
    after = augmentation_by_name(name)({"image": image, "target": torch.arange(6)})["image"]
    assert after.shape == image.shape
    assert after.isfinite().all()
    assert torch.equal(image, before)  # what was given stays as it was
    if dtype == torch.uint8:
        assert after.min() >= 0
        assert after.max() <= 255


def test_the_same_seed_gives_the_same_pictures():
    change = augmentation_by_name("flip + shift + randaugment + cutmix(chance=1)")
    batches = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        batches.append(change({"image": photographs(), "target": torch.arange(6)})["image"])
    assert torch.equal(batches[0], batches[1])
    assert not torch.equal(batches[0], batches[2])


def test_flip_mirrors_about_half():
    image = photographs(400, 1, 4, 4)
    after = augmentation_by_name("flip")({"image": image})["image"]
    mirrored, same = ((after == each).flatten(1).all(1) for each in (image.flip(-1), image))
    assert (mirrored | same).all()
    assert 150 < mirrored.sum() < 250


def test_shift_shows_the_picture_moved_by_whole_pixels_and_its_mirror_image_beyond():
    ramp = torch.arange(16.0).expand(1, 1, 16, 16)
    torch.manual_seed(4)
    row = augmentation_by_name("shift(by=0.25)")({"image": ramp})["image"][0, 0, 0].tolist()
    by = [k for k in range(-4, 5) if row == [min(abs(i), 30 - abs(i)) for i in range(k, 16 + k)]]
    assert len(by) == 1


def test_a_turn_by_ninety_degrees_is_the_transposed_mirror_image():
    image = photographs(2, 3, 9, 9, torch.float32)
    after = moved({"image": image}, angles=torch.full((2,), math.pi / 2))["image"]
    torch.testing.assert_close(after, image.transpose(2, 3).flip(3), atol=0.02, rtol=0)


def test_a_move_by_whole_pixels_is_exact():
    image = photographs(1, 1, 8, 8, torch.float32)
    after = moved({"image": image}, moves=torch.tensor([[2.0, -1.0]]))["image"]
    torch.testing.assert_close(after[..., :7, 2:], image[..., 1:, :6], atol=0.01, rtol=0)


def test_what_leaves_the_picture_is_no_object_any_more():
    boxes = torch.tensor([[[0.0, 0, 4, 4, 1], [10, 10, 20, 20, 2], [0, 0, 0, 0, -1]]])
    after = moved({"image": photographs(1, 3, 32, 32), "target": boxes}, moves=torch.tensor([[-6.0, -6.0]]))["target"]
    assert after[0, :, 4].tolist() == [-1, 2, -1]
    assert after[0, 1, :4].tolist() == [4, 4, 14, 14]


def test_mixup_averages_pictures_and_says_how():
    image = photographs(8, 1, 4, 4, torch.float32)
    torch.manual_seed(0)
    after = augmentation_by_name("mixup(alpha=1)")({"image": image, "target": torch.arange(8)})
    share = after["share"][:, None, None, None]
    expected = share * image + (1 - share) * image[after["other_target"]]
    torch.testing.assert_close(after["image"], expected)
    assert torch.equal(after["target"], torch.arange(8))


def test_cutmix_counts_targets_by_their_pixels():
    levels = torch.arange(8.0).view(8, 1, 1, 1).expand(8, 1, 16, 16)
    torch.manual_seed(0)
    after = augmentation_by_name("cutmix(chance=1)")({"image": levels, "target": torch.arange(8)})
    own = (after["image"] == levels).float().mean((1, 2, 3))
    others = after["other_target"] != after["target"]
    torch.testing.assert_close(after["share"][others], own[others])


def test_colours_by_their_equations():
    image = photographs(dtype=torch.float32)
    same, none = torch.ones(6), torch.zeros(6)
    torch.testing.assert_close(recolored(image, same, none), image, atol=0.02, rtol=0)
    grey = recolored(image, none, none)
    luma = (image * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(1)
    torch.testing.assert_close(grey[:, 1], luma, atol=0.05, rtol=0)
    flat = contrasted(image, torch.zeros(6, 1, 1, 1))
    torch.testing.assert_close(flat, image.mean((1, 2, 3), keepdim=True).expand_as(image))
    assert posterized(image, 4)[0].unique().numel() == 4
    assert stretched(image).amin((2, 3)).eq(image.amin((1, 2, 3))[:, None]).all()
    dark = solarized(image, 0.5)
    assert (dark.amax((1, 2, 3)) <= (image.amin((1, 2, 3)) + image.amax((1, 2, 3))) / 2).all()
    assert torch.equal(dark[image < 100], image[image < 100])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_rectangles_cover_at_most_about_their_share(shares):
    covered = rectangles(torch.tensor(shares), 40, 40).float().mean((1, 2))
    assert (covered <= torch.tensor(shares) + 0.06).all()


def test_texts_name_changes_and_come_back():
    chain = augmentation_by_name("flip(vertical=True) + Shift(0.2)+erase")
    assert str(chain) == "flip(vertical=True) + shift(by=0.2) + erase"
    assert augmentation_by_name(str(chain)) == chain
    assert augmentation_by_name("none") is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("flop", "no augmentation is called 'flop'. Did you mean 'flip'"),
        ("shift(by=2)", r"shift\(by=2\)"),
        ("shift(to=2)", "to"),
        ("flip + ", "give a name"),
        ("mixup + cutmix", "one of them"),
        (3, "give a text such as"),
        ("flip(__import__('os'))", "give a name"),
    ],
)
def test_what_is_no_augmentation_is_refused(given, message):
    with pytest.raises(InvalidParameter, match=message):
        augmentation_by_name(given)


def test_a_turn_needs_square_pictures():
    with pytest.raises(InvalidInput, match="24 × 30"):
        augmentation_by_name("turn")({"image": photographs(width=30)})


def test_usual_changes():
    assert usual((1, 8, 8)) is None
    assert str(usual((3, 32, 32))) == "flip + shift"
    assert str(usual((1, 28, 28))) == "shift(by=0.08)"
