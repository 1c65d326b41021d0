"""Made data for every task and modality, from which a little can be learned in a few epochs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ganglion.checks.suiting import (
    hears,
    hears_alone,
    reads_images,
    reads_music,
    reads_texts,
    reads_texts_alone,
)
from ganglion.data.boxes import Boxes

WORDS = "Some words of which texts are made, short ones and long: naïve, 東京, don't, 12, well-known! Good or bad?"
RARE_TEXT = "zyzzyva-7741"


def data_for(estimator: Any, *, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers that float32 holds exactly, or texts, samples first, and a target, as suits the estimator."""
    if reads_texts_alone(estimator.tags):
        return sentences(estimator, n=24)
    if reads_music(estimator.tags):
        return rounds(n=24)
    if hears_alone(estimator.tags):
        return tones(estimator, n=20)
    made = {"segmentation": discs, "detection": squares, "tagging": waves}.get(estimator.tags.task)
    if made:
        return made(n=24)
    if "series" in estimator.tags.modalities:
        return steps(n=120)
    if "table" in estimator.tags.modalities:
        return table(estimator, noise=noise)
    if "sequence" in estimator.tags.modalities:
        return signals(estimator, noise=noise)
    return pictures(estimator, n=60, sides=(6, 5), noise=noise)


def every_data_for(estimator: Any) -> list[tuple[Any, np.ndarray]]:
    """Return data, as arrays, and a target of every modality that an estimator reads, the plainest first."""
    given: list[tuple[Any, np.ndarray]] = [data_for(estimator)]
    if reads_images(estimator.tags):
        given.append(image_stack(estimator))
    if reads_texts(estimator.tags):
        given.append(texts_for(estimator))
    if hears(estimator.tags) and not hears_alone(estimator.tags):
        given.append(tones(estimator, n=20))
    if estimator.tags.task == "tagging":
        given.append(tagged(n=30))
    elif "sequence" in estimator.tags.modalities:
        given.append(sequences_for(estimator))
    return given


def other_data_for(estimator: Any) -> tuple[Any, np.ndarray]:
    """Return data of another shape and a target, as suits the estimator's task."""
    if reads_texts_alone(estimator.tags):
        return sentences(estimator, n=15, words=("sun", "moon", "star", "sky"))
    if reads_music(estimator.tags):
        return rounds(n=15, steps=11)
    if hears_alone(estimator.tags):
        return tones(estimator, n=14, rate=5000)
    made = {"segmentation": discs, "detection": squares, "tagging": waves}.get(estimator.tags.task)
    if made:
        return made(n=20, sides=(9, 14))
    if "series" in estimator.tags.modalities:
        return several_series()
    if "table" in estimator.tags.modalities:
        return mixed_frame(estimator)
    if "sequence" in estimator.tags.modalities:
        return sequences_for(estimator)
    return pictures(estimator, n=50, sides=(9, 7))


def sentences(
    estimator: Any, *, n: int, words: tuple[str, ...] = ("good", "bad", "very", "film", "so", "a")
) -> tuple[np.ndarray, np.ndarray]:
    """Return texts of some words each, (n,), and a target: which of two words they have more of, or them backwards."""
    rng = np.random.default_rng(12)
    texts = [rng.choice(words, size=length).tolist() for length in rng.integers(3, 9, size=n)]
    if estimator.tags.task == "translation":
        backwards = np.array([" ".join(reversed(text)) for text in texts], dtype=object)
        return np.array([" ".join(text) for text in texts]), backwards
    signal = np.array([text.count(words[0]) - text.count(words[1]) for text in texts], dtype=np.float64)
    return np.array([" ".join(text) for text in texts]), _target(estimator, signal)


def rounds(*, n: int, steps: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Return piano rolls, (n, steps, 88): a scale and a third above it, from any key on, and a target to be ignored."""
    rng = np.random.default_rng(15)
    X, first = np.zeros((n, steps, 88), dtype=np.uint8), rng.integers(20, 40, n)
    for i, key in enumerate(first.tolist()):
        X[i, np.arange(steps), key + np.arange(steps) * 2] = 1
        X[i, np.arange(steps), key + np.arange(steps) * 2 + 4] = rng.random(steps) < 0.8
    return X, first.astype(np.float64)


def tones(estimator: Any, *, n: int, rate: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Return recordings of two to four noisy tones, (n,) of pairs (rate, samples), and a target: which tones they are.

    For speech recognition the target spells them, "a" the low one and "b" the high one.
    """
    rng = np.random.default_rng(15)
    X, y, signal = np.empty(n, dtype=object), np.empty(n, dtype=object), np.empty(n)
    for i, n_tones in enumerate(rng.integers(2, 5, n)):
        high = rng.integers(0, 2, n_tones)
        time = np.arange(rng.integers(150, 260) * rate // 4000) / rate
        parts = [np.sin(2 * np.pi * (400 + 800 * tone) * time) for tone in high]
        sound = np.concatenate(parts) + 0.1 * rng.normal(size=n_tones * len(time))
        X[i] = (rate, np.round(sound * 2**12).astype(np.int16))
        y[i], signal[i] = "".join(np.array(["a", "b"])[high]), high.mean() + 0.1 * rng.normal()
    return X, y if estimator.tags.task == "speech_recognition" else _target(estimator, signal)


def discs(*, n: int, sides: tuple[int, int] = (12, 10)) -> tuple[np.ndarray, np.ndarray]:
    """Return noisy images of a disc each, (n, height, width), and their masks: 1 in the disc, 2 at its centre."""
    rng = np.random.default_rng(10)
    down, right = np.indices(sides)
    centres = rng.integers(3, min(sides) - 3, (n, 2, 1, 1))
    distance = np.hypot(down - centres[:, 0], right - centres[:, 1])
    masks = (distance < 3.5).astype(np.uint8) + (distance < 1.5)
    return np.round((masks + 0.3 * rng.normal(size=masks.shape)) * 64) / 64, masks


def squares(*, n: int, sides: tuple[int, int] = (12, 10)) -> tuple[np.ndarray, np.ndarray]:
    """Return noisy images of up to two squares, (n, height, width), and the box of each: "dark" and "light" ones."""
    rng = np.random.default_rng(11)
    images, objects = rng.normal(0, 0.3, (n, *sides)), np.empty(n, dtype=object)
    for i, image in enumerate(images):
        tops, lefts = (rng.integers(0, side - 5, 2) for side in sides)
        kinds = ["dark", "light"][: i % 3]
        for kind, top, left in zip(kinds, tops, lefts, strict=False):
            image[top : top + 5, left : left + 5] += 2.0 if kind == "light" else -2.0
        corners = np.stack([lefts, tops, lefts + 5, tops + 5], 1)[: len(kinds)]
        objects[i] = Boxes(corners.astype(np.float32), np.array(kinds, dtype=str))
    return np.round(images * 64) / 64, objects


def waves(*, n: int, sides: tuple[int, int] = (7, 3)) -> tuple[np.ndarray, np.ndarray]:
    """Return sequences, (n, steps, numbers), and a label of each step, (n, steps): whether a sum has risen."""
    rng = np.random.default_rng(12)
    X = np.round(rng.normal(size=(n, *sides)) * 64) / 64
    rise = np.diff(X.sum(axis=2), axis=1, prepend=0.0)
    return X, np.array(["falls", "stays", "rises"])[np.digitize(rise, [-1.0, 1.0])]


def tagged(*, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return texts of four words, (n, 4), and a label of each: of "x" that of the word before."""
    rng = np.random.default_rng(13)
    X = rng.choice(["Walking", "talks", "x", "1984"], (n, 4))
    y = np.array(["verb", "number"])[(X == "1984").astype(int)]
    y[:, 1:] = np.where(X[:, 1:] == "x", y[:, :-1], y[:, 1:])
    return X, y


def steps(*, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return steps of two noisy waves that float32 holds exactly, (n, 2), and the same once more: their own target."""
    rng = np.random.default_rng(15)
    turns = 2 * np.pi * np.arange(n)[:, None] / np.array([12, 7])
    X = np.round((np.sin(turns) + 0.3 * rng.normal(size=(n, 2))) * 64) / 64
    return X, X.copy()


def several_series() -> tuple[pd.DataFrame, np.ndarray]:
    """Return two series of different lengths, day by day, with labels and numbers, and these: their own target."""
    parts = []
    for name, n in (("north", 100), ("south", 90)):
        waves = steps(n=n)[0]
        days = pd.date_range("2024-01-01", periods=n, freq="D")
        parts.append(pd.DataFrame({"day": days, "place": name, "one": waves[:, 0], "other": waves[:, 1] * 10}))
    frame = pd.concat(parts, ignore_index=True)
    return frame, frame[["one", "other"]].to_numpy()


def table(estimator: Any, *, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers, (60, 4), that float32 holds exactly, and a noisy target that suits the estimator's task."""
    rng = np.random.default_rng(7)
    X = np.round(rng.normal(size=(60, 4)) * 64) / 64
    return X, _target(estimator, X[:, 0] - X[:, 1] + noise * rng.normal(size=60))


def mixed_frame(estimator: Any) -> tuple[pd.DataFrame, np.ndarray]:
    """Return a frame of numbers, categories, truth values and dates, with gaps, and a target."""
    rng = np.random.default_rng(8)
    number = rng.normal(size=60)
    kind = rng.choice(["red", "green", "blue"], 60).astype(object)
    kind[rng.random(60) < 0.1] = None
    frame = pd.DataFrame(
        {
            "number": np.where(rng.random(60) < 0.1, np.nan, number),
            "kind": kind,
            "flag": rng.random(60) < 0.5,
            "day": pd.Timestamp("2024-02-29") + pd.to_timedelta(rng.integers(0, 900, 60), unit="D"),
            "other": rng.normal(size=60) * 1e3,
        }
    )
    return frame, _target(estimator, number + (kind == "red") + rng.normal(size=60))


def image_stack(estimator: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return grey images, (40, 8, 6) uint8 or (24, 12, 10), and a target."""
    if estimator.tags.task == "detection":
        images, objects = squares(n=24)
        return (np.clip(images, -3, 3) * 40 + 120).astype(np.uint8), objects
    if estimator.tags.task == "segmentation":
        images, masks = discs(n=24)
        return (np.clip(images, -1, 3) * 60 + 60).astype(np.uint8), masks
    rng = np.random.default_rng(9)
    images = rng.integers(0, 256, (40, 8, 6)).astype(np.uint8)
    return images, _target(estimator, images[:, :4].mean((1, 2)) - images[:, 4:].mean((1, 2)))


def pictures(estimator: Any, *, n: int, sides: tuple[int, int], noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return noisy images, (n, height, width), that float32 holds exactly, and a target: which half is brighter."""
    rng = np.random.default_rng(11)
    X = np.round(rng.normal(size=(n, *sides)) * 64) / 64
    signal = X[:, : sides[0] // 2].mean((1, 2)) - X[:, sides[0] // 2 :].mean((1, 2))
    return X, _target(estimator, signal + noise * signal.std() * rng.normal(size=n))


def signals(estimator: Any, *, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return equally long sequences, (60, 6, 4), that float32 holds exactly, and a target: how much they rise."""
    rng = np.random.default_rng(12)
    X = np.round(rng.normal(size=(60, 6, 4)) * 64) / 64
    return X, _target(estimator, X[:, 3:, 0].mean(1) - X[:, :3, 0].mean(1) + noise * rng.normal(size=60) / 2)


def sequences_for(estimator: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return sequences of two numbers a step, of 1 to 9 steps, with gaps, and a target."""
    rng = np.random.default_rng(13)
    X, signal = np.empty(40, dtype=object), np.empty(40)
    for i, length in enumerate(rng.integers(1, 10, 40)):
        X[i] = np.round(rng.normal(size=(length, 2)) * 64) / 64
        signal[i] = X[i][:, 0].max() - X[i][:, 1].min()
        X[i][rng.random(X[i].shape) < 0.05] = np.nan
    return X, _target(estimator, signal)


def texts_for(estimator: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return texts of 1 to 14 words, an array of objects, and a target: how often some of the words stand there."""
    rng = np.random.default_rng(14)
    words, worth = np.array(WORDS.split(), dtype=object), rng.normal(size=len(WORDS.split()))
    X, signal = np.empty(40, dtype=object), np.empty(40)
    for i, length in enumerate(rng.integers(1, 15, 40)):
        chosen = rng.integers(0, len(words), length)
        X[i], signal[i] = " ".join(words[chosen]), worth[chosen].sum()
    return X, _target(estimator, signal)


def _target(estimator: Any, signal: np.ndarray) -> np.ndarray:
    if estimator.tags.task == "regression":
        return signal
    return np.array(["a", "b", "c"])[np.digitize(signal, np.quantile(signal, [0.4, 0.7]))]
