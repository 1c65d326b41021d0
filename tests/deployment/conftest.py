"""Small models of every task that leaves, exported once, and a browser to open their pages in."""

import wave

import numpy as np
import pytest
from benchmarks.browser import Browser
from benchmarks.claims._paged import PageModel
from tests.deployment.made import exported, fitted, small
from tests.deployment.opened import RUNTIME

import ganglion as gg
from ganglion.checks.data import data_for, image_stack, mixed_frame, several_series, squares, tagged, tones
from ganglion.deployment.page_export import page_of
from ganglion.deployment.web_runtime import PLACE, find_web_runtime


@pytest.fixture(autouse=True)
def _runtime(monkeypatch):
    if RUNTIME is not None:
        monkeypatch.setenv(PLACE, str(RUNTIME))


@pytest.fixture(scope="session")
def tone(tmp_path_factory):
    """Two seconds of a high tone, 44,100 samples a second, which the microphone hears too."""
    path = tmp_path_factory.mktemp("sound") / "tone.wav"
    samples = 12_000 * np.sin(2 * np.pi * 1_200 / 44_100 * np.arange(88_200))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 44_100, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    return path


@pytest.fixture(scope="session")
def browser(tone):
    with Browser(sound=tone) as opened:
        yield opened


@pytest.fixture(scope="session")
def open_page(browser, tmp_path_factory):
    """Export a model, and open its page."""

    def opened(model):
        page = tmp_path_factory.mktemp("page") / "model.html"
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(PLACE, str(RUNTIME))
            gg.export(model, page)
        return PageModel(browser, page)

    return opened


@pytest.fixture(scope="session")
def page_of_kind(browser, tmp_path_factory):
    """Open the page of a model that was exported already."""

    def opened(path):
        page, alone = tmp_path_factory.mktemp("page") / "model.html", gg.OnnxModel.load(path)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(PLACE, str(RUNTIME))
            page.write_text(page_of(alone.signature, path.read_bytes(), alone.card, find_web_runtime()), "utf-8")
        return PageModel(browser, page)

    return opened


@pytest.fixture(scope="session")
def of_kind(tmp_path_factory):
    """Export a model; return it, its export, the rows that they were compared on, and the file."""

    def made(model, rows):
        path = tmp_path_factory.mktemp("kind") / "model.onnx"
        return model, exported(model, path, rows), rows, path

    return made


@pytest.fixture(scope="session")
def masks(of_kind):
    X, y = image_stack(gg.SegmentationCNN())
    model = fitted(small(gg.SegmentationCNN, depth=2, channels=2), X, y)
    return of_kind(model, X)


@pytest.fixture(scope="session")
def outliers(of_kind):
    frame, _ = mixed_frame(gg.Autoencoder())
    model = fitted(small(gg.Autoencoder, contamination=0.2), frame)
    return of_kind(model, frame)


@pytest.fixture(scope="session")
def forecasts(of_kind):
    frame, _ = several_series()
    frame.loc[[97, 98, 99, 187, 188, 189], "one"] = np.nan  # what comes, of which "other" is known
    frame.loc[[50, 120], "one"] = np.nan
    model = small(gg.Forecaster, horizon=3, window=12, steps=3, target="one", known="other", epochs="auto")
    return of_kind(fitted(model, frame), frame)


@pytest.fixture(scope="session")
def windows(of_kind):
    X = np.random.default_rng(0).normal(size=(40, 9, 5))
    return of_kind(fitted(small(gg.Autoencoder, sparsity="kl"), X), X)


@pytest.fixture(scope="session")
def codes(of_kind):
    X = data_for(gg.VAE())[0]
    return of_kind(fitted(small(gg.VAE), X), X)


@pytest.fixture(scope="session")
def words(of_kind):
    X, y = tagged(n=30)
    return of_kind(fitted(small(gg.RNNTagger), X, y), X)


@pytest.fixture(scope="session")
def objects(of_kind):
    X, y = squares(n=40)
    model = small(gg.DetectionCNN, depth=1, epochs=6, score_threshold=0.01, nms_iou=0.3)
    return of_kind(fitted(model, X, y), X)


@pytest.fixture(scope="session")
def spoken(of_kind):
    X, y = tones(gg.SpeechRecognizer(), n=24)
    settings = {"width": 16, "layers": 1, "channels": 4, "epochs": 50, "learning_rate": 0.01, "batch_size": 8}
    settings |= {
        "tokenizer": "characters(min_count=1)",
        "subsampling": 1,
        "spectrogram": "log_mel(normalize='loudness')",
    }
    model = fitted(gg.SpeechRecognizer(beams=3, random_state=0, **settings), X, y)
    return of_kind(model, X)
