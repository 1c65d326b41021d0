"""One picture from a file, by way of Pillow: JPEG, PNG, WebP, TIFF, BMP, and the first frame of a GIF.

    in the file                        becomes
    grey, black and white              1 channel, 0 to 255
    colour, palette, CMYK              3 channels, red, green, blue
    16 bits a pixel (grey)             float32, divided by 257: 0 to 255 too, with the fractions kept
    numbers of 32 bits (TIFF)          float32, as they are
    alpha (transparency)               laid on white, as a page shows it
    a note that the camera was turned  turned back (EXIF)

Colour of 16 bits is read with 8: Pillow knows no more. Shrinking averages over the pixels that fall together.
"""

from __future__ import annotations

import contextlib
import math
import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from ganglion.data.resizing import Reading, Resize, Size, common_size, place
from ganglion.errors import GanglionError, missing_extra

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (".jpg", ".jpeg", ".jfif", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif")
KINDS = "JPEG, PNG, WebP, TIFF, BMP and GIF"
_SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I;16N")
GAP = 2.0  # how many times the result's size a picture is left with by the mean of whole blocks, at least
_NUMBERS = (*_SIXTEEN_BITS, "I", "F")
_GREY = ("1", "L", "LA", "La", *_NUMBERS)
_TURNED = (5, 6, 7, 8)  # values of EXIF's orientation that swap height and width
_ORIENTATION = 0x0112
# whatever a damaged file makes Pillow raise
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, ArithmeticError, LookupError, TypeError, RuntimeError)


class Unreadable(GanglionError):
    """A file that is no whole picture; the message says why, in words that follow the file's name."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the head of a file says: its size (height, width), its channels, whether its numbers exceed 8 bits."""

    size: Size
    channels: int
    is_deep: bool


@dataclass(frozen=True, slots=True)
class Form:
    """What every picture of a set becomes: channels, size (height, width), policy, and float32 or uint8."""

    channels: int
    size: Size
    resize: Resize
    is_deep: bool

    @property
    def dtype(self) -> np.dtype:
        """The type of the pixels."""
        return np.dtype(np.float32 if self.is_deep else np.uint8)

    @property
    def n_bytes(self) -> int:
        """The bytes of one picture."""
        return self.channels * self.size[0] * self.size[1] * self.dtype.itemsize


def is_picture(file: str) -> bool:
    """Say whether a file is a picture, by its name."""
    return file.lower().endswith(SUFFIXES)


def choose_form(seen: list[Seen], reading: Reading) -> Form:
    """Return the form that suits all pictures of a set, where `reading` leaves it open."""
    size = reading.size or common_size(np.array([each.size for each in seen]))
    channels = reading.channels or max(each.channels for each in seen)
    return Form(channels, (size[0], size[1]), reading.resize, any(each.is_deep for each in seen))


@contextlib.contextmanager
def pillow_warnings() -> Iterator[None]:
    """Make a decompression bomb an error, and leave out what else Pillow would say of damaged files; not in threads."""
    bomb = load_pillow("Reading pictures").DecompressionBombWarning
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", bomb)
        yield


def look(stream: IO[bytes]) -> Seen:
    """Return what the head of a picture file says; raises Unreadable."""
    with opened(stream) as image:
        return seen_of(image)


def seen_of(image: Image.Image) -> Seen:
    """Return the size, channels and depth of an opened picture; raises Unreadable if it has no pixel."""
    size = _size(image)
    if 0 in size:
        raise Unreadable(f"has {size[0]} × {size[1]} pixels")
    return Seen(size, 1 if image.mode in _GREY else 3, image.mode in _NUMBERS)


def decode(stream: IO[bytes], form: Form) -> tuple[np.ndarray, Size]:
    """Read a picture.

    Parameters
    ----------
    stream : binary file
    form : Form
        What it is to become.

    Returns
    -------
    pixels : ndarray of shape (channels, height, width)
    size : (height, width)
        Of the original, turned as it is seen.

    Raises
    ------
    Unreadable
        If the file is no picture, is cut, or holds a value that is no number.
    """
    with opened(stream) as image:
        seen_of(image)
        image.load()  # whole: JPEG at 1/2 or less would be other pixels than all other programs decode
        return fit_picture(image, form), _size(image)  # a note at the end of the file may have turned it


def fit_picture(image: Image.Image, form: Form) -> np.ndarray:
    """Return the pixels of an opened picture, turned as it is seen, flattened and resized.

    Parameters
    ----------
    image : PIL.Image.Image
    form : Form

    Returns
    -------
    ndarray of shape (channels, height, width)
    """
    from PIL import ImageOps

    image = _plain(ImageOps.exif_transpose(image), form.channels)
    placement = place((image.height, image.width), form.size, form.resize)
    height, width = placement.shown
    left, top, right, bottom = placement.box
    box = left, top, min(right, image.width), min(bottom, image.height)
    if image.size != (width, height) or box != (0, 0, width, height):
        image = _resized(image, (width, height), box)
    pixels = np.asarray(image)
    pixels = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    if form.is_deep and not np.isfinite(pixels).all():
        raise Unreadable("holds NaN or infinity")
    top, left = placement.corner
    result = np.zeros((form.channels, *form.size), dtype=form.dtype)
    result[:, top : top + height, left : left + width] = pixels  # one deep channel may become three
    return result


def _resized(image: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float]) -> Image.Image:
    """Return a part of a picture in another size, (width, height): Pillow's resize(…, BILINEAR, box, reducing_gap=2).

    One side after the other: which comes first in one call depends on Pillow's version, and rounding on that.
    """
    from PIL import Image

    (width, height), (left, top, right, bottom) = size, box
    across, down = (right - left) / width, (bottom - top) / height
    x, y = max(1, int(across / GAP)), max(1, int(down / GAP))
    if x > 1 or y > 1:
        first = max(0, int(left - across / 2)), max(0, int(top - down / 2))
        last = min(image.width, math.ceil(right + across / 2)), min(image.height, math.ceil(bottom + down / 2))
        image = image.reduce((x, y), (*first, *last))
        left, right = (left - first[0]) / x, (right - first[0]) / x
        top, bottom = (top - first[1]) / y, (bottom - first[1]) / y
    image = image.resize((width, image.height), Image.Resampling.BILINEAR, (left, 0, right, image.height))
    return image.resize(size, Image.Resampling.BILINEAR, (0, top, width, bottom))


def load_pillow(purpose: str) -> Any:
    """Return the module `PIL.Image`; raises MissingExtra if it is not installed."""
    try:
        from PIL import Image
    except ImportError as error:
        raise missing_extra("pillow", "image", purpose) from error
    return Image


@contextlib.contextmanager
def opened(stream: IO[bytes]) -> Iterator[Image.Image]:
    """Open a picture, and say of whatever goes wrong with it that it cannot be read."""
    pillow = load_pillow("Reading pictures")
    from PIL import UnidentifiedImageError

    try:
        with pillow.open(stream) as image:
            yield image
    except (pillow.DecompressionBombError, pillow.DecompressionBombWarning) as error:
        raise Unreadable(
            f"claims more pixels than Pillow's limit of {pillow.MAX_IMAGE_PIXELS:,}, as a decompression bomb does; if "
            "you trust it, set PIL.Image.MAX_IMAGE_PIXELS"
        ) from error
    except UnidentifiedImageError as error:
        raise Unreadable(f"is no picture that Pillow knows ({KINDS})") from error
    except (*_DAMAGE, struct.error, zlib.error) as error:
        raise Unreadable(f"is cut or damaged ({str(error) or type(error).__name__:.100})") from error


def _size(image: Image.Image) -> Size:
    """Return height and width as the picture is seen, without decoding it."""
    told = image.format == "TIFF"  # Pillow gives its final size from the start
    unknown = image.format == "PNG" and "exif" not in image.info  # it would be decoded to look for a note at its end
    turned = not (told or unknown) and image.getexif().get(_ORIENTATION) in _TURNED
    return (image.width, image.height) if turned else (image.height, image.width)


def _plain(image: Image.Image, channels: int) -> Image.Image:
    """Return a picture as one of the modes L, RGB or F, without transparency."""
    from PIL import Image

    if image.mode in _NUMBERS:
        scale = 257 if image.mode in _SIXTEEN_BITS or (image.mode == "I" and image.format in (None, "PNG")) else 1
        return Image.fromarray(np.asarray(image, dtype=np.float32) / np.float32(scale))
    mode = "L" if channels == 1 else "RGB"
    if image.mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in image.info:
        seen = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen)
    return image if image.mode == mode else image.convert(mode)
