"""Data larger than memory: the same bits as in memory, and memory that is bounded."""

import json
import shutil
import sys

import numpy as np
import pandas as pd
import pytest
from benchmarks.claims import larger_than_memory

import ganglion as gg
from ganglion.cli.main import run
from ganglion.errors import DataWarning, InvalidParameter
from ganglion.training.checkpoint import Checkpoints

N = 1500
SMALL = "0.4"  # megabytes


def numbers(n=N, width=20):
    X = np.random.default_rng(0).standard_normal((n, width))
    return X, X[:, 0] - X[:, 1] > 0


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.standard_normal((N, 12)), columns=list("abcdefghijkl"))
    frame["y"] = np.where(frame["a"] > rng.normal(0, 0.3, N), "yes", "no")
    frame["single"] = frame["b"].astype(np.float32)
    frame["job"] = rng.choice(["cook", "baker", None], N)
    frame["moment"] = pd.to_datetime("2020-01-01") + pd.to_timedelta(rng.integers(0, 10**8, N), unit="s")
    frame["truth"] = rng.random(N) < 0.5
    frame.loc[::7, ["c", "moment"]] = None
    path = tmp_path_factory.mktemp("table") / "table.parquet"
    frame.to_parquet(path, row_group_size=400)
    return path


@pytest.fixture
def saved(tmp_path, monkeypatch):
    """Save an array; returns its memory map, with the memory set so low that it is too large."""
    monkeypatch.setenv("GANGLION_MEMORY", SMALL)

    def save(array, mode="r"):
        np.save(tmp_path / "x.npy", array)
        return np.load(tmp_path / "x.npy", mmap_mode=mode)

    return save


def weights(model):
    return {name: tensor.numpy().copy() for name, tensor in model.network_.state_dict().items()}


def assert_same(one, two):
    for name, tensor in weights(one).items():
        np.testing.assert_array_equal(tensor, weights(two)[name], err_msg=name)
    for here, there in zip(one.history_.rows, two.history_.rows, strict=True):
        assert {k: v for k, v in here.items() if k != "seconds"} == {k: v for k, v in there.items() if k != "seconds"}


def classifier(**options):
    return gg.MLPClassifier(**{"hidden": (8,), "epochs": 3, "batch_size": 50, "random_state": 0, **options})


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"scaling": "robust", "precision": "float64"},
        {"scaling": "quantile", "dropout": 0.2},
        {"batch_size": 43, "normalization": "batch"},  # a rest of 17 of 1,350 samples
        {"validation_fraction": 0.0, "class_weight": "balanced"},
    ],
)
def test_a_table_gives_the_same_model(table, monkeypatch, options):
    here = gg.read(table, target="y")
    expected = classifier(**options).fit(here)
    probabilities = expected.predict_proba(here.drop(["y"]))
    monkeypatch.setenv("GANGLION_MEMORY", SMALL)
    there = gg.read(table, target="y")
    assert there.is_on_disk
    found = classifier(**options).fit(there)
    assert_same(expected, found)
    np.testing.assert_array_equal(found.predict_proba(there.drop(["y"])), probabilities)
    np.testing.assert_array_equal(found.predict_proba(here.drop(["y"])), probabilities)


@pytest.mark.parametrize("mode", ["r", "r+"])
@pytest.mark.parametrize("given", ["X and y", "weights", "held-out data"])
def test_a_memory_map_gives_the_same_model(saved, mode, given):
    X, y = numbers()
    X[::9, 3] = np.nan
    models = []
    for each in (X, saved(X, mode)):
        rest = {
            "weights": {"sample_weight": np.arange(N)[300:] % 3},
            "held-out data": {"validation": (each[:300], y[:300])},
        }
        models.append(classifier().fit(each[300:], y[300:], **rest.get(given, {})))
    assert_same(*models)
    np.testing.assert_array_equal(models[0].predict(X), models[1].predict(saved(X)))


def test_rows_that_were_trained_on_are_found_on_disk_too(saved):
    X, y = numbers()
    mapped = saved(X)
    with pytest.warns(DataWarning, match="300 of the 300 validation rows stand among the training rows too"):
        classifier(epochs=1).fit(mapped, y, validation=(mapped[:300], y[:300]))


@pytest.mark.parametrize("dtype", [np.int16, np.float16, np.float32, np.bool_])
def test_a_memory_map_of_another_type(saved, dtype):
    X, y = numbers(9000)
    X = (X * 9).astype(dtype)
    assert_same(classifier(epochs=1).fit(X, y), classifier(epochs=1).fit(saved(X), y))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_images(saved, dtype):
    X = np.random.default_rng(0).integers(0, 255, (900, 6, 7, 3)).astype(dtype)
    y = X[:, 0, 0, 0] > 127
    mapped = saved(X)
    one, two = (classifier(epochs=1, batch_size=30).fit(each, y) for each in (X, mapped))
    assert_same(one, two)
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(mapped))


def test_a_file_of_numbers_with_its_target_inside(tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", np.column_stack(numbers(N)))
    here = gg.read(tmp_path / "x.npy", target=-1)
    expected = classifier().fit(here)
    monkeypatch.setenv("GANGLION_MEMORY", SMALL)
    there = gg.read(tmp_path / "x.npy", target=-1)
    assert (here.is_on_disk, there.is_on_disk) == (False, True)
    assert_same(expected, classifier().fit(there))


def test_names_of_training_are_given_to_a_memory_map(saved):
    X, y = numbers()
    frame = pd.DataFrame(X, columns=[f"n{i}" for i in range(20)])
    model = classifier().fit(frame, y)
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        found = model.predict_proba(saved(X))
    np.testing.assert_array_equal(found, model.predict_proba(frame))


def test_a_run_goes_on_to_the_same_bits(tmp_path, saved):
    X, y = numbers()
    every = Checkpoints(folder=tmp_path / "run", steps=1, seconds=None, keep=100)
    whole = classifier().fit(X, y, checkpoint=every)
    mapped = saved(X)
    for step in (5, 27, 40, 54):  # in an epoch of 27 steps, and at its end
        folder = tmp_path / str(step)
        folder.mkdir()
        shutil.copy(tmp_path / "run" / f"step-{step:012d}.checkpoint", folder)
        assert_same(whole, classifier().fit(mapped, y, resume=folder))


def test_all_samples_in_one_step_are_refused(saved):
    X, y = numbers()
    with pytest.raises(InvalidParameter, match="samples of a step are too large for memory"):
        classifier(optimizer="lbfgs").fit(saved(X), y)


@pytest.mark.parametrize("image", [False, True])
def test_an_evaluation_is_the_same(saved, image):
    X, y = numbers(900, 64)
    X = X.reshape(-1, 8, 8) if image else X
    model = classifier(epochs=1).fit(X, y)
    asked = X + np.float64(0.5)
    expected = gg.evaluate(model, asked, y, train=(X, y), n_bootstrap=40)
    found = gg.evaluate(model, asked, y, train=(saved(X), y), n_bootstrap=40)
    assert expected.to_dict()["model"] == found.to_dict()["model"]
    assert [each.metrics for each in expected.baselines] == [each.metrics for each in found.baselines]


def test_the_command_trains_the_same_model(table, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    written = []
    for megabytes in ("1000", SMALL):
        monkeypatch.setenv("GANGLION_MEMORY", megabytes)
        for words in (
            ["train", table, "--target", "y", "--no-baselines", "--set", "epochs=2", "--json", "--out", megabytes],
            ["predict", megabytes, table, "--out", f"{megabytes}.csv"],
        ):
            monkeypatch.setattr(sys, "argv", ["ganglion", *map(str, words)])
            with pytest.raises(SystemExit) as ended:
                run()
            assert not ended.value.code
        report = json.loads(capsys.readouterr().out)
        written.append(((tmp_path / f"{megabytes}.csv").read_text(), report["model"]))
    assert written[0] == written[1]
    assert written[0][0].count("\n") == N + 1


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited and watched by means of Linux")
@pytest.mark.parametrize("kind", larger_than_memory.KINDS)
def test_memory_is_bounded(tmp_path, kind):
    found = larger_than_memory.run(kind, tmp_path, 28, factor=4)  # ten in `make claims`
    assert found["r2"] > 0.95
    assert found["resident_mb"] <= 28
