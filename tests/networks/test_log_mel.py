"""The spectrogram layer against a transform and triangles written out, and the laws that batches need."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganglion.data.ragged import joined
from ganglion.errors import InvalidParameter
from ganglion.networks.log_mel import LogMel, LogMelInput, hertz, log_mel_by_name, mel, mel_triangles
from ganglion.networks.sequences import Steps
from ganglion.networks.spec_augment import SpecAugment, redrawn, spec_augment_by_name, stretched, warping

RATE = 8000


def by_hand(samples, rate, *, width, hop, n_fft, bands):
    """Return S of one recording as the equations say, step by step, in float64."""
    window = np.array([0.5 - 0.5 * math.cos(2 * math.pi * m / width) for m in range(width)])
    n_steps = 1 + max(0, math.ceil((len(samples) - n_fft) / hop))
    padded = np.concatenate([samples, np.zeros(n_fft + n_steps * hop)])
    left = (n_fft - width) // 2
    edges = [700 * (10 ** (m / 2595) - 1) for m in np.linspace(0, 2595 * math.log10(1 + rate / 2 / 700), bands + 2)]
    energy = np.zeros((n_steps, bands))
    for t in range(n_steps):
        frame = padded[t * hop + left : t * hop + left + width] * window
        for k in range(n_fft // 2 + 1):
            m = np.arange(width)
            power = abs((frame * np.exp(-2j * math.pi * k * (m + left) / n_fft)).sum()) ** 2 / window.sum() ** 2
            f = k * rate / n_fft
            for b in range(bands):
                rise = (f - edges[b]) / (edges[b + 1] - edges[b])
                fall = (edges[b + 2] - f) / (edges[b + 2] - edges[b + 1])
                energy[t, b] += max(0.0, min(rise, fall)) * power
    return np.log(np.maximum(energy, max(1e-8 * energy.max(), 1e-10)))


def heard(layer, audio, lengths):
    """Return what a network sees of recordings, without random changes."""
    return layer.eval()(layer.prepare({"audio": audio, "audio_length": lengths})).x


def test_spectrogram_equals_the_transform_written_out():
    rng = np.random.default_rng(0)
    samples = rng.normal(size=500) * 0.1
    layer = LogMelInput(RATE, LogMel(bands=8, window=0.012, step=0.005))
    found = layer.spectrogram(torch.tensor(samples)[None], torch.tensor([500]))[0]
    expected = by_hand(samples, RATE, width=96, hop=40, n_fft=128, bands=8)
    assert found.shape == expected.shape == (11, 8)
    np.testing.assert_allclose(found.numpy(), expected, atol=2e-4)


@pytest.mark.parametrize("tone", [300.0, 1000.0, 2500.0])
def test_a_pure_tone_is_loudest_in_its_band(tone):
    layer = LogMelInput(RATE, LogMel(bands=20))
    samples = torch.sin(2 * math.pi * tone * torch.arange(4000) / RATE)[None]
    loudest = layer.spectrogram(samples, torch.tensor([4000]))[0].mean(0).argmax()
    assert loudest == (layer.heights - mel(torch.tensor(tone))).abs().argmin()


def test_a_full_scale_tone_has_the_level_that_the_window_gives():
    layer = LogMelInput(RATE, LogMel(bands=4))  # wide bands: the tone stands at the top of one
    centre = float(hertz(layer.heights[2].double()))
    near = round(centre * layer.n_fft / RATE) * RATE / layer.n_fft
    samples = torch.sin(2 * math.pi * near * torch.arange(4000, dtype=torch.float64) / RATE)[None]
    level = layer.spectrogram(samples, torch.tensor([4000]))[0, 5, 2].exp()
    # a sine of amplitude 1 is 1/4 in its own bin, and a Hann window spreads as much again over its neighbours at least
    assert 0.2 < level < 0.8


def test_triangles_meet_at_the_centres_of_their_neighbours():
    triangles = mel_triangles(512, 16000, 40)
    assert triangles.shape == (257, 40)
    assert (triangles >= 0).all()
    assert (triangles.sum(0) > 0).all()
    inside = triangles[10:240].sum(1)
    torch.testing.assert_close(inside, torch.ones_like(inside))


def test_mel_is_1000_at_1000_hertz_and_comes_back():
    assert float(mel(torch.tensor(1000.0))) == pytest.approx(1000.0, abs=0.1)
    f = torch.tensor([50.0, 440.0, 3000.0])
    torch.testing.assert_close(hertz(mel(f)), f)


@settings(max_examples=20, deadline=None)
@given(lengths=st.lists(st.integers(1, 900), min_size=1, max_size=4), seed=st.integers(0, 99))
def test_prepared_together_alone_and_once_are_the_same(lengths, seed):
    generator = torch.Generator().manual_seed(seed)
    parts = [torch.randn(n, generator=generator) * 0.1 for n in lengths]
    layer = LogMelInput(4000, LogMel())
    column = joined(parts)
    layer.adapt({"audio": column})
    ready = layer.ready({"audio": column})["log_mel"]
    audio, n_samples = column.padded(torch.arange(len(parts)))
    batch = layer.prepare({"audio": audio, "audio_length": n_samples})
    assert batch["log_mel_length"].tolist() == ready.lengths.tolist()
    for i, part in enumerate(parts):
        n = int(ready.lengths[i])
        alone = layer.prepare({"audio": part[None], "audio_length": torch.tensor([len(part)])})["log_mel"][0]
        torch.testing.assert_close(alone, ready.split()[i], atol=1e-4, rtol=0)
        torch.testing.assert_close(batch["log_mel"][i, :n], alone, atol=1e-4, rtol=0)
        assert (batch["log_mel"][i, n:] == 0).all()


def test_adapted_bands_have_mean_0_and_deviation_1():
    generator = torch.Generator().manual_seed(0)
    column = joined([torch.randn(n, generator=generator) for n in (3000, 800, 1600)])
    layer = LogMelInput(4000, LogMel(normalize="none"))
    layer.adapt({"audio": column})
    ready = layer.ready({"audio": column})["log_mel"]
    parts = [layer({"log_mel": each[None], "log_mel_length": torch.tensor([len(each)])}).x[0] for each in ready.split()]
    steps = torch.cat(parts)
    torch.testing.assert_close(steps.mean(0), torch.zeros(40), atol=1e-3, rtol=0)
    torch.testing.assert_close(steps.std(0, correction=0), torch.ones(40), atol=1e-2, rtol=0)


@pytest.mark.parametrize(
    ("normalize", "louder_is_the_same"), [("recording", True), ("loudness", True), ("none", False)]
)
def test_loudness(normalize, louder_is_the_same):
    samples = torch.randn(1, 2000, generator=torch.Generator().manual_seed(1)) * 0.01
    layer = LogMelInput(4000, LogMel(normalize=normalize))
    quiet, loud = (heard(layer, each, torch.tensor([2000])) for each in (samples, 30 * samples))
    assert torch.allclose(quiet, loud, atol=1e-3) is louder_is_the_same


def test_whole_numbers_are_fractions_of_the_loudest():
    samples = (torch.randn(1, 1000, generator=torch.Generator().manual_seed(2)) * 3000).short()
    layer, length = LogMelInput(4000, LogMel()), torch.tensor([1000])
    torch.testing.assert_close(layer.spectrogram(samples, length), layer.spectrogram(samples / 32768, length))


def test_silence_is_finite():
    layer = LogMelInput(4000, LogMel())
    column = joined([torch.zeros(500), torch.zeros(10)])
    layer.adapt({"audio": column})
    assert layer.ready({"audio": column})["log_mel"].values.isfinite().all()


def test_changes_only_while_training_and_by_torchs_own_random_numbers():
    layer = LogMelInput(4000, LogMel(), SpecAugment())
    prepared = {"log_mel": torch.randn(3, 50, 40), "log_mel_length": torch.tensor([50, 30, 7])}
    plain = layer.eval()(prepared).x
    layer.train()
    torch.manual_seed(0)
    one = layer(prepared)
    torch.manual_seed(0)
    again = layer(prepared)
    torch.testing.assert_close(one.x, again.x, atol=0, rtol=0)
    assert one.x.shape[1] == one.lengths.max()
    assert not torch.equal(one.x[:, :7], plain[:, :7])


def test_stretching_keeps_the_ends_and_interpolates_between():
    x = torch.arange(5.0)[None, :, None].expand(1, 5, 2)
    found = stretched(Steps(x, torch.tensor([5])), torch.tensor([9 / 5]))
    assert found.lengths.tolist() == [9]
    torch.testing.assert_close(found.x[0, :, 0], torch.linspace(0, 4, 9))


def test_a_longer_throat_moves_a_tone_down():
    layer = LogMelInput(RATE, LogMel(bands=40))
    tones = [torch.sin(2 * math.pi * f * torch.arange(4000) / RATE) for f in (1000.0, 1100.0)]
    length = torch.tensor([4000, 4000])
    spectra = layer.spectrogram(torch.stack(tones), length).exp()
    moved = spectra[:1] @ warping(torch.tensor([1.1]), layer.heights)
    centre = [float((each.mean(0) * layer.heights).sum() / each.mean(0).sum()) for each in (moved[0], spectra[1])]
    assert centre[0] == pytest.approx(centre[1], rel=0.02)
    torch.testing.assert_close(warping(torch.ones(1), layer.heights)[0], torch.eye(40), atol=1e-4, rtol=0)


def test_masks_silence_bands_and_steps_within_the_recording():
    torch.manual_seed(3)
    change = SpecAugment(masks=1, steps=0.5, bands=0.5, tempo=0.0, vocal_tract=0.0)
    given_steps = Steps(torch.ones(200, 40, 20), torch.full((200,), 40))
    found = change(given_steps, torch.arange(1.0, 21.0)).x
    by_time, by_band = (found == 0).all(2), (found == 0).all(1)
    assert by_time.sum(1).max() <= 20
    assert by_band.sum(1).max() <= 10
    assert 0.1 < (found == 0).float().mean() < 0.6


@pytest.mark.parametrize(
    "given_text",
    ["log_mel(bands=2)", "log_mel(window=0.01, step=0.02)", "log_mel(normalize='x')", "mel", "log_mel(hops=3)", 7],
)
def test_settings_that_are_not_allowed(given_text):
    with pytest.raises(InvalidParameter, match=r"log_mel|spectrogram"):
        log_mel_by_name(given_text)


@pytest.mark.parametrize("given_text", ["spec_augment(masks=-1)", "spec_augment(tempo=2)", "mask", 3.0])
def test_changes_that_are_not_allowed(given_text):
    with pytest.raises(InvalidParameter, match="spec_augment"):
        spec_augment_by_name(given_text)


def test_no_changes():
    assert spec_augment_by_name("none") is None
    assert spec_augment_by_name(None) is None
    assert spec_augment_by_name("auto") == SpecAugment()


def test_below_the_floor_nothing_is_heard():
    rng = torch.Generator().manual_seed(4)
    tone = torch.sin(2 * math.pi * 500 * torch.arange(4000) / RATE)
    hiss = 0.001 * torch.randn(4000, generator=rng)  # 60 dB below the tone
    length = torch.tensor([4000])
    wide, narrow = (LogMelInput(RATE, LogMel(floor=floor, normalize="none")) for floor in (80.0, 30.0))
    assert not torch.allclose(heard(wide, tone[None], length), heard(wide, (tone + hiss)[None], length), atol=0.5)
    torch.testing.assert_close(
        heard(narrow, tone[None], length), heard(narrow, (tone + hiss)[None], length), atol=0.05, rtol=0
    )


def test_emphasis_is_a_difference_of_neighbours():
    samples = torch.randn(1, 4001, generator=torch.Generator().manual_seed(5)) * 0.1
    plain = LogMelInput(RATE, LogMel()).spectrogram(samples[:, 1:] - 0.97 * samples[:, :-1], torch.tensor([4000]))
    lifted = LogMelInput(RATE, LogMel(emphasis=0.97)).spectrogram(samples[:, 1:], torch.tensor([4000]))
    assert (plain - lifted).abs().mean() < 0.1  # but for the ends of each window


def test_silence_around_a_word_is_cut_and_the_word_is_drawn_to_so_many_steps():
    word = torch.sin(2 * math.pi * 700 * torch.arange(2400) / RATE) * torch.hann_window(2400)
    layer = LogMelInput(RATE, LogMel(trim=30.0))
    found = []
    for before, after in ((0, 0), (4000, 100), (80, 8000)):
        sound = torch.cat([torch.zeros(before), word, torch.zeros(after)])
        found.append(layer.prepare({"audio": sound[None], "audio_length": torch.tensor([len(sound)])}))
    assert max(int(each["log_mel_length"]) for each in found) <= 30
    assert len({int(each["log_mel_length"]) for each in found}) == 1
    torch.testing.assert_close(found[0]["log_mel"], found[1]["log_mel"], atol=1e-3, rtol=0)
    drawn = LogMelInput(RATE, LogMel(steps=12), SpecAugment(tempo=0.5))
    column = joined([word, torch.cat([word, word])])
    assert drawn.ready({"audio": column})["log_mel"].lengths.tolist() == [12, 12]
    assert drawn.most_steps(10**6) <= 13
    batch = {"log_mel": torch.randn(2, 12, 40), "log_mel_length": torch.tensor([12, 12])}
    assert drawn.train()(batch).x.shape == (2, 12, 40)


@settings(max_examples=30, deadline=None)
@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=5), seed=st.integers(0, 999))
def test_a_changed_pace_keeps_lengths_and_the_range_of_values(lengths, seed):
    torch.manual_seed(seed)
    there = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    rising = torch.arange(max(lengths)).float().expand(len(lengths), -1)[:, :, None] * there[:, :, None]
    found = redrawn(Steps(rising, torch.tensor(lengths)), pace=0.9, edges=0.2)
    assert found.lengths.tolist() == lengths
    for row, n in zip(found.x[:, :, 0], lengths, strict=True):
        assert (row[:n].diff() >= -1e-4).all()  # time goes forwards
        assert float(row.min()) >= 0
        assert float(row.max()) <= n - 1 + 1e-4
        assert (row[n:] == 0).all()


def test_without_pace_and_edges_nothing_is_redrawn():
    x = torch.randn(2, 9, 3)
    x[1, 6:] = 0
    torch.testing.assert_close(redrawn(Steps(x, torch.tensor([9, 6])), pace=0.0, edges=0.0).x, x)


def test_the_floor_moves_only_while_training():
    layer = LogMelInput(RATE, LogMel(floor=30.0), SpecAugment(0, tempo=0.0, vocal_tract=0.0, floor=10.0))
    sound = torch.randn(1, 4000, generator=torch.Generator().manual_seed(6)) * torch.linspace(0, 0.5, 4000)
    prepared = layer.prepare({"audio": sound, "audio_length": torch.tensor([4000])})
    plain = heard(LogMelInput(RATE, LogMel(floor=30.0)), sound, torch.tensor([4000]))
    torch.testing.assert_close(layer.eval()(prepared).x, plain, atol=1e-4, rtol=0)
    assert not torch.allclose(layer.train()(prepared).x, plain, atol=0.05)


def test_the_end_of_a_recording_is_heard_once_whatever_stands_beside_it():
    layer, click = LogMelInput(4000, LogMel()), torch.zeros(2, 2000)
    click[0, 399] = 1.0  # the last of 400 samples: a window begun behind them would hear it louder
    alone = layer.spectrogram(click[:1, :400], torch.tensor([400]))
    beside = layer.spectrogram(click, torch.tensor([400, 2000]))[:1, : alone.shape[1]]
    torch.testing.assert_close(beside, alone, rtol=0, atol=1e-6)
