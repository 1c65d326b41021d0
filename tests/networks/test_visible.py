"""Vectors that stand for columns: there and back, block by block, and the laws that say how likely they are."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch.nn import functional

from ganglion.networks.visible import VisibleInput
from ganglion.networks.visible_law import VisibleLaw


def mixed(scaling="standard", n=50):
    rng = np.random.default_rng(0)
    numeric = torch.from_numpy(np.column_stack([rng.normal(5, 2, n), rng.random(n) < 0.3, rng.gamma(2, 9, n)]))
    inputs = {"numeric": numeric, "categorical": torch.from_numpy(rng.integers(1, 4, (n, 1)))}
    entry = VisibleInput(3, (4,), boolean=(1,), scaling=scaling)
    entry.adapt(inputs)
    return entry, inputs


@pytest.mark.parametrize("scaling", ["none", "standard", "unit", "symmetric"])
def test_columns_come_back_from_their_vectors(scaling):
    entry, inputs = mixed(scaling)
    v = entry.prepare(inputs)["visible"]
    assert [(block.kind, block.width) for block in entry.blocks] == [("number", 2), ("category", 2), ("category", 3)]
    assert v.shape == (50, entry.n_out) == (50, 7)
    back = entry.inverse(v)
    torch.testing.assert_close(back["numeric"], inputs["numeric"], rtol=1e-5, atol=1e-5)
    assert torch.equal(back["categorical"], inputs["categorical"])
    torch.testing.assert_close(entry.mean, v.mean(0))


def test_each_scaling_reaches_what_it_says():
    for scaling, low, high in (("unit", 0, 1), ("symmetric", -1, 1)):
        entry, inputs = mixed(scaling)
        numbers = entry.prepare(inputs)["visible"][:, :2]
        torch.testing.assert_close(numbers.amin(0), torch.full((2,), float(low)))
        torch.testing.assert_close(numbers.amax(0), torch.full((2,), float(high)))
    entry, inputs = mixed()
    numbers = entry.prepare(inputs)["visible"][:, :2]
    torch.testing.assert_close(numbers.mean(0), torch.zeros(2), atol=1e-6, rtol=0)
    torch.testing.assert_close(numbers.std(0, correction=0), torch.ones(2))


def test_shares_stay_as_they_are_and_new_data_beyond_the_range_are_cut():
    entry = VisibleInput(2, scaling="unit")
    shares = torch.tensor([[0.2, 0.0], [0.5, 0.9]])
    entry.adapt({"numeric": shares})
    assert torch.equal(entry.prepare({"numeric": shares})["visible"], shares)
    assert entry.prepare({"numeric": torch.tensor([[-1.0, 7.0]])})["visible"].tolist() == [[0.0, 1.0]]


def test_what_is_missing_becomes_what_is_usual():
    entry, inputs = mixed()
    gaps = {"numeric": torch.full((1, 3), torch.nan, dtype=torch.float64), "categorical": torch.zeros(1, 1).long()}
    back = entry.inverse(entry.prepare(gaps)["visible"])
    known = inputs["numeric"]
    torch.testing.assert_close(back["numeric"][0, [0, 2]], known[:, [0, 2]].mean(0))
    assert back["numeric"][0, 1] == 0.0
    assert back["categorical"].item() == inputs["categorical"].flatten().mode().values


def test_rows_count_by_their_weights():
    _entry, inputs = mixed()
    weight = torch.arange(50, dtype=torch.float64) % 3
    weighted, repeated = (VisibleInput(3, (4,), boolean=(1,)) for _ in range(2))
    weighted.adapt(inputs, weight)
    repeated.adapt({name: tensor.repeat_interleave(weight.long(), 0) for name, tensor in inputs.items()})
    for name, buffer in weighted.state_dict().items():
        torch.testing.assert_close(buffer, repeated.state_dict()[name], msg=name)


def test_a_constant_column_and_one_without_categories_survive():
    entry = VisibleInput(1, (1, 3))
    inputs = {"numeric": torch.full((4, 1), 7.0), "categorical": torch.tensor([[0, 1], [0, 2], [0, 0], [0, 2]])}
    entry.adapt(inputs)
    v = entry.prepare(inputs)["visible"]
    assert v.isfinite().all()
    back = entry.inverse(v)
    assert back["numeric"].flatten().tolist() == [7.0] * 4
    assert back["categorical"].tolist() == [[0, 1], [0, 2], [0, 2], [0, 2]]


def test_whole_numbers_are_whole_again_where_asked():
    numbers = torch.tensor([[1.0, 0.5, 3.0], [2.0, 2.0, torch.nan], [4.0, 1.0, 7.0]], dtype=torch.float64)
    entry = VisibleInput(numeric=3)
    entry.adapt({"numeric": numbers})
    assert entry.whole.tolist() == [True, False, True]
    vectors = torch.tensor([[0.1, 0.1, 0.1]])
    plain, rounded = (entry.inverse(vectors, rounded=each)["numeric"][0] for each in (False, True))
    np.testing.assert_allclose(rounded, [plain[0].round(), plain[1], plain[2].round()])
    assert plain[0] != plain[0].round()


def test_a_stack_of_fractions_beyond_the_ends_is_one_of_series():
    series = torch.randn(8, 1, 5, 2, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 9.0]) + 3
    entry = VisibleInput(image=(1, 5, 2), scaling="natural")
    entry.adapt({"image": series})
    assert entry.are_series
    assert not entry.has_ends
    v = entry.prepare({"image": series})["visible"].reshape(8, 5, 2)
    np.testing.assert_allclose(v.mean((0, 1)), [0, 0], atol=1e-5)
    np.testing.assert_allclose(v.std((0, 1), correction=0), [1, 1], rtol=1e-5)
    np.testing.assert_allclose(entry.inverse(v.flatten(1))["image"], series, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("dtype", "top"), [(torch.uint8, 255), (torch.float32, 1), (torch.float32, 40)])
@pytest.mark.parametrize("scaling", ["none", "standard", "unit", "symmetric", "natural"])
def test_images_come_back_as_they_were(dtype, top, scaling):
    images = (torch.rand(9, 2, 3, 4, generator=torch.Generator().manual_seed(0)) * top).to(dtype)
    entry = VisibleInput(image=(2, 3, 4), scaling=scaling)
    entry.adapt({"image": images})
    v = entry.prepare({"image": images})["visible"]
    assert v.shape == (9, 24)
    assert v.dtype == torch.float32
    assert scaling != "unit" or ((v >= 0).all() and (v <= 1).all())
    back = entry.inverse(v)["image"]
    assert back.dtype == dtype
    torch.testing.assert_close(back, images, rtol=1e-5, atol=1e-5)


def test_the_volume_is_what_the_scaling_does_to_a_density():
    entry = VisibleInput(1)
    x = torch.tensor([[1.0], [5.0], [12.0]], dtype=torch.float64)
    entry.adapt({"numeric": x})
    v = entry.prepare({"numeric": x})["visible"].double()
    there = stats.norm.logpdf(x.numpy(), x.mean(), x.std(correction=0))
    np.testing.assert_allclose(stats.norm.logpdf(v.numpy()) + entry.log_volume, there, atol=1e-5)


def law_of(entry, **kinds):
    return VisibleLaw(entry.blocks, **kinds).double()


def test_laws_are_those_of_scipy():
    entry, inputs = mixed()
    law, v = law_of(entry), entry.prepare(inputs)["visible"].double()
    raw = torch.randn(50, 7, dtype=torch.float64)
    with torch.no_grad():
        law.log_deviation.copy_(torch.tensor([0.3, -1.0]))
    numbers = stats.norm.logpdf(v[:, :2], raw[:, :2], law.deviation.detach()).sum(1)
    places = [functional.cross_entropy(raw[:, p], v[:, p], reduction="none") for p in (slice(2, 4), slice(4, 7))]
    expected = torch.from_numpy(numbers) - sum(places)
    torch.testing.assert_close(law.log_prob(v, raw), expected)
    again = law.log_prob(v[:, None], raw[:, None].expand(-1, 3, -1))
    torch.testing.assert_close(again, expected[:, None].expand(-1, 3))


def test_bernoulli_numbers_and_one_deviation_of_all_pixels():
    entry = VisibleInput(image=(1, 2, 2), scaling="unit")
    v, raw = torch.rand(5, 4).double(), torch.randn(5, 4).double()
    expected = -functional.binary_cross_entropy_with_logits(raw, v, reduction="none").sum(1)
    torch.testing.assert_close(law_of(entry).log_prob(v, raw), expected)
    gaussian = law_of(entry, pixels="gaussian")
    assert gaussian.deviation.shape == (1,)
    with torch.no_grad():
        gaussian.log_deviation.fill_(math.log(0.5))
    expected = torch.from_numpy(stats.norm.logpdf(v, raw, 0.5).sum(1))
    torch.testing.assert_close(gaussian.log_prob(v, raw), expected)


def test_draws_follow_the_law_and_their_generator():
    entry, _ = mixed()
    law = law_of(entry)
    raw = torch.tensor([1.0, -2.0, 0.5, -0.5, 2.0, 0.0, -1.0]).double().expand(20_000, 7)
    drawn = law.draw(raw, torch.Generator().manual_seed(0)).detach()
    torch.testing.assert_close(drawn.mean(0), law.mean(raw)[0], atol=0.03, rtol=0)
    torch.testing.assert_close(drawn[:, :2].std(0), law.deviation.detach(), atol=0.03, rtol=0)
    assert torch.equal(drawn, law.draw(raw, torch.Generator().manual_seed(0)))
    assert set(drawn[:, 2:4].sum(1).tolist()) == set(drawn[:, 4:].sum(1).tolist()) == {1.0}


@given(st.lists(st.floats(0.01, 0.99), min_size=4, max_size=4))
def test_raw_numbers_of_means_have_these_means(means):
    law = law_of(VisibleInput(image=(1, 2, 2), scaling="unit"))
    mean = torch.tensor(means, dtype=torch.float64)
    torch.testing.assert_close(law.mean(law.natural(mean)), mean)
