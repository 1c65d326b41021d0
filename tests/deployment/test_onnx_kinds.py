"""What leaves beside classes and numbers of rows: masks, outliers, codes; every other estimator says what instead."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image
from tests.deployment.made import exported, fitted, small

import ganglion as gg
from ganglion.checks.data import data_for, image_stack, several_series, waves
from ganglion.data import image_folder
from ganglion.data.image_folder import files_to_dataset
from ganglion.deployment import onnx_export
from ganglion.deployment.capability import why_not
from ganglion.deployment.kinds import KINDS
from ganglion.deployment.parity import Parity
from ganglion.deployment.pictures import in_files
from ganglion.deployment.said import ragged
from ganglion.errors import ExportRefused, InvalidInput
from ganglion.registry import all_algorithms


def predicted_alone(model, rows, *options):
    """Return the cells of what `ganglion predict` writes where there is no torch."""
    code = (
        "import sys\n"
        "sys.modules['torch'] = sys.modules['sklearn'] = None\n"
        f"sys.argv = ['ganglion', 'predict', *{[str(each) for each in (model, rows, *options)]!r}]\n"
        "from ganglion.cli.main import run\n"
        "run()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [line.split(",") for line in done.stdout.splitlines()]


@pytest.mark.parametrize("sides", [(12, 10), (5, 6), (8, 8), (9, 40), (33, 7)])
def test_masks_of_pictures_of_any_size(masks, sides):
    model, alone, *_ = masks
    X = np.random.default_rng(0).integers(0, 256, (3, *sides), dtype=np.uint8)
    assert alone.predict(X).dtype == np.uint8
    np.testing.assert_array_equal(alone.predict(X), model.predict(X))
    np.testing.assert_allclose(alone.predict_proba(X), model.predict_proba(X), atol=1e-5)


def test_masks_of_a_folder_are_written_without_torch(masks, tmp_path):
    model, _, _, path = masks
    pictures, out = np.random.default_rng(1).integers(0, 256, (3, 12, 10), dtype=np.uint8), tmp_path / "masks.npz"
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i, pixels in enumerate(pictures):
        Image.fromarray(pixels).save(folder / f"{i}.png")
    Image.fromarray(pictures[0]).resize((30, 20)).save(folder / "3.png")  # files are brought to the size of training
    assert predicted_alone(path, folder, "--out", out) == []
    files = sorted(folder.iterdir())
    with np.load(out) as written:
        np.testing.assert_array_equal(written["prediction"], model.predict(files))
        np.testing.assert_array_equal(written["classes"], model.classes_)
        np.testing.assert_allclose(written["probabilities"], model.predict_proba(files), atol=1e-5)
        assert written["prediction"].shape == (4, 12, 10)
    with pytest.raises(AssertionError, match=r"masks are no lines of text: give --out FILE\.npz"):
        predicted_alone(path, folder)


def test_a_mask_file_says_what_it_gives(masks):
    _, alone, *_ = masks
    assert alone.signature.inputs[0].shape == ("N", "H", "W", 1)
    assert {each.role: each.shape for each in alone.signature.outputs} == {
        "label": ("N", "H", "W"),
        "probabilities": ("N", 3, "H", "W"),
    }
    assert alone.card.startswith("# SegmentationCNN")
    with pytest.raises(InvalidInput, match="any height and width and 1 channel"):
        alone.predict(np.zeros((2, 8, 8, 3), dtype=np.uint8))


def test_outliers_of_a_mixed_table(outliers):
    model, alone, frame, _ = outliers
    assert set(alone.predict(frame)) == {-1, 1}
    np.testing.assert_array_equal(alone.predict(frame), model.predict(frame))
    np.testing.assert_allclose(alone.decision_function(frame), model.decision_function(frame), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(alone.transform(frame), model.transform(frame), rtol=1e-5, atol=1e-5)
    with pytest.raises(InvalidInput, match="gives no probabilities, but: label, score, codes"):
        alone.predict_proba(frame)


def test_outliers_are_predicted_without_torch(outliers, tmp_path):
    model, _, frame, path = outliers
    frame.to_csv(tmp_path / "rows.csv", index=False)
    lines = predicted_alone(path, tmp_path / "rows.csv")
    assert lines[0] == ["prediction", "score", "code_0", "code_1"]
    assert [int(line[0]) for line in lines[1:]] == model.predict(frame).tolist()


@pytest.mark.parametrize("options", [{}, {"architecture": "convolutional", "loss": "cross_entropy"}])
def test_outliers_among_pictures(options, tmp_path):
    X, _ = image_stack(gg.Autoencoder())
    model = fitted(small(gg.Autoencoder, **options), X)
    alone = exported(model, tmp_path / "model.onnx", X)
    np.testing.assert_array_equal(alone.predict(X), model.predict(X))
    other = X[:, 2:].repeat(5, 1)
    np.testing.assert_array_equal(alone.predict(other), model.predict(list(other)))


def test_outliers_among_windows(windows):
    model, alone, X, _ = windows
    np.testing.assert_array_equal(alone.predict(X), model.predict(X))
    with pytest.raises(InvalidInput, match="images of 9 × 5 pixels"):  # they are no pictures: none is squeezed
        alone.predict(X[:, 2:])


@pytest.mark.parametrize("cls", [gg.VAE, gg.RBM])
def test_codes(cls, codes, tmp_path):
    model, alone, X, _ = codes
    if cls is gg.RBM:
        X = image_stack(cls())[0]
        model = fitted(small(cls), X)
        alone = exported(model, tmp_path / "model.onnx")
    np.testing.assert_allclose(alone.transform(X), model.transform(X), rtol=1e-5, atol=1e-5)
    with pytest.raises(InvalidInput, match=f"a {cls.__name__} codes rows, and predicts nothing. Ask for transform"):
        alone.predict(X)


def test_labels_of_words(words):
    model, alone, *_ = words
    texts = [["Walking", "x", "1984", "never-seen"], ["x"], ["ÿ", "talks"] * 20]
    assert list(alone.predict(texts)) == list(model.predict(texts))
    assert alone.predict(["Walking x  1984"])[0] == model.predict([["Walking", "x", "1984"]])[0]
    for own, said in zip(model.predict_proba(texts), alone.predict_proba(texts), strict=True):
        np.testing.assert_allclose(said, own, atol=1e-5)
    with pytest.raises(InvalidInput, match=r"text 1 is .*Give each text as a list of words"):
        alone.predict([["a"], []])


def test_labels_of_steps(tmp_path):
    X, y = waves(n=24)
    model = fitted(small(gg.RNNTagger, cell="gru"), X, y)
    alone = exported(model, tmp_path / "model.onnx", X)
    longer = [np.random.default_rng(0).normal(size=(length, 3)) for length in (1, 50, 7)]
    assert list(alone.predict(longer)) == list(model.predict(longer))


def test_forecasts_of_several_series_with_what_is_known_ahead(forecasts):
    model, alone, frame, _ = forecasts
    np.testing.assert_allclose(alone.predict(frame), model.predict(frame), atol=1e-5)
    np.testing.assert_allclose(alone.predict_quantiles(frame), model.predict_quantiles(frame), atol=1e-5)
    assert alone.signature.levels == model.quantiles


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (lambda frame: frame.drop(index=95), "series 'north' has no step between 2024-04-04 and 2024-04-06"),
        (lambda frame: frame.drop(index=99), "'other' is told for 2 steps ahead of series 'north'"),
        (lambda frame: frame.tail(14), "series 'south' has 11 steps up to its last target, but the model reads 12"),
        (lambda frame: frame.rename(columns={"other": "others"}), "'other' is missing. Did you mean 'others'"),
    ],
)
def test_series_that_cannot_be_read(forecasts, changed, message):
    _, alone, frame, _ = forecasts
    with pytest.raises(InvalidInput, match=message):
        alone.predict(changed(frame))


def test_a_file_of_series_is_forecast_without_torch(forecasts, tmp_path):
    model, _, frame, path = forecasts
    frame.to_csv(tmp_path / "rows.csv", index=False)
    lines = predicted_alone(path, tmp_path / "rows.csv")
    assert lines[0] == ["series", "step", "one", "one_0.05", "one_0.25", "one_0.5", "one_0.75", "one_0.95"]
    said = np.array([float(line[2]) for line in lines[1:]])
    np.testing.assert_allclose(said, model.predict(frame).ravel(), atol=1e-5)


@pytest.mark.parametrize("options", [{"network": "lstm", "loss": "gaussian"}, {"network": "linear", "loss": "mse"}])
def test_forecasts_of_one_series(options, tmp_path):
    X = np.sin(np.arange(90) / 3) + 0.1 * np.random.default_rng(0).normal(size=90)
    model = fitted(small(gg.Forecaster, horizon=4, window=10, steps=3, epochs="auto", **options), X)
    alone = exported(model, tmp_path / "model.onnx", X)
    assert alone.predict(X).shape == (4,)
    np.testing.assert_allclose(alone.predict(X), model.predict(X), atol=1e-5)
    batch = np.stack([X[:80], X[10:]])
    np.testing.assert_allclose(alone.predict(batch[:, :, None])[1], model.predict(X), atol=1e-5)


def test_a_calendar_stays(tmp_path):
    frame, _ = several_series()
    model = small(gg.Forecaster, horizon=3, window=12, steps=3, epochs="auto", target="one", calendar=True)
    with pytest.raises(ExportRefused, match=r"Train it without calendar=True"):
        gg.export(fitted(model, frame), tmp_path / "model.onnx")


def test_objects_in_pictures(objects, tmp_path, monkeypatch):
    model, alone, X, path = objects
    own, said = model.predict(X), alone.predict(X)
    assert sum(map(len, own)) > 40
    for one, other in zip(own, said, strict=True):
        np.testing.assert_array_equal(other.labels, one.labels)
        np.testing.assert_allclose(other.boxes, one.boxes, atol=1e-4)
        np.testing.assert_allclose(other.scores, one.scores, atol=1e-5)
    raw = path.read_bytes()
    monkeypatch.setattr(onnx_export, "_written", lambda *_, **__: raw)
    monkeypatch.setattr(onnx_export, "_compared", lambda *_: Parity(69, 0.0, "noisy images", 0.0, 0, labels=True))
    with pytest.raises(ExportRefused, match=r"finds nothing in the pictures.*rows=pictures"):
        gg.export(model, tmp_path / "none.onnx")
    assert not (tmp_path / "none.onnx").exists()


def test_recordings_go_in_and_texts_come_out(spoken):
    model, alone, X, _ = spoken
    own = model.predict(X)
    assert len(set(own)) > 5
    assert alone.predict(X).tolist() == own.tolist()
    some = [X[3], (8000, X[4][1]), (4000, np.linspace(-1, 1, 50))]
    said = alone.answer(some)
    assert said["label"].tolist() == model.predict(some).tolist()
    for steps, wanted in zip(said["probabilities"], model.token_probabilities(some), strict=True):
        np.testing.assert_allclose(steps, wanted, atol=1e-5)
        np.testing.assert_allclose(steps.sum(1), 1.0, atol=1e-5)


def test_a_speech_file_says_what_it_gives(spoken):
    model, alone, *_ = spoken
    assert {each.role: each.shape for each in alone.signature.outputs} == {
        "tokens": ("N", "S"),
        "steps": ("N",),
        "probabilities": ("N", "S", model.target_.n_scores),
    }
    assert alone.signature.settings == {"beams": 3}
    assert sorted(alone.signature.tokenizer["vocabulary"][4:]) == ["a", "b"]


def test_recordings_are_written_down_without_torch(spoken, tmp_path):
    model, _, X, path = spoken
    folder = tmp_path / "said"
    folder.mkdir()
    for i, (rate, samples) in enumerate(X[:4]):
        soundfile.write(folder / f"{i}.wav", samples, rate, subtype="PCM_16")
    assert predicted_alone(path, folder) == [["prediction"], *([text] for text in model.predict(X[:4]))]


def test_objects_in_files_are_told_in_their_pixels(objects, tmp_path):
    model, alone, X, _ = objects
    paths = [tmp_path / f"{i}.png" for i in range(3)]
    for path, picture in zip(paths, X, strict=False):
        Image.fromarray((255 * picture / picture.max()).astype(np.uint8)).resize((30, 60)).save(path)
    data = files_to_dataset(paths, model.encoder_.reading)
    found = model.predict(data)
    own = image_folder.in_files(found, data)
    said = in_files(alone.signature, paths, ragged([each.boxes for each in found]))
    assert sum(map(len, said)) > 3
    for one, boxes in zip(own, said, strict=True):
        np.testing.assert_array_equal(boxes, one.boxes)
    np.testing.assert_array_equal(in_files(alone.signature, X, said)[0], said[0])


ALGORITHMS = all_algorithms()
ALTERNATIVE = r"ganglion (predict|sample) MODEL|Call sample\(\) of the model file"


@pytest.mark.parametrize("name", sorted(ALGORITHMS))
def test_every_estimator_leaves_or_says_what_instead(name, tmp_path):
    cls = ALGORITHMS[name]
    if cls.tags.task in KINDS and (cls.tags.task != "generation" or hasattr(cls, "transform")):
        return  # its task has an entry, which is tested with it, here or in `test_onnx`
    model = fitted(small(cls), *data_for(cls()))
    with pytest.raises(ExportRefused, match=f"{name} cannot be exported: .*({ALTERNATIVE})"):
        gg.export(model, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_the_walk_meets_every_public_estimator():
    public = {
        name for name in gg.__all__ if isinstance(cls := getattr(gg, name), type) and issubclass(cls, gg.Estimator)
    }
    assert public - {"Estimator", "Classifier", "Regressor"} <= set(ALGORITHMS)


def test_pages_and_servers_say_where_the_others_go():
    frame = pd.DataFrame({"x": np.arange(40.0), "y": np.arange(40.0) % 7})
    model = fitted(small(gg.Autoencoder), frame)
    assert "its task is reconstruction. Export to .onnx" in why_not(model)
    assert why_not(model, KINDS) is None


def test_codes_that_depend_on_labels_stay(tmp_path):
    X = np.random.default_rng(0).normal(size=(40, 3))
    model = fitted(small(gg.VAE, conditional=True), X, np.arange(40) % 2)
    with pytest.raises(ExportRefused, match=r"depend on labels.*without conditional=True"):
        gg.export(model, tmp_path / "model.onnx")
