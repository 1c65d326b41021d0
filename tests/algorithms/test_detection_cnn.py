"""Detection: its equations beside slow twins, and objects found in made pictures."""

import math

import numpy as np
import pytest
import torch

import ganglion as gg
from ganglion.algorithms.detection_cnn import box_loss, cell_weights, gaussians, heat_loss, heat_of
from ganglion.data.dataset import Dataset, Field
from ganglion.data.ragged import Ragged
from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.estimators.objects import BoxTarget
from ganglion.networks.detector import SurestBoxes

# two objects of class 0, one of class 1, padding; and a picture without any
OBJECTS = torch.tensor(
    [
        [[2, 2, 18, 14], [10, 8, 30, 28], [20, 4, 26, 8], [0, 0, 0, 0]],
        [[0, 0, 0, 0]] * 4,
    ],
    dtype=torch.float64,
)
OBJECTS = torch.cat([OBJECTS, torch.tensor([[0.0, 0, 1, -1], [-1] * 4]).double()[..., None]], -1)
STRIDE, SIDES = 4, (7, 8)


def scene(n, seed, side=48):
    """Return noisy pictures of up to three squares, and their boxes: "dark" and "light" ones."""
    rng = np.random.default_rng(seed)
    images, objects = rng.normal(0, 0.2, (n, side, side)), []
    for image in images:
        boxes, labels = [], []
        for light in rng.integers(0, 2, rng.integers(0, 4)):
            size = rng.integers(8, 16)
            top, left = rng.integers(0, side - size, 2)
            image[top : top + size, left : left + size] = 2 * light - 1
            boxes.append([left, top, left + size, top + size])
            labels.append("light" if light else "dark")
        objects.append({"boxes": boxes, "labels": labels})
    return images.astype(np.float32), objects


@pytest.fixture(scope="module")
def model():
    return gg.DetectionCNN(channels=8, epochs=15, threads=1, random_state=0).fit(*scene(128, 0))


# the equations


def heat_by_hand(objects, n_classes):
    heat = np.zeros((n_classes, *SIDES))
    for left, top, right, bottom, code in objects.tolist():
        if code < 0:
            continue
        column, row = math.floor((left + right) / 2 / STRIDE), math.floor((top + bottom) / 2 / STRIDE)
        for y in range(SIDES[0]):
            for x in range(SIDES[1]):
                sigma_x, sigma_y = 0.54 * (right - left) / STRIDE / 6, 0.54 * (bottom - top) / STRIDE / 6
                g = math.exp(-((x - column) ** 2) / (2 * sigma_x**2) - (y - row) ** 2 / (2 * sigma_y**2))
                heat[int(code), y, x] = max(heat[int(code), y, x], g)
    return heat


def test_the_heat_map_is_that_of_the_double_loop():
    heat = heat_of(gaussians(OBJECTS, STRIDE, SIDES), OBJECTS[..., 4], 2)
    np.testing.assert_allclose(heat, [heat_by_hand(each, 2) for each in OBJECTS], atol=1e-12)
    assert (heat == 1).sum().item() == 3  # one cell an object


def test_a_middle_beyond_the_last_cell_is_in_it():
    edge = torch.tensor([[[28.0, 24, 36, 32, 0]]])
    assert gaussians(edge, STRIDE, SIDES)[0, 0, -1, -1] == 1


def test_the_heat_loss_is_that_of_the_paper():
    heat = heat_of(gaussians(OBJECTS, STRIDE, SIDES), OBJECTS[..., 4], 2)
    logits = torch.randn(heat.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = np.zeros(2)
    for index in np.ndindex(*heat.shape):
        y, h = heat[index].item(), 1 / (1 + math.exp(-logits[index].item()))
        expected[index[0]] -= (1 - h) ** 2 * math.log(h) if y == 1 else (1 - y) ** 4 * h**2 * math.log(1 - h)
    np.testing.assert_allclose(heat_loss(logits, heat), expected, rtol=1e-10)


def test_cells_of_an_object_weigh_one_together_and_belong_to_the_smallest():
    near = gaussians(OBJECTS, STRIDE, SIDES)
    chosen, weight = cell_weights(OBJECTS, near, STRIDE)
    sums = [weight[0][chosen[0] == i].sum().item() for i in range(4)]
    np.testing.assert_allclose(sums, [1, 1, 1, 0])
    assert weight[1].sum() == 0
    nested = torch.tensor([[[0.0, 0, 28, 28, 0], [8, 8, 20, 20, 0]]])
    chosen, weight = cell_weights(nested, gaussians(nested, STRIDE, SIDES), STRIDE)
    assert chosen.view(SIDES)[3, 3] == 1  # the middle of both
    assert (weight.view(SIDES)[3, [2, 4]] > 0).all()


def test_the_box_loss_of_the_true_boxes_is_zero_and_of_others_what_giou_says():
    near = gaussians(OBJECTS, STRIDE, SIDES)
    chosen, _ = cell_weights(OBJECTS, near, STRIDE)
    true = OBJECTS[..., :4].gather(1, chosen[..., None].expand(-1, -1, 4)).transpose(1, 2).reshape(2, 4, *SIDES)
    np.testing.assert_allclose(box_loss(true, OBJECTS, near, STRIDE), 0, atol=1e-12)
    halves = true.clone()
    halves[:, 2] = (true[:, 0] + true[:, 2]) / 2  # IoU 1/2, and no smaller box around both
    np.testing.assert_allclose(box_loss(halves, OBJECTS, near, STRIDE), [1.5, 0], atol=1e-12)


def test_padding_and_a_picture_without_objects_change_nothing():
    model = gg.DetectionCNN()
    model.target_ = BoxTarget(np.array(["a", "b"]), 3.0)
    maps = torch.randn(2, 6, *SIDES, dtype=torch.float64, requires_grad=True)
    loss = model._per_sample_loss()
    few = loss(maps, OBJECTS[:, :3])
    np.testing.assert_allclose(few.detach(), loss(maps, OBJECTS).detach(), rtol=1e-12)
    few.sum().backward()
    assert maps.grad.isfinite().all()
    assert maps.grad[1, 2:].abs().sum() == 0  # of no object there is no box


def test_the_surest_centres_are_peaks():
    heat = torch.full((1, 2, 5, 6), -9.0)
    heat[0, 0, 1, 1], heat[0, 0, 1, 2], heat[0, 1, 4, 5] = 3.0, 2.0, 1.0  # the second is the slope of the first
    boxes = torch.arange(4 * 30.0).view(1, 4, 5, 6)
    rows = SurestBoxes(2, 300)(torch.cat([heat, boxes], 1))
    assert rows.shape == (1, 60, 6)
    np.testing.assert_allclose(rows[0, 0], [7, 37, 67, 97, 1 / (1 + math.exp(-3)), 0], rtol=1e-6)
    np.testing.assert_allclose(rows[0, 1], [29, 59, 89, 119, 1 / (1 + math.exp(-1)), 1], rtol=1e-6)
    assert (rows[0, 2:, 4] < 0.001).all()


# what is found


def test_squares_are_found(model):
    X, y = scene(60, 1)
    assert model.score(X, y) > 0.9
    assert model.classes_.tolist() == ["dark", "light"]
    for said in model.predict(X):
        assert (np.diff(said.scores) <= 0).all()
        assert ((said.boxes >= 0) & (said.boxes <= 48)).all()
        assert (said.boxes[:, 2:] > said.boxes[:, :2]).all()
        assert set(said.labels.tolist()) <= {"dark", "light"}


def test_pictures_of_another_size_are_answered(model):
    image = np.zeros((1, 61, 83), dtype=np.float32)
    image[0, 40:52, 65:77] = 1
    (said,) = model.predict(image)
    assert said.labels[0] == "light"
    np.testing.assert_allclose(said.boxes[0], [65, 40, 77, 52], atol=3)
    assert model.heat_maps(image).shape == (1, 2, 16, 21)


def test_what_is_answered_may_be_changed_after_training(model):
    X, _ = scene(30, 2)
    plain = model.predict(X)
    changed = gg.DetectionCNN(**model.get_params())
    changed.__dict__ |= {name: value for name, value in vars(model).items() if name.endswith("_")}
    sure = changed.set_params(score_threshold=0.5).predict(X)
    assert [len(each) for each in sure] == [(each.scores > 0.5).sum() for each in plain]
    one = changed.set_params(score_threshold=0.05, max_detections=1).predict(X)
    assert [each.scores.tolist() for each in one] == [each.scores[:1].tolist() for each in plain]
    changed.set_params(score_threshold=0.0, max_detections=300)
    many, few = (sum(map(len, changed.set_params(nms_iou=limit).predict(X))) for limit in (1.0, 0.1))
    assert many > 1.2 * few


def test_a_weight_in_the_score_counts_pictures(model):
    X, y = scene(20, 3)
    weight = np.arange(20) % 3
    repeated = np.repeat(np.arange(20), weight)
    expected = model.score(X[repeated], [y[i] for i in repeated])
    assert model.score(X, y, sample_weight=weight) == pytest.approx(expected)


def test_files_keep_the_answers(model, tmp_path):
    X, y = scene(10, 4)
    model.save(tmp_path / "model.ganglion")
    loaded = gg.load(tmp_path / "model.ganglion")
    for one, other in zip(loaded.predict(X), model.predict(X), strict=True):
        assert one.to_dict() == other.to_dict()
    assert loaded.score(X, y) == model.score(X, y)


def test_a_data_set_brings_its_boxes():
    X, y = scene(24, 5)
    rows = [[*box, label == "light"] for each in y for box, label in zip(each["boxes"], each["labels"], strict=True)]
    offsets = torch.tensor(np.cumsum([0, *(len(each["boxes"]) for each in y)]))
    fields = [Field("picture", "image", (1, 48, 48)), Field("objects", "boxes", categories=("dark", "light"))]
    columns = {"picture": torch.from_numpy(X[:, None]), "objects": Ragged(torch.tensor(rows).float(), offsets)}
    data = Dataset(fields, columns, target=["objects"])
    assert gg.select(data).name == "DetectionCNN"
    one, other = (
        gg.DetectionCNN(channels=4, epochs=2, threads=1, random_state=0).fit(*given) for given in ((data,), (X, y))
    )
    np.testing.assert_array_equal(one.heat_maps(X), other.heat_maps(X))


def test_held_out_pictures_and_augmentation():
    X, y = scene(48, 6)
    settings = {"channels": 4, "epochs": 3, "threads": 1, "random_state": 0}
    change = "flip(vertical=True) + affine(degrees=0, zoom=0.3) + color"
    model = gg.DetectionCNN(**settings, augmentation=change).fit(X, y, validation=scene(16, 7))
    rows = model.history_.rows
    assert all(row["validation_loss"] > 0 for row in rows)
    assert rows[-1]["loss"] < rows[0]["loss"]
    split = gg.DetectionCNN(**settings, validation_fraction=0.25).fit(X, y)
    assert "validation_loss" in split.history_.rows[0]
    with pytest.raises(InvalidParameter, match="elastic bends boxes"):
        gg.DetectionCNN(augmentation="elastic").fit(X, y)


def test_numbers_as_classes_and_one_class_alone():
    X, y = scene(24, 8)
    counted = [{"boxes": each["boxes"], "labels": np.full(len(each["boxes"]), 7, dtype=np.uint8)} for each in y]
    model = gg.DetectionCNN(channels=4, epochs=2, threads=1, score_threshold=0.0, random_state=0).fit(X, counted)
    assert model.classes_.tolist() == [7]
    assert {label for each in model.predict(X) for label in each.labels.tolist()} == {7}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"channels": 0}, "channels"),
        ({"depth": 9}, "depth"),
        ({"stride": 6}, "stride"),
        ({"activation": "reul"}, "Did you mean 'relu'"),
        ({"score_threshold": 1.0}, "score_threshold"),
        ({"nms_iou": 0}, "nms_iou"),
        ({"max_detections": 301}, "max_detections"),
        ({"augmentation": "crop"}, "crop"),
        ({"augmentation": "mixup"}, "mixup"),
    ],
)
def test_options_outside_their_limits_are_refused(options, words):
    with pytest.raises(InvalidParameter, match=words):
        gg.DetectionCNN(**options).fit(*scene(4, 0))


def test_what_does_not_fit_is_refused(model):
    X, y = scene(4, 9)
    with pytest.raises(InvalidInput, match="reads images"):
        gg.DetectionCNN().fit(np.zeros((4, 3)), y)
    with pytest.raises(InvalidInput, match="no object in any picture"):
        model.score(X, [{"boxes": [], "labels": []}] * 4)
    others = [{"boxes": [[1, 1, 9, 9]], "labels": ["grey"]}] * 4
    with pytest.raises(InvalidInput, match=r"picture 0 holds objects of the classes \['grey'\]"):
        gg.DetectionCNN(channels=4, epochs=1).fit(X, y, validation=(X, others))
