"""Diffusion: its loss by hand, what it learns of numbers, categories, labels and images, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
import torch

from ganglion.algorithms.diffusion import Diffusion, bounds_of, spread_times
from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.estimators.artifact import load
from ganglion.networks.noising import denoised, noised, velocity
from ganglion.networks.visible import Block

RNG = np.random.default_rng(0)
PLANE = RNG.normal([3, -1], [1.0, 0.2], size=(600, 2))
IMAGES = (RNG.random((40, 9, 12)) * 255).astype(np.uint8)


def small(**options):
    options = {"width": 16, "depth": 1, "channels": 4, "steps": 4, "epochs": 2, "random_state": 0} | options
    return Diffusion(**options)


@pytest.fixture(scope="module")
def learned():
    options = {
        "width": 32,
        "depth": 2,
        "epochs": 100,
        "batch_size": 100,
        "learning_rate": 3e-3,
        "averaging": 0.99,
        "random_state": 0,
    }
    return Diffusion(**options).fit(PLANE)


@pytest.mark.parametrize("learns", ["velocity", "noise"])
def test_the_loss_is_the_papers(learns):
    model = small(learns=learns).fit(PLANE)
    body, x = model.network_.body, torch.randn(50, 2, dtype=model.network_.dtype)
    torch.manual_seed(3)
    loss = model._loss(model.network_, {"visible": x, "target": torch.empty(50, 0)})
    torch.manual_seed(3)
    t = spread_times(50, 1000)
    noise = torch.randn(50, 2).to(x)
    left = body.left[t].to(x)[:, None]
    said = body.denoiser(noised(x, noise, left), (t / 1000).to(x))
    if learns == "noise":  # eq. 14 with the noise that follows from the velocity
        there = noised(x, noise, left)
        said_noise = (1 - left).sqrt() * there + left.sqrt() * said
        expected = (said_noise - noise).square().mean()
    else:
        expected = (said - velocity(x, noise, left)).square().mean()
    torch.testing.assert_close(loss, expected)


def test_the_moments_of_a_plane_are_learned(learned):
    made = learned.sample(4000, random_state=0)
    np.testing.assert_allclose(made.mean(0), [3, -1], atol=0.15)
    np.testing.assert_allclose(made.std(0), [1.0, 0.2], rtol=0.2)
    assert abs(np.corrcoef(made.T)[0, 1]) < 0.15


@pytest.mark.parametrize("changed", [{"steps": 10}, {"eta": 1.0}, {"steps": 300}])
def test_how_samples_are_made_may_change_after_training(learned, changed):
    before = learned.get_params()
    try:
        made = learned.set_params(**changed).sample(1000, random_state=0)
    finally:
        learned.set_params(**{name: before[name] for name in changed})
    np.testing.assert_allclose(made.mean(0), [3, -1], atol=0.25)
    np.testing.assert_allclose(made.std(0), [1.0, 0.2], rtol=0.35)


def test_samples_are_the_averages_and_survive_a_file(learned, tmp_path):
    network, generator = learned.network_, torch.Generator().manual_seed(7)
    x = torch.randn(20, 2, generator=generator).to(next(network.parameters()))
    with torch.no_grad():

        def clean(x, t):
            a = float(network.body.left[t])
            return a**0.5 * x - (1 - a) ** 0.5 * network.body.average.module(x, torch.full((20,), t / 1000).to(x))

        expected = network.input.inverse(denoised(x, clean, network.body.left, steps=50))["numeric"]
    made = learned.sample(20, random_state=7)
    np.testing.assert_allclose(made, expected, rtol=1e-5)
    learned.save(tmp_path / "model.ganglion")
    np.testing.assert_array_equal(load(tmp_path / "model.ganglion").sample(20, random_state=7), made)


@pytest.mark.parametrize("network", ["dense", "unet"])
def test_images_come_as_they_were(network):
    made = small(network=network, epochs=1).fit(IMAGES).sample(3, random_state=0)
    assert made.shape == (3, 9, 12)
    assert made.dtype == np.uint8
    colours = np.stack([IMAGES] * 3, axis=-1)
    assert small(network=network, epochs=1).fit(colours).sample(2, random_state=0).shape == (2, 9, 12, 3)


def test_categories_come_as_often_as_in_the_data():
    frame = pd.DataFrame({"n": RNG.normal(size=800), "kind": RNG.choice(["a", "b", "c"], size=800, p=[0.6, 0.3, 0.1])})
    frame.loc[frame["kind"] == "a", "n"] += 5
    model = small(width=32, depth=2, epochs=60, batch_size=100, averaging=0.99, steps=30, learning_rate=3e-3).fit(frame)
    made = model.sample(2000, random_state=0)
    shares = made["kind"].value_counts(normalize=True)
    for kind, share in frame["kind"].value_counts(normalize=True).items():
        assert shares.get(kind, 0.0) == pytest.approx(share, abs=0.1)
    assert made.loc[made["kind"] == "a", "n"].mean() > 3 > made.loc[made["kind"] != "a", "n"].mean()


def test_guidance_goes_beyond_what_a_label_tells():
    y = np.arange(600) % 2
    X = RNG.normal(size=(600, 1)) + np.where(y[:, None], 1.0, -1.0)
    model = small(conditional=True, width=32, depth=2, epochs=60, batch_size=100, averaging=0.99, steps=20).fit(X, y)
    plain = model.sample(1000, y=1, random_state=0).mean()
    guided = model.set_params(guidance=3.0).sample(1000, y=1, random_state=0).mean()
    unguided = model.set_params(guidance=0.0).sample(1000, y=1, random_state=0).mean()
    assert plain == pytest.approx(1.0, abs=0.3)
    assert abs(unguided) < 0.4  # of any label
    assert guided > plain + 0.2


def test_held_out_rows_are_judged_by_the_average():
    X = np.concatenate([PLANE, PLANE + 0.01])
    model = small().fit(X)
    assert len(model.history_["validation_loss"]) == 2
    assert model.history_.best_epoch is not None


def test_times_are_spread_evenly_and_each_is_uniform():
    torch.manual_seed(0)
    t = torch.stack([spread_times(8, 1000) for _ in range(2000)])
    assert t.min() == 1
    assert t.max() == 1000
    gaps = t.sort(1).values.diff(dim=1)
    assert ((gaps >= 124) & (gaps <= 126)).all()
    assert t[:, 3].double().mean().item() == pytest.approx(500, abs=20)


@pytest.mark.parametrize(
    ("kind", "bounds"), [("number", (-torch.inf, torch.inf)), ("pixel", (-1, 1)), ("category", (0, 1))]
)
def test_bounds_of_what_data_hold(kind, bounds):
    found = bounds_of(Block(kind, slice(2, 5)))
    assert found.T.tolist() == [list(map(float, bounds))] * 3


def test_a_unet_of_a_table_is_refused():
    with pytest.raises(InvalidParameter, match=r"Diffusion\(network='unet'\) makes images, but X is a table"):
        small(network="unet").fit(PLANE)


@pytest.mark.parametrize(
    "wrong", [{"steps": 0}, {"steps": 1001}, {"eta": 1.5}, {"guidance": -1}, {"averaging": 1.0}, {"learns": "score"}]
)
def test_options_out_of_range_are_refused_before_training(wrong):
    (name,) = wrong
    with pytest.raises(InvalidParameter, match=f"{name}="):
        small(**wrong).fit(PLANE)


def test_labels_are_refused_where_none_were_learned(learned):
    with pytest.raises(InvalidInput, match="fitted without labels"):
        learned.sample(2, y=1)
