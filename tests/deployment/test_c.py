"""Models as C: compiled without a warning, with the answers of the original; float and int8; with a self-test."""

import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

import ganglion as gg
from ganglion.deployment import c_check
from ganglion.errors import ExportRefused, InvalidParameter

needs_compiler = pytest.mark.skipif(c_check.compiler() is None, reason="no C compiler (cc, gcc or clang) here")
RNG = np.random.default_rng(0)


def people(n=200):
    frame = pd.DataFrame(
        {
            "age": RNG.normal(40, 10, n),
            "town": RNG.choice(["Bonn", "Köln, am ??/Rhein", '"quoted"\\'], n),
            "since": pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.integers(0, 1000, n), unit="D"),
            "member": RNG.random(n) > 0.5,
        }
    )
    frame.loc[3, "age"], frame.loc[4, "town"] = np.nan, None
    return frame


FRAME = people()
NUMBERS = FRAME.age.fillna(40).to_numpy()
ARRAY, IMAGES = RNG.normal(size=(200, 6)), RNG.integers(0, 256, (120, 9, 7, 3), dtype=np.uint8)
GREY, BRIGHT = IMAGES[..., 0] / 255, IMAGES.mean((1, 2, 3))
DIGITS = np.searchsorted(np.quantile(IMAGES[:, :4].mean((1, 2, 3)), [1 / 3, 2 / 3]), IMAGES[:, :4].mean((1, 2, 3)))
few = {"epochs": 3, "random_state": 0}
MODELS = {
    "mixed columns": (gg.MLPClassifier(hidden=(8,), **few), FRAME, np.where(NUMBERS > 40, "old", "young")),
    "three classes": (gg.MLPClassifier(hidden=(8, 8), normalization="batch", **few), ARRAY, np.arange(200) % 3),
    "several labels": (gg.MLPClassifier(hidden=(8,), **few), ARRAY, (ARRAY[:, :2] > 0).astype(int)),
    "numbers": (gg.MLPRegressor(hidden=(8,), scaling="robust", **few), FRAME, 1e5 * NUMBERS),
    "two numbers": (
        gg.MLPRegressor(hidden=(8, 8), residual=True, normalization="layer", **few),
        ARRAY,
        ARRAY[:, :2] ** 2,
    ),
    "with deviations": (gg.MLPRegressor(hidden=(8,), loss="gaussian_nll", **few), ARRAY, ARRAY[:, 0] ** 2),
    "counts": (gg.MLPRegressor(hidden=(8,), loss="poisson", **few), ARRAY, np.round(np.abs(ARRAY[:, 0]))),
    "perceptron": (gg.Perceptron(epochs=3, random_state=0), ARRAY, np.where(ARRAY[:, 0] > 0, "b", "a")),
    "perceptron of pictures": (gg.Perceptron(epochs=3, random_state=0), IMAGES, DIGITS),
    "signal": (gg.CNNClassifier(channels=(4,), hidden=(8,), **few), ARRAY, np.arange(200) % 3),
    "pictures": (gg.CNNClassifier(channels=(4, 6), hidden=(8,), **few), IMAGES, DIGITS),
    "residual": (gg.CNNRegressor(channels=(4, 6), residual=True, pooling="average", **few), GREY, BRIGHT),
    "averaged": (gg.CNNRegressor(channels=(4,), head="average", depth=2, **few), IMAGES, BRIGHT),
}


@pytest.fixture(scope="module", params=MODELS)
def fitted(request):
    model, X, y = MODELS[request.param]
    return model.fit(X, y), X


@needs_compiler
def test_it_answers_as_the_original(fitted, tmp_path):
    model, X = fitted
    exported = gg.export(model, tmp_path / "model.c", rows=X)
    assert exported.parity.holds
    assert exported.parity.rows > len(X)
    assert {each.name for each in tmp_path.iterdir()} == {"model.c", "model.h"}


@needs_compiler
def test_its_self_test_passes_and_can_fail(fitted, tmp_path):
    model, _ = fitted
    gg.export(model, tmp_path / "model.c")
    source = (tmp_path / "model.c").read_text()
    c_check.compile_c(tmp_path / "model.c", tmp_path / "test", "-DGANGLION_SELF_TEST")
    passed = subprocess.run([tmp_path / "test"], capture_output=True, text=True, check=False)
    assert passed.returncode == 0
    assert passed.stdout.endswith("allowed: passed\n")
    spoiled = source.replace("real sum = b[", "real sum = 3 + b[")
    assert spoiled != source
    (tmp_path / "model.c").write_text(spoiled)
    c_check.compile_c(tmp_path / "model.c", tmp_path / "test", "-DGANGLION_SELF_TEST")
    assert subprocess.run([tmp_path / "test"], capture_output=True, check=False).returncode == 1


@needs_compiler
@pytest.mark.parametrize("name", ["mixed columns", "three classes", "numbers", "pictures"])
def test_whole_numbers_of_8_bits(name, tmp_path):
    model, X, y = MODELS[name]
    exported = gg.export(model.fit(X, y), tmp_path / "small.c", rows=X, quantized=True)
    assert exported.parity.difference > 1e-5  # they are no floats
    assert exported.parity.mean < 0.05
    source = (tmp_path / "small.c").read_text()
    assert "static const signed char" in source
    c_check.compile_c(tmp_path / "small.c", tmp_path / "test", "-DGANGLION_SELF_TEST")
    assert subprocess.run([tmp_path / "test"], check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (gg.MLPClassifier(hidden=(8,), scaling="quantile", **few), "scaling='quantile' has no C code"),
        (gg.RNNClassifier(width=8, **few), "SignalInput has no C code"),
        (gg.DBNClassifier(hidden=(8,), **few), "VisibleInput has no C code"),
    ],
)
def test_what_has_no_c_code_says_so(model, message, tmp_path):
    with pytest.raises(ExportRefused, match=message):
        gg.export(model.fit(ARRAY, ARRAY[:, 0] > 0), tmp_path / "model.c")
    assert not list(tmp_path.iterdir())


def test_without_a_compiler_it_asks_for_one(tmp_path, monkeypatch):
    model, X, y = MODELS["three classes"]
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ExportRefused, match=r"no C compiler here .*check=False"):
        gg.export(model.fit(X, y), tmp_path / "model.c")
    assert not list(tmp_path.iterdir())
    assert gg.export(model, tmp_path / "model.c", check=False).parity.rows == 0
    with pytest.raises(InvalidParameter, match=r"\.c has no option 'quantised'. Did you mean 'quantized'"):
        gg.export(model, tmp_path / "model.c", quantised=True)
