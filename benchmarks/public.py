"""Public data as arrays, found through `ganglion.data.public`; nothing is fetched."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ganglion.data.boxes import Boxes


def mnist() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return training images (60000, 28, 28) uint8 and labels int64, then those of the test set (10,000)."""
    return _idx_folder("mnist")


def fashion_mnist() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the same of Fashion-MNIST: 30,000 training images at least, and 10,000 of the test set."""
    return _idx_folder("fashion_mnist")


def cifar10() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return 10,000 training images (n, 32, 32, 3) uint8 of CIFAR-10 and labels int64, then 2,000 of the test set."""
    from ganglion.data.public import find

    with np.load(next(find("cifar10").glob("*.npz")), allow_pickle=False) as file:
        X_train, y_train, X_test, y_test = (file[name] for name in ("x_train", "y_train", "x_test", "y_test"))
    return X_train, y_train.astype(np.int64), X_test, y_test.astype(np.int64)


def etth1() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return 12, 4 and 4 months of ETTh1, (8640, 7), (2880, 7) and (2880, 7) float64, OT the last column."""
    from ganglion.data.public import find

    values = np.loadtxt(find("ett/ETTh1.csv"), delimiter=",", skiprows=1, usecols=range(1, 8))
    month = 30 * 24
    return values[: 12 * month], values[12 * month : 16 * month], values[16 * month : 20 * month]


def _idx_folder(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    from ganglion.data.public import find

    folder = find(name)
    parts = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    X_train, y_train, X_test, y_test = (idx(folder / f"{part}-ubyte.gz") for part in parts)
    return X_train, y_train.astype(np.int64), X_test, y_test.astype(np.int64)


def idx(path: Path) -> np.ndarray:
    """Read a gzipped IDX file of bytes."""
    raw = gzip.decompress(path.read_bytes())
    shape = np.frombuffer(raw, ">i4", count=raw[3], offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)


def tiny_shakespeare() -> tuple[np.ndarray, np.ndarray, int]:
    """Return its first nine tenths and the rest as numbers of characters, int64, and how many characters there are."""
    from ganglion.data.public import find

    characters, codes = np.unique(list(find("tinyshakespeare/input.txt").read_text("utf-8")), return_inverse=True)
    train, valid = np.split(codes, [int(0.9 * len(codes))])
    return train, valid, len(characters)


def sonar() -> tuple[np.ndarray, np.ndarray]:
    """Return the 60 bands, (208, 60) float64, and the labels "M" (mine) or "R" (rock)."""
    from ganglion.data.public import find

    with find("sonar/sonar.csv").open(newline="") as file:
        rows = [row for row in csv.reader(file) if row]
    return np.array([row[:-1] for row in rows], dtype=np.float64), np.array([row[-1] for row in rows])


def bccd(part: str, *, size: tuple[int, int] = (240, 320)) -> tuple[np.ndarray, list[Boxes]]:
    """Return the blood cells of a part of the official split, "train" (205), "val" (87) or "test" (72).

    Images are (n, height, width, 3) uint8, scaled to `size`; boxes are in their pixels, of RBC, WBC and Platelets.
    """
    from PIL import Image

    from ganglion.data.annotations import read_voc
    from ganglion.data.boxes import Boxes
    from ganglion.data.public import find

    images, objects = [], []
    with zipfile.ZipFile(find("bccd/BCCD.zip")) as archive:
        for name in archive.read(f"BCCD/ImageSets/Main/{part}.txt").decode().split():
            image = Image.open(io.BytesIO(archive.read(f"BCCD/JPEGImages/{name}.jpg"))).convert("RGB")
            boxes = read_voc(archive.read(f"BCCD/Annotations/{name}.xml"), f"{name}.xml").boxes
            scale = np.array([size[1] / image.width, size[0] / image.height] * 2, dtype=np.float32)
            objects.append(Boxes(boxes.boxes * scale, boxes.labels))
            images.append(np.asarray(image.resize(size[::-1], Image.Resampling.BILINEAR)))
    return np.stack(images), objects


def isbi2012_membrane() -> tuple[np.ndarray, np.ndarray]:
    """Return 30 slices of nervous tissue, (30, 512, 512) uint8, and their labels: 1 inside cells, 0 on membranes."""
    from ganglion.data.public import find

    with np.load(find("isbi2012_membrane/train_512.npz")) as file:
        return file["images"], file["labels"]


def sst2(part: str) -> tuple[list[str], np.ndarray]:
    """Return the sentences of "train" (6,920), "dev" (872) or "test" (1,821), and their labels, "0" or "1"."""
    from ganglion.data.public import find

    lines = find(f"sst2/stsa.binary.{part}").read_text("utf-8").splitlines()
    labels, texts = zip(*(line.split(" ", 1) for line in lines), strict=True)
    return list(texts), np.array(labels)


def trec(part: str) -> tuple[list[str], np.ndarray]:
    """Return the questions of "train" (5,452) or "test" (500), and which of six kinds of answer each asks for."""
    from ganglion.data.public import find

    lines = find(f"trec/{part}.tsv").read_text("utf-8").splitlines()
    kinds, _, texts = zip(*(line.split("\t") for line in lines), strict=True)
    return list(texts), np.array(kinds)


def ag_news(part: str) -> tuple[list[str], np.ndarray]:
    """Return titles with texts of news, "train" (6,000) or "test" (1,600), and which of four classes each is of."""
    from ganglion.data.public import find

    with find(f"ag_news/{part}.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [f"{row['title']}\n{row['text']}" for row in rows], np.array([row["label"] for row in rows])


SPEAKERS = ("george", "jackson", "lucas", "nicolas")
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def fsdd() -> tuple[list[tuple[int, np.ndarray]], np.ndarray, np.ndarray, np.ndarray]:
    """Return 2,000 recordings of spoken digits as (8000, samples), and of each the digit, the speaker and the take."""
    from ganglion.data.public import find
    from ganglion.data.read import read

    recordings, names = [], []
    for speaker in SPEAKERS:
        data = read(find(f"fsdd/{speaker}.zip"))
        recordings += data.values("audio").tolist()
        names += [name.removesuffix(".wav").split("_") for name in data.values("file")]
    digits, speakers, takes = (np.array(each) for each in zip(*names, strict=True))
    return recordings, digits.astype(np.int64), speakers, takes.astype(np.int64)
