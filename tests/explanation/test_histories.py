"""Forecasts: what each stretch of a history adds, known in closed form, planted, and by every network."""

import numpy as np
import pandas as pd
import pytest
import torch

import ganglion as gg
from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.explanation.explain import explain

H, L = 4, 12
RNG = np.random.default_rng(0)
SERIES = RNG.normal(size=600)
for i in range(6, 600):  # each step is told by the one six before it
    SERIES[i] = -0.9 * SERIES[i - 6] + 0.3 * SERIES[i]


def fitted(network="linear", **settings):
    options = {
        "horizon": H,
        "window": L,
        "epochs": 30,
        "learning_rate": 0.01,
        "normalization": "none",
        "random_state": 0,
        "threads": 1,
    }
    return gg.Forecaster(network=network, **(options | settings)).fit(SERIES)


@pytest.fixture(scope="module")
def linear():
    return fitted(loss="mse")


def weights(model):
    """Return by how much the mean forecast moves with each step of the window, in units: finite differences."""
    history = SERIES[-L:].copy()
    base = model.predict(history).mean()
    return np.array([(model.predict(history + row).mean() - base) for row in np.eye(L)])


@pytest.mark.parametrize("method", ["auto", "permutation", "integrated_gradients", "occlusion"])
def test_of_a_linear_forecaster_each_step_adds_weight_times_distance_from_the_mean(linear, method):
    found = explain(linear, SERIES, method)[0]
    history = SERIES[-L:]
    assert found.features[0] == "12 steps back"
    np.testing.assert_allclose(found.values, weights(linear) * (history - history.mean()), atol=1e-4)
    assert found.prediction == pytest.approx(linear.predict(SERIES).mean(), abs=1e-5)
    assert found.modality == "series"
    assert found.gap < 0.01


def test_the_step_that_tells_the_next_one_counts_most(linear):
    first = f"{linear.target_.names[0]}, step 1"
    found = [explain(linear, SERIES[:end], output=first)[0] for end in range(300, 320)]
    sizes = np.mean([np.abs(each.values) for each in found], axis=0)
    assert found[0].features[int(sizes.argmax())] == "6 steps back"
    assert found[0].prediction == pytest.approx(linear.predict(SERIES[:300])[0], abs=1e-5)


@pytest.mark.parametrize("network", ["lstm", "tcn"])
def test_other_networks_are_explained_with_values_that_add_up(network):
    model = fitted(network, epochs=2)
    for method in ("permutation", "integrated_gradients"):
        found = explain(model, SERIES, method, parts=6)[0]
        assert len(found) == 6
        assert found.gap < 0.01


def test_what_is_known_ahead_is_a_part_by_itself():
    wind = RNG.normal(size=400)
    wind[-H:] = 2.0
    data = pd.DataFrame({"power": 2 * wind + 0.05 * RNG.normal(size=400), "wind": wind})
    model = gg.Forecaster(
        horizon=H,
        window=L,
        epochs=30,
        learning_rate=0.01,
        known="wind",
        target="power",
        normalization="none",
        random_state=0,
    ).fit(data)
    data.loc[data.index[-H:], "power"] = np.nan
    found = explain(model, data)[0]
    assert found.features[found.order[0]] == "wind, ahead"
    assert found.prediction == pytest.approx(model.predict(data).mean(), abs=1e-4)


def test_refusals(linear):
    with pytest.raises(InvalidParameter, match="no background"):
        explain(linear, SERIES, background=SERIES)
    with pytest.raises(InvalidInput, match="no output 'step 99'"):
        explain(linear, SERIES, output="step 99")
    with pytest.raises(InvalidParameter, match="parts=0"):
        explain(linear, SERIES, parts=0)


def test_the_page_and_the_terminal_say_what_counts(linear):
    found = explain(linear, SERIES)
    assert "steps back" in str(found)
    assert "<svg" in found.to_html()
    assert torch.is_grad_enabled()
