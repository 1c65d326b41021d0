"""Units really removed: which tensors belong to them, that silence equals absence, and what is left."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, make_classification, make_regression

import ganglion as gg
from ganglion.compression.dead_units import without_dead_units
from ganglion.compression.importance import importance_of_units
from ganglion.compression.shrink import chosen, shrink
from ganglion.compression.widths import Axis, counted, found_widths, n_parameters, silenced, with_counts, without
from ganglion.errors import InvalidParameter
from ganglion.estimators.further import labelled_batches

TEXTS = ["good, very good", "very bad", "good film", "bad, so bad", "a good one", "a bad one"] * 10


def texts():
    return TEXTS, ["up", "down"] * 30


def table():
    return make_classification(300, 10, n_informative=6, n_classes=3, random_state=0)


def pictures():
    digits = load_digits()
    return digits.images[:240], digits.target[:240]


CASES = {
    "mlp": (lambda: gg.MLPClassifier(hidden=(24, 16)), table),
    "mlp normalised": (lambda: gg.MLPClassifier(hidden=(24, 16), normalization="batch", activation="sigmoid"), table),
    "mlp numbers": (lambda: gg.MLPRegressor(hidden=(20,)), lambda: make_regression(200, 6, random_state=0)),
    "mlp pictures": (lambda: gg.MLPClassifier(hidden=(16,)), pictures),
    "cnn": (lambda: gg.CNNClassifier(channels=(6, 8), depth=2, hidden=(12,)), pictures),
    "cnn average": (lambda: gg.CNNClassifier(channels=(6, 8), head="average", hidden=()), pictures),
    "cnn residual": (lambda: gg.CNNClassifier(channels=(6, 9), depth=2, residual=True, hidden=(10,)), pictures),
    "cnn of rows": (lambda: gg.CNNClassifier(channels=(6,), hidden=(10,)), table),
    "lstm of rows": (lambda: gg.RNNClassifier(width=10), table),
    "gru of texts": (lambda: gg.RNNClassifier(width=8, embedding=10, cell="gru", layers=2), texts),
    "windows of texts": (lambda: gg.TextCNN(maps=9, embedding=12), texts),
}


@pytest.fixture(scope="module", params=CASES, ids=str)
def fitted(request):
    make, data = CASES[request.param]
    X, y = data()
    return make().set_params(epochs=4, random_state=0).fit(X, y), X, y


def some_units(widths):
    generator = torch.Generator().manual_seed(1)
    return {
        width.place: torch.randperm(width.n, generator=generator)[: max(1, width.n // 3)].sort().values
        for width in widths
    }


def test_all_widths_are_found_and_absence_equals_silence(fitted):
    model, X, _ = fitted
    columns = model.encoded(X)
    widths = found_widths(model, columns)
    assert [width.place for width in widths] == list(counted(model.widths()))
    kept = some_units(widths)
    small, silent = without(model, widths, kept), silenced(model, widths, kept)
    torch.testing.assert_close(
        small.answers_to(columns, scores=True), silent.answers_to(columns, scores=True), atol=1e-5, rtol=1e-5
    )
    assert n_parameters(small.network_) < n_parameters(model.network_)
    assert counted(small.widths()) == {place: len(units) for place, units in kept.items()}


def test_a_smaller_model_is_an_ordinary_one(fitted, tmp_path):
    model, X, y = fitted
    small = shrink(model, X, y, keep=0.5, epochs=2)
    widths, left = counted(model.widths()), counted(small.widths())
    assert abs(sum(left.values()) - 0.5 * sum(widths.values())) <= 2
    small.save(tmp_path / "small.ganglion")
    loaded = gg.load(tmp_path / "small.ganglion")
    assert np.array_equal(loaded.predict(X), small.predict(X))
    assert loaded.get_params() == small.get_params()
    assert loaded.compression_ == small.compression_
    assert loaded.compression_[0]["step"] == "shrink"
    assert model.compression_ == []
    loaded.fit(X, y)  # its options describe it: it can be trained anew at that size
    assert n_parameters(loaded.network_) == n_parameters(small.network_)


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_dead_units_removed_change_no_answer(activation):
    X, y = table()
    model = gg.MLPClassifier(hidden=(20, 12), activation=activation, epochs=5, random_state=0).fit(X, y)
    before = model.decision_function(X)
    with torch.no_grad():
        first, second = (layer.layers[0] for layer in list(model.network_.body)[:2])
        first.weight[3:8] = 0.0
        first.bias[3:8] = 0.0  # nothing comes from these
        second.weight[:, 3:8] = 5.0
        second.weight[:, 10] = 0.0  # nothing reads this one
    changed = model.decision_function(X)
    small = without_dead_units(model, X)
    assert small.hidden == (14, 12)
    assert not np.allclose(before, changed)
    np.testing.assert_allclose(small.decision_function(X), changed, atol=1e-6, rtol=0)


def test_units_that_say_a_constant_are_kept():
    X, y = table()
    model = gg.MLPClassifier(hidden=(8,), activation="sigmoid", epochs=2, random_state=0).fit(X, y)
    with torch.no_grad():
        layer = model.network_.body[0].layers[0]
        layer.weight[2] = 0.0
        layer.bias[2] = 0.0  # sigmoid(0) is one half, which the next layer reads
    assert without_dead_units(model, X).hidden == (8,)


def test_places_on_an_axis():
    units = torch.tensor([0, 2])
    assert Axis("w", 0).places(units, 3).tolist() == [0, 2]
    assert Axis("w", 1, together=2).places(units, 3).tolist() == [0, 1, 4, 5]  # channels of a flattened picture
    assert Axis("w", 0, apart=4).places(units, 3).tolist() == [0, 2, 3, 5, 6, 8, 9, 11]  # gates side by side


def test_importance_is_the_squared_first_order_change():
    """By hand: the derivative of the loss by a gate on each unit, times the gate, on the output of a layer."""
    X, y = table()
    model = gg.MLPClassifier(hidden=(6,), epochs=3, weight_decay=0.0, random_state=0).fit(X, y)
    batches = labelled_batches(model, X, y, size=50, most=3)
    widths = found_widths(model, model.encoded(X[:16]))
    found = importance_of_units(model, widths, "taylor", batches)[("hidden", 0)]
    hidden, top = model.network_.body
    total = torch.zeros(6, dtype=torch.float64)
    for batch in batches:
        gate = torch.ones(6, dtype=model.network_.dtype, requires_grad=True)
        before = hidden.layers[0](model.network_.input(batch)) * gate  # the unit's row and bias times a gate
        scores = torch.nn.functional.linear(hidden.layers[1](before) * gate, top.weight, top.bias)
        loss = torch.nn.functional.cross_entropy(scores, batch["target"])
        total += torch.autograd.grad(loss, gate)[0].double().square()
    torch.testing.assert_close(found, total / len(batches), rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("criterion", ["taylor", "magnitude"])
def test_what_is_planted_as_unimportant_goes(criterion):
    X, y = table()
    model = gg.MLPClassifier(hidden=(10,), epochs=20, random_state=0).fit(X, y)
    with torch.no_grad():
        hidden, top = model.network_.body
        for tensor in (hidden.layers[0].weight, hidden.layers[0].bias, top.weight.T):
            tensor[[1, 4, 7]] *= 1e-4
    widths = found_widths(model, model.encoded(X[:16]))
    importance = importance_of_units(model, widths, criterion, labelled_batches(model, X, y))
    assert importance[("hidden", 0)].argsort()[:3].sort().values.tolist() == [1, 4, 7]


def test_the_most_important_of_all_layers_stay_and_some_of_each():
    importance = {("a", 0): torch.tensor([9.0, 8.0, 7.0, 6.0]), ("b",): torch.tensor([1.0, 3.0, 2.0])}
    kept = chosen(importance, 4, {("a", 0): 1, ("b",): 1})
    assert kept[("a", 0)].tolist() == [0, 1, 2]
    assert kept[("b",)].tolist() == [1]
    kept = chosen(importance, 4, {("a", 0): 1, ("b",): 1}, even=True)
    assert [len(kept[("a", 0)]), len(kept[("b",)])] == [2, 2]


def test_shortcuts_between_equal_widths_are_avoided():
    X, y = pictures()
    model = gg.CNNClassifier(channels=(4, 6), residual=True, hidden=(), epochs=1, random_state=0).fit(X, y)
    small = shrink(model, X, y, keep=0.4, spread="even", epochs=1)  # 2 and 2: a block without its own shortcut
    assert counted(small.widths()) in (
        {("channels", 0): 2, ("channels", 1): 3},
        {("channels", 0): 3, ("channels", 1): 2},
    )


def test_widths_keep_their_form():
    widths = {"channels": ((8, 4), (16,)), "hidden": (10,), "width": 32}
    assert counted(widths)[("channels", 0, 1)] == 4
    assert counted(widths)[("width",)] == 32
    changed = with_counts(widths, {("channels", 0, 1): 3, ("width",): 20})
    assert changed == {"channels": ((8, 3), (16,)), "hidden": (10,), "width": 20}


@pytest.mark.parametrize(
    "make",
    [
        lambda: gg.MLPClassifier(hidden=(8, 8), residual=True),
        lambda: gg.MLPClassifier(hidden=(8, 8), normalization="layer"),
        lambda: gg.MLPClassifier(hidden=()),
    ],
)
def test_layers_that_cannot_shrink_are_refused(make):
    X, y = table()
    with pytest.raises(InvalidParameter, match=r"distil"):
        shrink(make().set_params(epochs=1).fit(X, y), X, y)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"keep": 0}, "keep=0: give a number"),
        ({"criterion": "luck"}, "criterion='luck'"),
        ({"spread": "wide"}, "spread='wide'"),
        ({"rounds": 1.5}, "rounds=1.5"),
    ],
)
def test_settings_are_checked_before_work_starts(settings, message):
    X, y = table()
    model = gg.MLPClassifier(hidden=(4,), epochs=1).fit(X, y)
    with pytest.raises(InvalidParameter, match=message):
        shrink(model, X, y, **settings)


def test_channels_of_each_convolution_can_be_said():
    X, y = pictures()
    model = gg.CNNClassifier(channels=((3, 5), (4,)), hidden=(), epochs=1, random_state=0).fit(X, y)
    assert model.widths() == {"channels": ((3, 5), (4,)), "hidden": ()}
    with pytest.raises(InvalidParameter, match=r"channels=\(\(3, 0\),\)"):
        gg.CNNClassifier(channels=((3, 0),)).fit(X, y)
