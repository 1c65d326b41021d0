"""Weights in fewer bits: how far they move, that files hold them to the bit, and what rounding in training is."""

import os

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits, make_classification, make_regression

import ganglion as gg
from ganglion.compression.activations import RoundedInput, rounded
from ganglion.compression.folding import fold
from ganglion.compression.grid_training import RoundedWeights
from ganglion.compression.masks import prunable, sparsity_of
from ganglion.compression.prune import prune
from ganglion.compression.quantize import quantize
from ganglion.errors import InvalidModel, InvalidParameter
from ganglion.estimators.further import train_further
from ganglion.estimators.packing import pack, scales, snapped, unpack, whole_numbers
from ganglion.storage import read_model, write_model


def table():
    return make_classification(300, 10, n_informative=6, n_classes=3, random_state=0)


def pictures():
    digits = load_digits()
    return digits.images[:300], digits.target[:300]


def texts():
    return ["good, very good", "very bad", "good film", "bad, so bad", "a good one", "a bad one"] * 10, ["+", "-"] * 30


CASES = {
    "mlp": (lambda: gg.MLPClassifier(hidden=(32, 16)), table),
    "mlp of numbers": (lambda: gg.MLPRegressor(hidden=(32,)), lambda: make_regression(200, 6, random_state=0)),
    "cnn": (lambda: gg.CNNClassifier(channels=(8, 12), hidden=(16,)), pictures),
    "lstm": (lambda: gg.RNNClassifier(width=8, embedding=12), texts),
    "transformer": (lambda: gg.TransformerClassifier(width=16, layers=1), texts),
}


@pytest.fixture(scope="module", params=CASES, ids=str)
def fitted(request):
    make, data = CASES[request.param]
    X, y = data()
    return make().set_params(epochs=8, random_state=0).fit(X, y), X, y


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([torch.float32, torch.float64]), st.floats(1e-6, 1e6))
def test_int8_is_at_most_half_a_step_away_and_stays(seed, dtype, size):
    weight = torch.randn(5, 4, 3, generator=torch.Generator().manual_seed(seed), dtype=dtype) * size
    weight[2] = 0.0
    near, step = snapped(weight, "int8"), scales(weight).view(-1, 1, 1)
    assert ((near.double() - weight.double()).abs() <= step / 2 * (1 + 1e-9)).all()
    assert torch.equal(snapped(near, "int8"), near)
    assert (scales(weight) <= weight.double().abs().amax((1, 2)) / 127 * (1 + 2**-15)).all()
    assert whole_numbers(weight, scales(weight)).abs().amax((1, 2)).tolist() == [127, 127, 0, 127, 127]


@pytest.mark.parametrize("kinds", [["int8"], ["bfloat16"], ["sparse"], ["sparse", "int8"], ["bfloat16", "sparse"]])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_is_packed_comes_back_to_the_bit_and_is_smaller(kinds, dtype):
    weight = torch.randn(40, 30, dtype=dtype)
    weight[torch.rand_like(weight) < 0.8] = 0.0
    for kind in set(kinds) & {"int8", "bfloat16"}:
        weight = snapped(weight, kind)
    written, packing = pack({"w": weight, "b": torch.ones(40)}, kinds)
    assert torch.equal(unpack(written, packing)["w"], weight)
    assert written["b"].tolist() == [1.0] * 40
    assert "w" not in written
    bits = sum(part.numel() * part.element_size() * 8 for name, part in written.items() if name != "b")
    of_value = 8 if "int8" in kinds else 16 if "bfloat16" in kinds else 8 * weight.element_size()
    share = int(weight.count_nonzero()) / weight.numel() if "sparse" in kinds else 1
    assert bits <= 1200 * (of_value * share + ("sparse" in kinds)) + 40 * 32 * ("int8" in kinds) + 8


def test_weights_that_would_not_come_back_are_written_as_they_are():
    weight = torch.randn(6, 5)
    written, packing = pack({"w": weight}, ["int8"])
    assert torch.equal(written["w"], weight)
    assert not packing


@pytest.mark.parametrize("kind", ["int8", "bfloat16"])
def test_files_are_smaller_and_answer_to_the_bit(fitted, kind, tmp_path):
    model, X, y = fitted
    small = quantize(model, X, y, kind=kind)
    assert np.abs(answers(small, X) - answers(model, X)).max() < 0.06 * np.abs(answers(model, X)).max()
    small.save(tmp_path / "small.ganglion")
    loaded = gg.load(tmp_path / "small.ganglion")
    assert np.array_equal(answers(loaded, X), answers(small, X))
    assert loaded.compression_ == small.compression_
    loaded.save(tmp_path / "again.ganglion")
    assert read_model(tmp_path / "again.ganglion")[1].keys() == read_model(tmp_path / "small.ganglion")[1].keys()
    read = read_model(tmp_path / "small.ganglion")[1]
    for name, weight in prunable(small.network_).items():
        parts = [part for each, part in read.items() if each.startswith(f"{name} as ")]
        n_bytes = sum(part.numel() * part.element_size() for part in parts)
        assert 0 < n_bytes <= weight.numel() * (1 if kind == "int8" else 2) + 4 * len(weight)


def answers(model, X):
    return np.asarray(model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X))


@pytest.mark.parametrize("activations", ["static", "dynamic"])
def test_rounded_activations_are_saved_and_close(fitted, activations, tmp_path):
    model, X, _y = fitted
    small = quantize(model, X, activations=activations)
    assert np.abs(answers(small, X) - answers(model, X)).max() < 0.1 * np.abs(answers(model, X)).max()
    small.save(tmp_path / "small.ganglion")
    assert np.array_equal(answers(gg.load(tmp_path / "small.ganglion"), X), answers(small, X))


def test_folding_changes_no_answer(tmp_path):
    X, y = pictures()
    model = gg.CNNClassifier(channels=(6, 8), depth=2, hidden=(8,), epochs=4, random_state=0).fit(X, y)
    folded = fold(model)
    np.testing.assert_allclose(folded.predict_proba(X), model.predict_proba(X), atol=1e-5)
    assert not any(isinstance(each, torch.nn.BatchNorm2d | torch.nn.BatchNorm1d) for each in folded.network_.modules())
    folded.save(tmp_path / "folded.ganglion")
    assert np.array_equal(gg.load(tmp_path / "folded.ganglion").predict_proba(X), folded.predict_proba(X))
    mlp = gg.MLPClassifier(hidden=(4,), epochs=1).fit(*table())
    assert fold(mlp) is mlp


def test_activations_are_at_most_half_a_step_away():
    x = torch.linspace(-1, 3, 1001)
    near = rounded(x, torch.tensor(-1.0), torch.tensor(3.0))
    assert (near - x).abs().max() <= 4 / 255 / 2 + 1e-6
    assert rounded(torch.zeros(1), torch.tensor(-1.0), torch.tensor(3.0)).item() == 0.0
    assert near.unique().numel() <= 256


def test_slopes_pass_inside_the_range_and_not_beyond():
    x = torch.tensor([-2.0, 0.3, 1.7, 9.0], requires_grad=True)
    (slope,) = torch.autograd.grad(rounded(x, torch.tensor(-1.0), torch.tensor(2.0)).sum(), x)
    assert slope.tolist() == [0.0, 1.0, 1.0, 0.0]


def test_a_dynamic_range_is_that_of_each_sample():
    layer = RoundedInput(dynamic=True)
    x = torch.randn(4, 7) * torch.tensor([[1.0], [10.0], [0.1], [100.0]])
    assert torch.equal(layer(x), torch.cat([layer(x[i : i + 1]) for i in range(4)]))


def test_a_step_with_rounded_weights_moves_those_behind():
    """Plain gradient descent by hand: the slope is that at the rounded weights, the step is of the weights behind."""
    X, y = table()
    model = gg.MLPClassifier(hidden=(6,), epochs=1, random_state=0).fit(X, y)
    rounding = RoundedWeights("int8")
    before = {name: weight.detach().clone() for name, weight in prunable(model.network_).items()}
    plain = {"optimizer": "gradient_descent", "learning_rate": 0.1, "schedule": "constant", "weight_decay": 0.0}
    on = train_further(model, X, y, beside=rounding.beside, epochs=1, validation_fraction=0.0, **plain)
    by_hand = quantize(model)
    for name, weight in prunable(by_hand.network_).items():
        assert torch.equal(weight, snapped(before[name], "int8"))
    once = train_further(by_hand, X, y, epochs=1, validation_fraction=0.0, **plain)
    for name, weight in prunable(once.network_).items():
        moved = before[name] + weight.detach() - snapped(before[name], "int8")
        torch.testing.assert_close(rounding.behind[name], moved)
        assert torch.equal(prunable(on.network_)[name], snapped(rounding.behind[name], "int8"))


@pytest.mark.parametrize("activations", [None, "static"])
def test_training_for_rounding_keeps_the_answers(activations):
    X, y = pictures()
    model = gg.CNNClassifier(channels=(8,), hidden=(16,), epochs=10, random_state=0).fit(X, y)
    aware = quantize(model, X, y, activations=activations, aware=True, epochs=4)
    assert aware.score(X, y) > model.score(X, y) - 0.05
    for weight in prunable(aware.network_).values():
        assert torch.equal(snapped(weight, "int8"), weight)


def test_a_pruned_network_stays_pruned(tmp_path):
    X, y = pictures()
    model = gg.CNNClassifier(channels=(16,), hidden=(32,), epochs=6, random_state=0).fit(X, y)
    pruned = prune(model, X, y, sparsity=0.8, epochs=3)
    aware = quantize(pruned, X, y, aware=True, epochs=3)
    assert sparsity_of(aware.network_) >= 0.79
    sizes = {}
    for name, each in {"model": model, "pruned": pruned, "int8": quantize(model), "both": aware}.items():
        each.save(tmp_path / name)
        sizes[name] = os.path.getsize(tmp_path / name)
        assert np.array_equal(gg.load(tmp_path / name).predict_proba(X), each.predict_proba(X))
    assert sizes["both"] < min(sizes["pruned"], sizes["int8"]) < sizes["model"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "int4"}, "kind='int4': give 'int8'"),
        ({"activations": "both"}, "activations='both'"),
        ({"kind": "bfloat16", "activations": "dynamic"}, "eight bits beside kind='int8' only"),
        ({"activations": "static"}, "need training data: give X"),
        ({"aware": True}, "need training data"),
    ],
)
def test_settings_are_checked_before_work_starts(settings, message):
    model = gg.MLPClassifier(hidden=(4,), epochs=1).fit(*table())
    with pytest.raises(InvalidParameter, match=message):
        quantize(model, **settings)


def test_damaged_packed_weights_are_refused(tmp_path):
    X, y = table()
    small = quantize(gg.MLPClassifier(hidden=(8,), epochs=1).fit(X, y))
    small.save(tmp_path / "a")
    manifest, tensors = read_model(tmp_path / "a")
    name = next(iter(manifest["packing"]))
    for spoil in (
        lambda m, t: t.pop(f"{name} as scales"),
        lambda m, t: t.pop(f"{name} as values"),
        lambda m, t: m["packing"][name].update(shape=[1, 2]),
        lambda m, t: m["packing"][name].update(shape="no"),
        lambda m, t: m["packing"][name].update(dtype="complex64"),
        lambda m, t: m["packing"].update({name: 3}),
    ):
        changed, parts = {**manifest, "packing": {k: dict(v) for k, v in manifest["packing"].items()}}, dict(tensors)
        spoil(changed, parts)
        write_model(tmp_path / "b", {k: v for k, v in changed.items() if k != "weights_sha256"}, parts, "")
        with pytest.raises(InvalidModel):
            gg.load(tmp_path / "b")


def test_fit_makes_an_ordinary_model_again():
    X, y = table()
    small = quantize(gg.MLPClassifier(hidden=(8,), epochs=1).fit(X, y), X, activations="static")
    assert [change["step"] for change in small.compression_] == ["quantize", "activations"]
    assert small.fit(X, y).compression_ == []
