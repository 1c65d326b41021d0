"""Spectrograms drawn: low tones at the bottom, the loud ones light, words where they are said."""

import numpy as np

from ganglion.drawing.spectrograms import pixels_of, spectrogram_chart


def test_low_tones_are_at_the_bottom_and_loud_ones_light():
    levels = np.zeros((10, 4))
    levels[3, 0] = 5.0  # the lowest band, early
    picture = pixels_of(levels)
    assert picture.shape == (3, 4, 10)
    assert picture.dtype == np.uint8
    light = picture.sum(0).astype(int)
    assert np.unravel_index(light.argmax(), light.shape) == (3, 3)


def test_equal_levels_have_one_colour():
    assert len(np.unique(pixels_of(np.full((5, 6), 2.0)).reshape(3, -1), axis=1).T) == 1


def test_chart_tells_time_tones_and_words():
    chart = spectrogram_chart(np.random.default_rng(0).normal(size=(50, 20)), 2.0, 4000, "A", words=[("one", 0.5)])
    assert chart.svg.count("<image") == 1
    for words in (">one<", ">1k<", ">2k<", ">2 s<"):
        assert words in chart.svg, words
    assert ">4k<" not in chart.svg


def test_words_are_escaped():
    chart = spectrogram_chart(np.zeros((5, 5)), 1.0, 4000, "A", words=[("<b>", 0.5)])
    assert "<b>" not in chart.svg
