"""The convolutional text classifier: it learns phrases wherever they stand, and reads what it never saw."""

import numpy as np
import pytest

from ganglion.algorithms.text_cnn import TextCNN
from ganglion.errors import InvalidInput, InvalidParameter


def phrases(n=240, seed=0):
    """Return texts of which some hold "not good", some "good" alone, anywhere in words that say nothing."""
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for i in range(n):
        words = rng.choice(["the", "film", "was", "seen", "by", "people", "not", "today"], rng.integers(3, 12)).tolist()
        words = [word for i, word in enumerate(words) if word != "not" or i < len(words) - 1]
        place = rng.integers(0, len(words) + 1)
        words[place:place] = ["not", "good"] if i % 2 else ["film", "good"]
        texts.append(" ".join(words))
        labels.append("bad" if i % 2 else "good")
    return texts, labels


def test_it_learns_phrases_not_words():
    model = TextCNN(maps=20, embedding=16, batch_size=16, epochs=8, random_state=0).fit(*phrases())
    assert model.score(*phrases(100, seed=1)) > 0.95
    assert model.predict(["not good", "film good"]).tolist() == ["bad", "good"]  # shorter than the windows
    assert model.predict_proba(["zyzzyva qwerty"]).shape == (1, 2)


def test_sequences_of_numbers_are_read():
    rng = np.random.default_rng(0)
    waves = [
        np.c_[np.sin(np.arange(t) * (0.5 + i % 2)), rng.normal(size=t)] for i, t in enumerate(rng.integers(8, 20, 80))
    ]
    labels = np.arange(80) % 2
    model = TextCNN(maps=8, batch_size=16, epochs=15, learning_rate=0.01, random_state=0).fit(waves, labels)
    assert model.modality_ == "sequence"
    assert model.score(waves, labels) > 0.95


def test_what_it_refuses():
    with pytest.raises(InvalidInput, match="TextCNN reads texts and sequences of numbers, but a table"):
        TextCNN().fit(np.zeros((20, 3)), [0, 1] * 10)
    with pytest.raises(InvalidParameter, match="windows"):
        TextCNN(windows=(0, 3)).fit(*phrases(20))
    texts, labels = phrases(20)
    with pytest.raises(InvalidInput, match=r"1 of 20 texts are empty \(row 3\)"):
        TextCNN().fit([*texts[:3], "", *texts[4:]], labels)
