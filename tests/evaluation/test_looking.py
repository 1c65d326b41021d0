"""Pictures of what a network learned: filters, feature maps, augmentation."""

from __future__ import annotations

import base64
import io
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

import ganglion as gg
from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.evaluation.looking import plot_augmentation, plot_feature_maps, plot_filters

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (10, 16, 16, 3)).astype(np.uint8)
SVG = "{http://www.w3.org/2000/svg}"


def pictures(chart) -> list[np.ndarray]:
    """The pictures of a chart, as pixels."""
    uris = [each.attrib["href"].partition("base64,")[2] for each in ET.fromstring(chart.svg).iter(f"{SVG}image")]
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(uri)))) for uri in uris]


@pytest.fixture(scope="module")
def model():
    y = np.arange(10) % 2
    return gg.CNNClassifier(channels=(4, 8), hidden=(4,), epochs=1, random_state=0).fit(IMAGES, y)


def test_filters_are_the_weights_on_a_scale_of_their_own(model):
    weights = next(m for m in model.network_.modules() if isinstance(m, torch.nn.Conv2d)).weight.detach().numpy()
    shown = pictures(plot_filters(model))
    assert len(shown) == 4
    for filter_, picture in zip(weights, shown, strict=True):
        expected = 127.5 * (1 + filter_ / np.abs(filter_).max())
        np.testing.assert_allclose(picture.transpose(2, 0, 1), expected, atol=1)


def test_feature_maps_are_those_of_the_model(model, tmp_path):
    charts = plot_feature_maps(model, IMAGES[:3])
    assert list(charts) == ["image 0", "image 1", "image 2"]
    shown = pictures(charts["image 1"])
    first, second = model.feature_maps(IMAGES[:3])
    assert len(shown) == 1 + 4 + 8
    np.testing.assert_array_equal(shown[0], IMAGES[1])
    for k in range(4):
        own = first[1, k]
        np.testing.assert_allclose(shown[1 + k], 255 * (own - own.min()) / (np.ptp(own) or 1), atol=1)
    assert shown[5].shape == second.shape[2:]
    charts.save(tmp_path / "maps.html")
    assert "<script" not in (tmp_path / "maps.html").read_text("utf-8")


def test_the_sheet_holds_the_pictures_and_changed_ones():
    estimator = gg.CNNClassifier(augmentation="flip(horizontal=True)")
    before = torch.get_rng_state()
    first, again = (pictures(plot_augmentation(estimator, IMAGES, n=5, n_images=2)) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    assert len(first) == 2 * 6
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(first[0], IMAGES[0])
    np.testing.assert_array_equal(first[6], IMAGES[9])
    for each in first[1:6]:  # a flip gives the picture or its mirror image
        assert (each == IMAGES[0]).all() or (each == IMAGES[0][:, ::-1]).all()


def test_floats_are_shown_on_the_scale_of_the_images():
    grey = np.linspace(0, 1, 2 * 20 * 20, dtype=np.float32).reshape(2, 20, 20)
    shown = pictures(plot_augmentation(SimpleNamespace(augmentation="flip"), grey, n=3, n_images=2))
    np.testing.assert_allclose(shown[0], 255 * grey[0], atol=1)
    assert all((np.sort(each.ravel()) == np.sort(shown[0].ravel())).all() for each in shown[:4])


def test_no_augmentation_no_sheet():
    assert plot_augmentation(gg.CNNClassifier(augmentation="none"), IMAGES) is None
    assert plot_augmentation(gg.CNNClassifier(), IMAGES[:, :8, :8]) is None  # 'auto' spares small pictures
    assert "flip" in plot_augmentation(gg.CNNClassifier(), IMAGES).title


def test_the_report_shows_the_sheet_of_a_model_that_had_one(model):
    y = np.arange(10) % 2
    report = gg.evaluate(model, IMAGES, y, train=(IMAGES // 2, y), n_bootstrap=40, baselines=False)
    assert report.augmentation is not None
    assert report.plot()["augmentation"] is report.augmentation
    assert "<h2>Augmentation</h2>" in report.to_html()
    assert "augmentation" not in report.to_dict()


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: plot_filters(gg.CNNClassifier()), InvalidInput, "not fitted yet"),
        (lambda: plot_filters(gg.MLPClassifier(epochs=1).fit(np.eye(4), [0, 1, 0, 1])), InvalidInput, "no convolution"),
        (lambda: plot_feature_maps(gg.MLPClassifier(), IMAGES), InvalidInput, "has no feature_maps"),
        (lambda: plot_augmentation(gg.MLPClassifier(), IMAGES), InvalidInput, "no option augmentation"),
        (lambda: plot_augmentation(gg.CNNClassifier(), np.eye(4)), InvalidInput, "X holds no images"),
        (lambda: plot_augmentation(gg.CNNClassifier(), IMAGES, n=0), InvalidParameter, "n=0, n_images=4"),
    ],
)
def test_what_cannot_be_drawn_is_refused(call, error, match):
    with pytest.raises(error, match=match):
        call()
