"""Explanations through networks: linear ones in closed form, others beside slow sums, maps and attention by hand."""

import copy
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import ganglion as gg
from ganglion.data.convert import as_dataset
from ganglion.errors import ExplanationWarning, InvalidInput, InvalidParameter
from ganglion.explanation import split as splitting
from ganglion.explanation.entered import owners_of
from ganglion.explanation.explain import explain
from ganglion.explanation.rollout import rollout
from ganglion.networks.sequences import Steps
from ganglion.networks.visible import VisibleInput

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
Y = X @ [1.0, -2.0, 0.5, 0.0] + X[:, 0] * X[:, 1]
IMAGES = RNG.integers(0, 255, (24, 8, 6, 3)).astype(np.uint8)
DIGITS = RNG.integers(0, 255, (24, 8, 8)).astype(np.uint8)
TEXTS = ["a lovely film", "what a dreadful film", "lovely lovely", "dreadful and long", "not a film", "a long one"] * 6
SERIES = [RNG.normal(size=(n, 2)) for n in RNG.integers(5, 9, 40)]
SOUNDS = [(8000, (0.1 * RNG.normal(size=n)).astype(np.float32)) for n in (4000, 5000, 4000, 6000) * 3]
ADDING = ("integrated_gradients", "expected_gradients")


def frame(n=80):
    rng = np.random.default_rng(1)
    color = rng.choice(["red", "green", "blue"], n)
    size = rng.normal(size=n)
    size[::9] = np.nan
    when = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D")
    return pd.DataFrame({"color": color, "size": size, "when": when, "weight": rng.normal(size=n), "old": color > "c"})


@pytest.fixture(scope="module")
def linear():
    data = frame()
    y = np.where(data["color"] == "red", 1.0, 0.0) + data["weight"] - data["size"].fillna(2.0)
    return gg.MLPRegressor(hidden=(), epochs=5, random_state=0).fit(data, y)


@pytest.fixture(scope="module")
def rectified():
    return gg.MLPClassifier(hidden=(16, 8), activation="relu", epochs=20, random_state=0).fit(X, Y > 0)


@pytest.fixture(scope="module")
def pictures():
    return gg.CNNClassifier(channels=(4, 8), depth=2, epochs=2, random_state=0).fit(IMAGES, np.arange(24) % 3)


@pytest.fixture(scope="module")
def attentive():
    return gg.TransformerClassifier(width=8, epochs=2, random_state=0).fit(TEXTS, ["up", "down"] * 18)


# adding up


@pytest.mark.parametrize("method", ADDING)
def test_of_a_linear_network_values_are_weight_times_distance_whatever_a_column_is_made_of(linear, method):
    data = frame()
    found = explain(linear, data[:6], method, background=data[20:50])
    truth = explain(linear, data[:6], "exact", background=data[20:50])
    np.testing.assert_allclose(found.values, truth.values, atol=1e-5)
    assert found[0].features == ("color", "size", "when", "weight", "old")
    assert found[0].base == pytest.approx(truth[0].base, abs=1e-5)
    assert found.gaps.max() < 1e-5


def points_between(model, x, b, n):
    """Return the mean slope of the first class's probability over n midpoints, in float64."""
    network = copy.deepcopy(model.network_).double()
    alphas = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    points = (b + alphas.view(-1, *[1] * x.dim()) * (x - b)).requires_grad_()
    given = points if x.dim() < 2 or x.dim() == 3 else Steps(points, torch.full((n,), len(x)))
    slope = torch.autograd.grad(network.output(network.body(given))[:, 0].sum(), points)[0]
    return (slope.mean(0) * (x - b)).numpy()


def test_integrated_gradients_of_rectifiers_equal_a_fine_riemann_sum(rectified):
    found = explain(rectified, X[:3], "integrated_gradients", background=X[20:30], output=False, n_evaluations=4096)
    entry = rectified.network_.entry
    z, base = (entry.prepare({"numeric": torch.from_numpy(each)})["numeric"].double() for each in (X[:3], X[20:30]))
    for each, x in zip(found, z, strict=True):
        np.testing.assert_allclose(each.values, points_between(rectified, x, base.mean(0), 20_000), atol=4e-3)
        assert each.gap < 0.005


def test_more_steps_bring_the_same_network_nearer(rectified):
    with pytest.warns(ExplanationWarning, match="do not add up"):
        few = explain(rectified, X[:20], "integrated_gradients", background=X[20:], n_evaluations=2)
    many = explain(rectified, X[:20], "integrated_gradients", background=X[20:])
    assert few.gaps.max() > 0.01 > 0.005 > many.gaps.max()
    assert few[0].how.startswith("2 steps from the mean of background rows")


def test_expected_gradients_are_the_mean_of_integrated_ones_within_their_intervals(rectified):
    entry = rectified.network_.entry
    z, base = (entry.prepare({"numeric": torch.from_numpy(each)})["numeric"].double() for each in (X[:1], X[20:40]))
    truth = np.mean([points_between(rectified, z[0], b, 4000) for b in base], axis=0)
    apart = []
    for seed in range(12):
        one = explain(rectified, X[:1], "expected_gradients", background=X[20:40], output=False, random_state=seed)[0]
        assert one.gap < 0.005
        apart.append((one.values - truth) / one.error)
    assert 0.4 < np.std(apart) < 1.6
    assert one.stability > 0.7
    assert "points between the sample and 20 background rows" in one.how


def test_a_drawn_background_is_part_of_the_standard_error(rectified):
    many = np.random.default_rng(3).normal(size=(300, 4))
    all_of_them = explain(rectified, X[:4], "expected_gradients", background=many[:100])
    drawn = explain(rectified, X[:4], "expected_gradients", background=many)
    assert all((d.error > a.error).all() for d, a in zip(drawn, all_of_them, strict=True))


@pytest.mark.parametrize("method", ADDING)
def test_values_of_words_add_up_and_equal_a_riemann_sum_over_their_vectors(attentive, method):
    found = explain(attentive, TEXTS[:6], method, output="down")
    network = attentive.network_
    ids = attentive.encoded(TEXTS[:2])["tokens"].split()
    for each, tokens in zip(found, ids, strict=False):
        vectors = network.input.vectors(tokens).detach().double()
        by_token = points_between(attentive, vectors, torch.zeros_like(vectors), 500).sum(1)
        np.testing.assert_allclose(each.values, by_token, atol=2e-3)
    assert found[1].features == ("what", "a", "dreadful", "film")
    assert found.gaps.max() < 0.005
    assert "zero vectors" in found[0].how


@pytest.mark.parametrize("method", ADDING)
def test_pictures_have_heat_that_sums_to_their_parts(pictures, method):
    found = explain(pictures, IMAGES[:2], method, parts=6)
    assert found.gaps.max() < 0.005
    for each, label in zip(found, pictures.predict(IMAGES[:2]), strict=True):
        assert each.outputs == (str(label),)
        by_part = np.bincount(each.drawn.part.ravel(), each.drawn.heat[0].ravel())
        np.testing.assert_allclose(by_part, each.values, atol=1e-5)
        assert "orange: adds up to" in each.plot().body


def test_background_pictures_take_the_place_of_the_blurred_one(pictures):
    one = explain(pictures, IMAGES[:2], "integrated_gradients", background=np.zeros_like(IMAGES[:1]), parts=6)
    black = pictures.predict_proba(np.zeros_like(IMAGES[:1]))[0]
    assert one[0].base == pytest.approx(black[pictures.predict(IMAGES[:1])[0]], abs=1e-5)
    assert "1 background pictures" in one[0].how


def test_steps_of_numbers_and_recordings():
    reader = gg.RNNRegressor(width=8, epochs=2, random_state=0).fit(SERIES, [each.sum() for each in SERIES])
    found = explain(reader, SERIES[:5], "integrated_gradients", parts=6)
    assert found.gaps.max() < 0.005
    assert found[0].features[0].startswith("number 0, steps 0")
    assert explain(reader, SERIES[:5], "integrated_gradients", background=SERIES[5:], parts=6).gaps.max() < 0.005
    model = gg.CNNClassifier(channels=(4,), epochs=1, random_state=0, spectrogram="log_mel(trim=30, steps=32)")
    found = explain(model.fit(SOUNDS, list("ab") * 6), SOUNDS[:2], "integrated_gradients", parts=5)
    assert found[0].drawn.heat.shape == (2, 40, 32)
    np.testing.assert_allclose(
        np.bincount(found[0].drawn.part.ravel(), found[0].drawn.heat[0].ravel(), 5), found[0].effects[:, 0], atol=1e-5
    )
    assert found.gaps.max() < 0.005


def test_a_step_of_a_spectrogram_belongs_to_the_stretch_in_its_middle():
    model = gg.RNNClassifier(width=4, epochs=1, random_state=0).fit(SOUNDS, list("ab") * 6)
    found = explain(model, SOUNDS[:1], "saliency", parts=4)[0]
    entry = model.network_.input
    middle = np.arange(found.drawn.heat.shape[2]) * entry.hop + entry.n_fft // 2
    np.testing.assert_array_equal(found.drawn.part[0], middle * 4 // 4000)


# sizes


def test_sizes_of_slopes_of_a_linear_network_are_its_weights(linear):
    data = frame()
    moved = data[1:4].assign(weight=data[1:4]["weight"] + 1.0)
    numeric = linear.encoder_.origins[: linear.encoder_.spec.numeric]
    factor = linear.network_.entry.factor[numeric.index("weight")].item()  # one deviation is 1 / factor
    slope = np.abs(linear.predict(moved) - linear.predict(data[1:4])) / factor
    for method in ("saliency", "smoothgrad"):
        found = explain(linear, data[1:4], method, background=data)
        np.testing.assert_allclose(found.values[:, 3], slope, rtol=1e-4)
        assert (found.values >= 0).all()
        assert not found[0].adds_up
        assert "no sum that says anything" in str(found[0])
        assert "gap" not in repr(found)


def test_saliency_of_a_picture_is_the_largest_slope_of_its_channels(pictures):
    found = explain(pictures, IMAGES[:2], "saliency", output="1", parts=6)
    network = pictures.network_
    z = network.prepare({"image": torch.from_numpy(IMAGES[:2]).permute(0, 3, 1, 2)})["image"].requires_grad_()
    slopes = torch.autograd.grad(network.body(z)[:, 1].sum(), z)[0]
    for each, slope in zip(found, slopes.abs().amax(1).numpy(), strict=True):
        np.testing.assert_allclose(each.drawn.heat[0], slope, rtol=1e-4, atol=1e-7)


def test_smoothgrad_is_the_mean_over_noise_of_fifteen_hundredths_of_the_range(rectified):
    found = explain(rectified, X[:1], "smoothgrad", background=X[20:], output=True, n_evaluations=20_000)[0]
    entry = rectified.network_.entry
    x, base = (entry.prepare({"numeric": torch.from_numpy(each)})["numeric"] for each in (X[:1], X[20:]))
    both = torch.cat([x, base])
    noise = 0.15 * (both.amax(0) - both.amin(0)) * torch.randn(20_000, 4, dtype=x.dtype)
    z = (x + noise).requires_grad_()
    slope = torch.autograd.grad(rectified.network_.body(z).sum(), z)[0]
    np.testing.assert_allclose(found.values, slope.mean(0).abs(), atol=0.03)


@pytest.mark.parametrize("residual", [False, True])
def test_grad_cam_equals_its_equations_written_out(residual):
    model = gg.CNNClassifier(channels=(4, 8), depth=2, residual=residual, epochs=1, random_state=0)
    model.fit(IMAGES, np.arange(24) % 3)
    found = explain(model, IMAGES[:2], "grad_cam", output=["2", "0"], parts=6)
    network = model.network_
    z = network.prepare({"image": torch.from_numpy(IMAGES[:2]).permute(0, 3, 1, 2)})["image"]
    stack, top = network.body
    x = stack.stages[1][:2](stack.stages[0](stack._picture(z)))
    maps = x.detach().requires_grad_()
    scores = top(stack.head(stack.stages[1][2:](maps)))
    for i, label in enumerate((2, 0)):
        slope = torch.autograd.grad(scores[:, label].sum(), maps, retain_graph=True)[0]
        heat = torch.relu((slope.mean((2, 3), keepdim=True) * maps).sum(1, keepdim=True))
        drawn = torch.nn.functional.interpolate(heat, (8, 6), mode="bilinear").detach().numpy()[:, 0]
        for each, own in zip(found, drawn, strict=True):
            np.testing.assert_allclose(each.drawn.heat[i], own, rtol=1e-4, atol=1e-7)


def test_grad_cam_of_rows_and_recordings():
    rows = gg.CNNClassifier(channels=(4,), epochs=1, random_state=0).fit(X, Y > 0)
    assert explain(rows, X[:12], "grad_cam").values.shape == (12, 4)
    model = gg.CNNClassifier(channels=(4, 8), epochs=1, random_state=0).fit(SOUNDS, list("ab") * 6)
    assert explain(model, SOUNDS[:1], "grad_cam")[0].drawn.heat.shape == (2, 40, 48)


@pytest.mark.parametrize("pooling", ["mean", "token"])
def test_rollout_equals_matrices_multiplied_by_hand(pooling):
    model = gg.TransformerClassifier(width=8, layers=2, epochs=1, pooling=pooling, random_state=0)
    model.fit(TEXTS, ["up", "down"] * 18)
    found = explain(model, TEXTS[:2], "rollout")
    for text, each in zip(TEXTS, found, strict=False):
        first, second = model.attention([text])[0].mean(1).astype(float)
        eye = np.eye(len(first))
        through = (0.5 * second + 0.5 * eye) @ (0.5 * first + 0.5 * eye)
        own = through.mean(0) if pooling == "mean" else through[0, 1:]
        np.testing.assert_allclose(each.values, own, atol=1e-6)
        assert each.values.sum() == pytest.approx(1.0) if pooling == "mean" else each.values.sum() < 1


def test_rows_of_a_rollout_sum_to_one():
    attention = RNG.dirichlet(np.ones(5), size=(3, 2, 5))
    np.testing.assert_allclose(rollout(attention).sum(1), 1.0)


@pytest.mark.parametrize("pool", ["average", "token"])
def test_rollout_of_a_picture_shares_a_patch_among_its_pixels(pool):
    model = gg.VisionTransformer(patch_size=3, width=8, layers=2, heads=2, pool=pool, epochs=1, random_state=0)
    found = explain(model.fit(DIGITS, np.arange(24) % 3), DIGITS[:1], "rollout", parts=4)[0]
    through = rollout(model.attention(DIGITS[:1])[0])
    own = through[0, 1:] if pool == "token" else through[1:].mean(0)[1:]
    heat = found.drawn.heat[0]
    np.testing.assert_allclose(heat[:3, :3], own[0] / 9)
    np.testing.assert_allclose(heat[6:, 6:], own[8] / 4)
    assert found.values.sum() == pytest.approx(own.sum())


# passes


@pytest.mark.parametrize("method", [*ADDING, "saliency", "smoothgrad"])
def test_small_passes_change_nothing(rectified, method, monkeypatch):
    whole = explain(rectified, X[:3], method, background=X[20:])
    monkeypatch.setattr(splitting, "PASS_BYTES", 2**15)
    parts = explain(rectified, X[:3], method, background=X[20:])
    np.testing.assert_allclose(whole.values, parts.values, atol=1e-6)


def test_the_same_seed_gives_the_same_bits(rectified):
    one, two = (explain(rectified, X[:3], "expected_gradients", background=X, random_state=3) for _ in range(2))
    np.testing.assert_array_equal(one.values, two.values)


def test_weights_and_gradients_stay_as_they_were(rectified):
    before = copy.deepcopy(rectified.network_.state_dict())
    explain(rectified, X[:12], "integrated_gradients")
    assert all(torch.equal(before[name], now) for name, now in rectified.network_.state_dict().items())
    assert all(parameter.grad is None for parameter in rectified.network_.parameters())


def test_two_classes_mirror_each_other_and_of_three_the_predicted_one_is_explained(rectified, pictures):
    one = explain(rectified, X[:12], "integrated_gradients")[0]
    np.testing.assert_array_equal(one.of("True").values, -one.of("False").values)
    both = explain(pictures, IMAGES[:1], "integrated_gradients", output=[0, 2], parts=4)[0]
    assert both.outputs == ("0", "2")


def test_a_perceptron_of_a_mixed_table():
    found = explain(gg.Perceptron(random_state=0).fit(frame(), np.arange(80) % 2), frame()[:12], "integrated_gradients")
    assert found[0].features == ("color", "size", "when", "weight", "old")
    assert found.gaps.max() < 0.01


def test_columns_behind_the_numbers_of_a_layer_of_ones_and_zeros():
    data = frame()
    encoder = gg.MLPClassifier(hidden=(), epochs=1, random_state=0).fit(data, np.arange(80) % 2).encoder_
    spec = encoder.spec
    entry = VisibleInput(spec.numeric, spec.cardinalities, boolean=spec.boolean)
    inputs = encoder.encode(as_dataset(data))
    entry.adapt(inputs)
    owners = owners_of(SimpleNamespace(encoder_=encoder, network_=SimpleNamespace(input=entry)))
    moved = data.assign(color="blue", old=~data["old"], weight=0.3)
    apart = (entry(entry.prepare(inputs)) != entry(entry.prepare(encoder.encode(as_dataset(moved))))).any(0).numpy()
    assert {encoder.column_names[i] for i in owners[apart]} == {"color", "old", "weight"}
    assert len(owners) == entry.n_out


def test_labels_that_do_not_exclude_one_another():
    model = gg.MLPClassifier(hidden=(4,), epochs=1, random_state=0).fit(X, np.stack([Y > 0, Y > 1], 1).astype(int))
    assert explain(model, X[:12], "integrated_gradients").gaps.max() < 0.01


# refusals


def test_what_a_method_cannot_go_through_is_refused_with_what_works(rectified, attentive):
    foreign = LogisticRegression().fit(X, Y > 0)
    with pytest.raises(InvalidInput, match=r"LogisticRegression is none\. Methods that work with it: 'auto', 'exact'"):
        explain(foreign, X[:12], "saliency")
    nested = make_pipeline(StandardScaler(), rectified)
    with pytest.raises(InvalidInput, match=r"give that, pipeline\[-1\]"):
        explain(nested.fit(X, Y > 0), X[:12], "saliency")
    with pytest.raises(InvalidInput, match=r"MLPClassifier has no stack of convolutions.*'integrated_gradients'"):
        explain(rectified, X[:12], "grad_cam")
    with pytest.raises(InvalidInput, match=r"MLPClassifier has none that it shows.*'integrated_gradients'"):
        explain(rectified, X[:12], "rollout")
    with pytest.raises(InvalidInput, match="no stack of convolutions"):
        explain(attentive, TEXTS[:2], "grad_cam")
    with pytest.raises(InvalidParameter, match="Did you mean 'saliency'"):
        explain(rectified, X[:12], "saliencies")
