"""One picture of every kind, and files that are none."""

import io

import numpy as np
import pytest
from PIL import Image
from tests.data.pictures import noise, png_claiming, raw

from ganglion.data.image_files import Form, Unreadable, decode, fit_picture, look, pillow_warnings
from ganglion.data.resizing import Reading, common_size, place
from ganglion.errors import InvalidParameter


def form(channels=3, size=(12, 16), resize="stretch", is_deep=False):
    return Form(channels, size, resize, is_deep)


def decoded(content, **options):
    return decode(io.BytesIO(content), form(**options))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP"])
def test_lossless_colour_keeps_every_pixel(kind):
    pixels, size = decoded(raw(kind=kind, **({"lossless": True} if kind == "WEBP" else {})))
    np.testing.assert_array_equal(pixels, np.asarray(noise()).transpose(2, 0, 1))
    assert (pixels.dtype, size) == (np.uint8, (12, 16))


def test_jpeg_is_near():
    gradient = np.broadcast_to(np.arange(0, 160, 10, dtype=np.uint8)[:, None], (12, 16, 3))
    pixels, _ = decoded(raw(Image.fromarray(np.ascontiguousarray(gradient)), "JPEG", quality=95))
    assert np.abs(pixels.transpose(1, 2, 0).astype(int) - gradient).max() <= 4


def test_gif_gives_its_first_frame():
    frames = [Image.new("RGB", (16, 12), colour) for colour in ("red", "blue")]
    pixels, _ = decoded(raw(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert pixels[:, 5, 5].tolist() == [255, 0, 0]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_keep_their_fractions(kind):
    values = (np.arange(192).reshape(12, 16) * 300).astype(np.uint16)
    content = raw(Image.fromarray(values), kind)
    assert look(io.BytesIO(content)).is_deep
    pixels, _ = decoded(content, channels=1, is_deep=True)
    np.testing.assert_allclose(pixels[0], values / 257.0, rtol=1e-6)
    assert pixels.dtype == np.float32


def test_floats_are_kept_and_nan_is_refused():
    values = np.linspace(-1, 1, 192, dtype=np.float32).reshape(12, 16)
    np.testing.assert_array_equal(decoded(raw(Image.fromarray(values), "TIFF"), is_deep=True)[0], [values] * 3)
    values[3, 3] = np.nan
    with pytest.raises(Unreadable, match="holds NaN or infinity"):
        decoded(raw(Image.fromarray(values), "TIFF"), is_deep=True)


def test_alpha_is_laid_on_white():
    image = Image.new("RGBA", (16, 12), (100, 0, 200, 51))  # a fifth
    assert decoded(raw(image))[0][:, 0, 0].tolist() == [224, 204, 244]
    grey = Image.new("LA", (16, 12), (100, 0))
    assert decoded(raw(grey), channels=1)[0][:, 0, 0].tolist() == [255]
    assert look(io.BytesIO(raw(grey))).channels == 1
    palette = Image.new("P", (16, 12), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    assert decoded(raw(palette))[0][:, 0, 0].tolist() == [10, 20, 30]
    assert decoded(raw(palette, transparency=1))[0][:, 0, 0].tolist() == [255, 255, 255]


def test_cmyk_and_black_and_white():
    pixels, _ = decoded(raw(Image.new("CMYK", (16, 12), (0, 255, 255, 0)), "TIFF"))
    assert pixels[:, 0, 0].tolist() == [255, 0, 0]
    assert decoded(raw(Image.new("1", (16, 12), 1)), channels=1)[0].min() == 255


def test_grey_and_colour_become_each_other():
    grey = raw(Image.new("L", (16, 12), 90))
    assert decoded(grey)[0][:, 0, 0].tolist() == [90, 90, 90]
    assert decoded(raw(Image.new("RGB", (16, 12), (0, 255, 0))), channels=1)[0][0, 0, 0] == 150  # 0.587 × 255


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("size", [(16, 12), (8, 6), (4, 3)])
def test_a_turned_camera_is_turned_back(kind, size):
    image = Image.new("RGB", (160, 120), "black")
    image.paste("white", (0, 0, 80, 120))  # the left half
    exif = Image.Exif()
    exif[0x0112] = 6  # to be seen, turn it to the right: the left becomes the top
    content = raw(image, kind, exif=exif)
    assert look(io.BytesIO(content)).size == (160, 120)
    pixels, original = decoded(content, size=size)
    assert original == (160, 120)
    assert pixels[:, 0].min() > 245
    assert pixels[:, -1].max() < 10


def test_shrinking_averages():
    checks = np.indices((64, 64)).sum(0) % 2 * np.uint8(255)
    for kind in ("PNG", "JPEG"):
        pixels, _ = decoded(raw(Image.fromarray(checks.astype(np.uint8)), kind), channels=1, size=(4, 4))
        assert np.abs(pixels.astype(int) - 128).max() <= 8


@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
def test_resizing_is_pillows_to_one_level(resize):
    rng = np.random.default_rng(0)
    for height, width in ((5, 90), (40, 31), (150, 260), (1, 7)):
        given = Image.fromarray(rng.integers(0, 256, (height, width), dtype=np.uint8))
        at = place((height, width), (12, 16), resize)
        whole = given.resize(at.shown[::-1], Image.Resampling.BILINEAR, box=at.box, reducing_gap=2.0)
        (own,) = fit_picture(given, form(1, resize=resize))
        (top, left), (h, w) = at.corner, at.shown
        # which side Pillow takes first, and so how it rounds, depends on its version
        assert np.abs(own[top : top + h, left : left + w].astype(int) - np.asarray(whole)).max() <= 1


@pytest.mark.parametrize(
    ("resize", "left", "middle", "right"),
    [("stretch", 255, 128, 0), ("crop", 255, 128, 0), ("pad", 255, 128, 0)],
)
def test_the_policies_keep_the_middle(resize, left, middle, right):
    image = np.zeros((40, 80), dtype=np.uint8)
    image[:, :40] = 255
    pixels, _ = decoded(raw(Image.fromarray(image)), channels=1, size=(20, 20), resize=resize)
    assert pixels[0, 10, 0] == left
    assert pixels[0, 10, 19] == right
    top = pixels[0, 0]
    assert top.max() == (0 if resize == "pad" else left)  # 5 black rows above the picture
    assert (pixels[0, 5:15] == pixels[0, 10]).all()
    assert abs(int(pixels[0, 10, 9:11].astype(int).mean()) - middle) <= 1


def test_boxes_go_with_the_picture():
    box = np.array([[20.0, 10.0, 60.0, 30.0]])
    expected = {"stretch": [5, 5, 15, 15], "crop": [0, 5, 20, 15], "pad": [5, 7.5, 15, 12.5]}
    for resize, moved in expected.items():
        placement = place((40, 80), (20, 20), resize)
        assert placement.moved(box).tolist() == [moved], resize
        np.testing.assert_allclose(placement.moved_back(placement.moved(box)), box, rtol=1e-6)
    assert place((40, 80), (20, 20), "crop").moved(np.array([[0.0, 0, 10, 40]]))[0, 2] == 0  # cut off


def test_size_of_a_set():
    assert common_size(np.array([[480, 640]] * 3)) == (480, 640)
    assert common_size(np.array([[3024, 4032]] * 3)) == (96, 128)
    assert common_size(np.array([[300, 400], [600, 800], [600, 800]])) == (96, 128)
    assert common_size(np.array([[30, 40], [32, 40], [34, 40]])) == (32, 40)
    assert common_size(np.array([[1, 5000], [1, 5001]])) == (1, 128)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": (0, 5)}, r"size=\(0, 5\): give \(height, width\)"),
        ({"size": 5}, "size=5"),
        ({"size": (2.0, 5)}, "size"),
        ({"resize": "shrink"}, "resize='shrink': allowed are 'stretch', 'crop', 'pad'"),
        ({"channels": 4}, "channels=4: give 1"),
        ({"corrupt": "ignore"}, "corrupt='ignore'"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(InvalidParameter, match=message):
        Reading(**options)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no picture that Pillow knows"),
        (b"hello, this is text", "is no picture that Pillow knows"),
        (raw()[:200], "cut or damaged"),
        (raw(kind="JPEG")[:400], "cut or damaged"),
        (png_claiming(10_000, 10_000), "decompression bomb"),  # between Pillow's limit and twice as much
        (png_claiming(60_000, 60_000), "decompression bomb"),
        (png_claiming(0, 5), "0 pixels|cut or damaged|no picture"),
    ],
    ids=["empty", "text", "PNG cut", "JPEG cut", "bomb", "huge bomb", "no pixel"],
)
def test_what_is_no_picture(content, message):
    with pytest.raises(Unreadable, match=message), pillow_warnings():
        decoded(content)


def test_any_damage_is_unreadable_or_a_picture():
    rng = np.random.default_rng(0)
    for kind in ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF"):
        whole = bytearray(raw(kind=kind))
        for _ in range(150):
            damaged = whole[:]
            for place_ in rng.integers(0, len(whole), 4).tolist():
                damaged[place_] = rng.integers(0, 256)
            try:
                with pillow_warnings():
                    pixels, _ = decoded(bytes(damaged))
            except Unreadable:
                continue
            assert pixels.shape == (3, 12, 16)
