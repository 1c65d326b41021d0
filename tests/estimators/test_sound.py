"""Classes of recordings by the ordinary classifiers: learned, changed at random in training only, reported."""

import numpy as np
import pytest
import torch

import ganglion as gg
from ganglion.algorithms.cnn import CNNClassifier
from ganglion.algorithms.rnn import RNNClassifier
from ganglion.algorithms.transformer import TransformerClassifier
from ganglion.errors import DataWarning, InvalidInput
from ganglion.networks.convolution import ConvolutionStack
from ganglion.networks.sequences import Steps
from ganglion.networks.spectrograms import SpectrogramStack

RATE = 4000
QUICK = {
    CNNClassifier: {"channels": (8, 8), "hidden": (16,), "epochs": 8},
    RNNClassifier: {"width": 12, "epochs": 12, "learning_rate": 0.01},
    TransformerClassifier: {"width": 16, "layers": 1, "epochs": 12},
}


def chirps(n, seed=0):
    """Return rising and falling tones of different lengths: their order tells the class, not their bands."""
    rng = np.random.default_rng(seed)
    X, y = [], rng.choice(["falls", "rises"], n)
    for label in y:
        time = np.arange(rng.integers(700, 1200)) / RATE
        sweep = 300 + 900 * (time if label == "rises" else time[::-1]) / time[-1]
        sound = np.sin(2 * np.pi * np.cumsum(sweep) / RATE) + 0.1 * rng.normal(size=len(time))
        X.append((RATE, (sound / 2).astype(np.float32)))
    return X, y


@pytest.mark.parametrize("algorithm", QUICK, ids=lambda each: each.__name__)
def test_order_in_time_is_learned(algorithm):
    X, y = chirps(120)
    model = algorithm(batch_size=16, random_state=0, **QUICK[algorithm]).fit(X, y)
    assert model.score(*chirps(60, seed=1)) > 0.85


@pytest.mark.parametrize("residual", [False, True])
def test_features_are_the_same_alone_and_beside_longer_ones(residual):
    torch.manual_seed(0)
    plain = ConvolutionStack((1, 12, 12), (4, 6), depth=2, residual=residual, normalization="batch")
    stack = SpectrogramStack(plain, 12, 6, "flatten").eval()
    one, longer = torch.randn(5, 12), torch.randn(23, 12)
    alone = stack(Steps(one[None], torch.tensor([5])))
    batch = torch.zeros(2, 23, 12)
    batch[0, :5], batch[1] = one, longer
    together = stack(Steps(batch, torch.tensor([5, 23])))
    assert together.shape == (2, stack.n_out)
    torch.testing.assert_close(together[0], alone[0])


def test_changes_at_random_may_be_left_out_and_are_not_made_in_use():
    X, y = chirps(40)
    options = QUICK[CNNClassifier] | {"random_state": 0, "epochs": 2}
    model = CNNClassifier(**options).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), model.predict_proba(X))
    plain = CNNClassifier(spec_augment="none", **options).fit(X, y)
    assert not np.array_equal(model.predict_proba(X), plain.predict_proba(X))


def test_a_folder_of_recordings_from_the_beginning_to_the_page(tmp_path):
    soundfile = pytest.importorskip("soundfile")
    X, y = chirps(60)
    for i, ((rate, samples), label) in enumerate(zip(X, y, strict=True)):
        (tmp_path / "d" / label).mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / "d" / label / f"{i}.wav", samples, rate)
    data = gg.read(tmp_path / "d")
    model = CNNClassifier(**QUICK[CNNClassifier] | {"epochs": 1}, random_state=0).fit(*data.X_y())
    report = gg.evaluate(model, *chirps(30, seed=1), train=data.X_y())
    assert report.baselines[0].name == "majority class"
    assert report.augmentation is not None
    assert all(each.picture for each in report.mistakes)
    report.to_html(tmp_path / "r.html")
    assert "data:image/png" in (tmp_path / "r.html").read_text()
    model.save(tmp_path / "m.ganglion")
    loaded = gg.load(tmp_path / "m.ganglion")
    assert loaded.predict(tmp_path / "d").tolist() == model.predict(X_of(data)).tolist()


def X_of(data):
    return data.X_y()[0]


def test_other_columns_beside_recordings_are_told(tmp_path):
    soundfile = pytest.importorskip("soundfile")
    X, y = chirps(12)
    lines = ["path,speaker,label"]
    for i, ((rate, samples), label) in enumerate(zip(X, y, strict=True)):
        soundfile.write(tmp_path / f"{i}.wav", samples, rate)
        lines.append(f"{i}.wav,{'ab'[i % 2]},{label}")
    (tmp_path / "list.csv").write_text("\n".join(lines))
    with pytest.warns(DataWarning, match="the columns 'speaker' are left out"):
        CNNClassifier(**QUICK[CNNClassifier] | {"epochs": 1}).fit(*gg.read(tmp_path).X_y())


def test_who_reads_no_recordings_says_so():
    with pytest.raises(InvalidInput, match="MLPClassifier reads tables and images, but recordings were given"):
        gg.MLPClassifier().fit(*chirps(10))


def test_feature_maps_of_recordings_are_refused_in_words():
    X, y = chirps(10)
    model = CNNClassifier(**QUICK[CNNClassifier] | {"epochs": 1}).fit(X, y)
    with pytest.raises(InvalidInput, match="feature_maps are of images"):
        model.feature_maps(X)


def test_single_words_are_pictures_of_so_many_steps(tmp_path):
    X, y = chirps(40)
    quiet = [(rate, np.concatenate([np.zeros(700), sound, np.zeros(90)]).astype(sound.dtype)) for rate, sound in X]
    word = "log_mel(bands=16, floor=30, emphasis=0.5, trim=25, steps=16)"
    augment = "spec_augment(pace=0.3, edges=0.1, floor=5)"
    model = CNNClassifier(
        channels=(8, 16), hidden=(16,), epochs=15, spectrogram=word, spec_augment=augment, random_state=0
    ).fit(X, y)
    assert model.network_.body[0].n_out == 16 * 4 * 4  # each place is a feature
    assert model.score(quiet, y) > 0.9  # silence around a word says nothing
    model.save(tmp_path / "words.ganglion")
    np.testing.assert_array_equal(gg.load(tmp_path / "words.ganglion").predict_proba(quiet), model.predict_proba(quiet))
