"""Speech recognition: tones are learned as words, decoded, judged, saved; and what is refused before training."""

import numpy as np
import pytest
import torch

import ganglion as gg
from ganglion.algorithms.speech_recognizer import SpeechRecognizer
from ganglion.data.convert import as_dataset
from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.networks.listening import ConvolutionFront, steps_left
from ganglion.networks.sequences import Steps

RATE = 4000
TONES = {"low": 300, "mid": 700, "high": 1500}
QUICK = {"width": 16, "layers": 1, "channels": 8, "epochs": 25, "batch_size": 8, "learning_rate": 0.01}
QUICK |= {"random_state": 0, "spectrogram": "log_mel(normalize='loudness')"}


def spoken(n, seed=0, most=4):
    """Return recordings of words that are tones, with pauses, and what is said."""
    rng = np.random.default_rng(seed)
    X, y = [], []
    for n_words in rng.integers(1, most, n):
        words = rng.choice(list(TONES), n_words)
        parts = []
        for word in words:
            time = np.arange(rng.integers(500, 900)) / RATE
            parts += [np.sin(2 * np.pi * TONES[word] * time), np.zeros(rng.integers(400, 800))]
        sound = np.concatenate(parts)
        X.append((RATE, (sound + 0.05 * rng.normal(size=len(sound))).astype(np.float32) / 2))
        y.append(" ".join(words))
    return X, np.array(y, dtype=object)


@pytest.fixture(scope="module")
def trained():
    settings = {**QUICK, "width": 24, "epochs": 35, "learning_rate": 0.01}
    return SpeechRecognizer(tokenizer="words(min_count=1)", **settings).fit(*spoken(80))


def test_words_are_learned(trained):
    X, y = spoken(30, seed=1)
    assert trained.score(X, y) > 0.9
    assert trained.predict(X[:2]).tolist() == y[:2].tolist()


def test_decoding_may_be_changed_after_training(trained):
    X, y = spoken(10, seed=2)
    before = trained.beams
    try:
        assert trained.set_params(beams=1).score(X, y) > 0.8
        with pytest.raises(InvalidParameter, match="beams"):
            trained.set_params(beams=0).predict(X)
    finally:
        trained.set_params(beams=before)


def test_score_samples_is_the_log_of_a_chance(trained):
    X, _ = spoken(6, seed=3)
    sure = trained.score_samples(X)
    assert sure.shape == (6,)
    assert (sure <= 1e-5).all()


def test_paths_arrays_and_data_sets_are_heard_alike(trained, tmp_path):
    soundfile = pytest.importorskip("soundfile")
    X, _ = spoken(3, seed=4)
    paths = []
    for i, (rate, samples) in enumerate(X):
        paths.append(tmp_path / f"{i}.wav")
        soundfile.write(paths[-1], samples, rate, subtype="FLOAT")
    expected = trained.predict(X).tolist()
    assert trained.predict([str(path) for path in paths]).tolist() == expected
    assert trained.predict(as_dataset(X)).tolist() == expected
    assert trained.predict(gg.read(tmp_path)).tolist() == expected
    assert trained.predict(tmp_path).tolist() == expected


def test_another_rate_is_heard_alike(trained):
    from scipy.signal import resample_poly

    X, _ = spoken(5, seed=5)
    faster = [(2 * RATE, resample_poly(samples, 2, 1)) for _, samples in X]
    assert trained.predict(faster).tolist() == trained.predict(X).tolist()


def test_saved_and_loaded(trained, tmp_path):
    X, _ = spoken(4, seed=6)
    trained.save(tmp_path / "m.ganglion")
    loaded = gg.load(tmp_path / "m.ganglion")
    assert loaded.predict(X).tolist() == trained.predict(X).tolist()
    np.testing.assert_array_equal(loaded.score_samples(X), trained.score_samples(X))


def test_letters_are_learned():
    X, y = spoken(80)
    settings = {**QUICK, "width": 24, "epochs": 20, "learning_rate": 0.01, "spec_augment": "none"}
    model = SpeechRecognizer(**settings).fit(X, y)
    X, y = spoken(30, seed=1)
    assert model.score(X, y) > 0.7


def test_history_counts_transcripts_that_are_right():
    X, y = spoken(40)
    model = SpeechRecognizer(tokenizer="words(min_count=1)", validation_fraction=0.25, **QUICK).fit(X, y)
    scores, losses = ([row[name] for row in model.history_.rows] for name in ("validation_score", "validation_loss"))
    assert losses[-1] < losses[0] / 2
    assert 0 <= min(scores) <= max(scores) <= 1


def test_a_recording_is_heard_the_same_beside_longer_ones():
    torch.manual_seed(0)
    front = ConvolutionFront(9, 4, 6, 2).eval()
    one, longer = torch.randn(5, 9), torch.randn(14, 9)
    alone = front(Steps(one[None], torch.tensor([5])))
    batch = torch.zeros(2, 14, 9)
    batch[0, :5], batch[1] = one, longer
    together = front(Steps(batch, torch.tensor([5, 14])))
    assert together.lengths.tolist() == [3, 7]
    torch.testing.assert_close(together.x[0, :3], alone.x[0])


@pytest.mark.parametrize("subsampling", [1, 2, 4])
def test_steps_that_are_left(subsampling):
    front = ConvolutionFront(8, 2, 3, subsampling).eval()
    for n in range(1, 12):
        found = front(Steps(torch.randn(1, n, 8), torch.tensor([n])))
        assert found.x.shape[1] == int(found.lengths[0]) == int(steps_left(torch.tensor([n]), subsampling)[0])


# what is refused


def test_a_transcript_longer_than_its_recording_can_carry():
    X, y = spoken(12)
    X[4] = (RATE, X[4][1][:400])
    y[4] = "aaaaa"
    with pytest.raises(InvalidInput) as refused:
        SpeechRecognizer(**QUICK).fit(X, y)
    words = str(refused.value)
    # 400 samples are 1 + ⌈(400 - 128) / 40⌉ = 8 steps, of which 4 are left; five letters a and a blank between need 9
    assert (
        "1 of 12 transcripts are longer than their recordings can carry: row 4 ('aaaaa') needs 9 steps and has 4"
        in words
    )
    assert "subsampling=1" in words
    y[4] = "abab"
    SpeechRecognizer(**QUICK | {"epochs": 1}).fit(X, y)
    y[4] = "aab"
    SpeechRecognizer(**QUICK | {"epochs": 1}).fit(X, y)
    y[4] = "aaab"
    with pytest.raises(InvalidInput, match="needs 6 steps and has 4"):
        SpeechRecognizer(**QUICK).fit(X, y)


def test_a_transcript_too_long_does_not_count_without_weight():
    X, y = spoken(12)
    y[4] = "a" * 500
    weight = np.ones(12)
    weight[4] = 0
    SpeechRecognizer(**QUICK | {"epochs": 1}).fit(X, y, sample_weight=weight)


def test_a_transcript_too_long_among_held_out_ones():
    X, y = spoken(12)
    late = y.copy()
    late[2] = "a" * 500
    with pytest.raises(InvalidInput, match="validation: 1 of 12 transcripts are longer"):
        SpeechRecognizer(**QUICK | {"tokenizer": "characters"}).fit(X, y, validation=(X, late))


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (["one"] * 11, "Recordings and transcripts come in pairs"),
        (["one"] * 11 + [None], "the transcript in row 11 is missing"),
        (["one"] * 11 + [3], "the transcript in row 11 is 3, a int, and no text"),
        (["one"] * 11 + ["  "], "1 of 12 transcripts are empty"),
        ("one", "the target y is one text"),
    ],
)
def test_transcripts_that_are_none(y, words):
    with pytest.raises(InvalidInput, match=words):
        SpeechRecognizer(**QUICK).fit(spoken(12)[0], y)


@pytest.mark.parametrize("X", [[np.zeros(500)] * 4, ["a text"] * 4, np.zeros((4, 500)), [[1.0, 2.0]] * 4])
def test_what_is_no_recording(X):
    with pytest.raises(InvalidInput, match=r"SpeechRecognizer reads recordings, but .*pairs \(rate, samples\)"):
        SpeechRecognizer(**QUICK).fit(X, ["a"] * 4)


def test_a_model_of_recordings_asked_about_a_table(trained):
    with pytest.raises(InvalidInput, match="trained on recordings"):
        trained.predict(np.zeros((3, 4)))


@pytest.mark.parametrize("settings", ["log_mel(trim=30)", "log_mel(steps=32)"])
def test_what_single_words_are_brought_to_is_refused(settings):
    with pytest.raises(InvalidParameter, match=r"trim and steps are for single words.*leave both out"):
        SpeechRecognizer(**QUICK | {"spectrogram": settings}).fit(*spoken(4))
