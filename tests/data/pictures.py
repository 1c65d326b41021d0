"""Small picture files for tests."""

import io
import struct
import zlib

import numpy as np
from PIL import Image


def noise(height=12, width=16, mode="RGB", seed=0):
    """Return random pixels as a PIL image."""
    channels = {"L": (), "LA": (2,), "RGB": (3,), "RGBA": (4,), "CMYK": (4,)}[mode]
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, *channels), dtype=np.uint8)
    if mode == "CMYK":
        return Image.frombytes("CMYK", (width, height), pixels.tobytes())
    return Image.fromarray(pixels)


def put(path, image=None, **options):
    """Save an image, or noise, under folders that are made; returns the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    (noise() if image is None else image).save(path, **options)
    return path


def raw(image=None, kind="PNG", **options):
    """Return an image, or noise, as the bytes of a file."""
    stream = io.BytesIO()
    (noise() if image is None else image).save(stream, kind, **options)
    return stream.getvalue()


def classes(folder, n=4, sizes=((12, 16),)):
    """Make a folder a class, cats and dogs; the dogs are brighter."""
    for label, brightness in (("cats", 0), ("dogs", 128)):
        for i in range(n):
            pixels = np.asarray(noise(*sizes[i % len(sizes)], seed=i)) // 2 + brightness
            put(folder / label / f"{i}.png", Image.fromarray(pixels.astype(np.uint8)))
    return folder


def png_claiming(width, height):
    """Return a PNG whose head claims a size, with next to nothing behind it."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
