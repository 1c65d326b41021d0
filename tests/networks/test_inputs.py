"""The first layer scales, imputes and embeds as its docstring says, and nothing slips through."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.preprocessing import QuantileTransformer, StandardScaler

from ganglion.networks.inputs import N_QUANTILES, SCALINGS, ImageInput, TableInput, embedding_width, weighted_quantiles

RNG = np.random.default_rng(0)
X = RNG.normal(size=(101, 3)) * [1, 100, 0.01] + [0, 1e4, -5]
NUMBERS = st.floats(-1e6, 1e6, allow_subnormal=False)
SQRT3 = np.sqrt(3)


def fitted(x, *, weight=None, **options) -> TableInput:
    layer = TableInput(x.shape[1], **options)
    layer.dtype = torch.float64
    layer.adapt({"numeric": torch.from_numpy(x)}, None if weight is None else torch.from_numpy(weight))
    return layer


def scaled(layer, x) -> np.ndarray:
    return layer(layer.prepare({"numeric": torch.from_numpy(np.asarray(x))})).detach().numpy()


def test_standard_is_scikit_learns():
    np.testing.assert_allclose(scaled(fitted(X), X), StandardScaler().fit_transform(X), atol=1e-10)


def test_none_leaves_numbers_as_they_are():
    np.testing.assert_array_equal(scaled(fitted(X, scaling="none"), X), X)


def test_robust_is_the_formula_of_the_paper():
    low, middle, high = np.quantile(X, [0.25, 0.5, 0.75], axis=0, method="inverted_cdf")
    z = (X - middle) / (high - low) * 1.349
    np.testing.assert_allclose(scaled(fitted(X, scaling="robust"), X), z / np.sqrt(1 + (z / 3) ** 2), atol=1e-10)


def test_robust_makes_a_normal_column_nearly_standard():
    x = RNG.normal(40, 7, size=(20_000, 1))
    z = scaled(fitted(x, scaling="robust"), x)
    assert abs(np.median(z)) < 0.01
    assert np.subtract(*np.quantile(z, [0.75, 0.25])) == pytest.approx(1.349, abs=0.05)


@pytest.mark.parametrize("outlier", [1e6, 1e12, 1e200])
def test_robust_bends_outliers_to_three(outlier):
    layer = fitted(X[:, :1], scaling="robust")
    np.testing.assert_allclose(scaled(layer, [[outlier], [-outlier]]), [[3], [-3]], rtol=1e-4)


def test_robust_falls_back_on_the_deviation_where_the_quartiles_are_equal():
    x = np.zeros((100, 1))
    x[:10] = 5.0
    np.testing.assert_array_equal(np.unique(scaled(fitted(x, scaling="robust"), x)).shape, (2,))


def test_quantile_agrees_with_scikit_learn_between_the_knots():
    x = RNG.gamma(2.0, size=(1000, 2))
    ours = scaled(fitted(x, scaling="quantile"), x) / (2 * SQRT3) + 0.5
    theirs = QuantileTransformer(n_quantiles=N_QUANTILES).fit_transform(x)
    np.testing.assert_allclose(ours, theirs, atol=1 / (N_QUANTILES - 1))


def test_quantile_makes_any_column_uniform():
    x = np.exp(RNG.normal(size=(5000, 1)) * 3)
    z = scaled(fitted(x, scaling="quantile"), x)
    assert z.mean() == pytest.approx(0, abs=0.02)
    assert z.std() == pytest.approx(1, abs=0.02)
    shares = np.histogram(z, bins=10, range=(-SQRT3, SQRT3))[0] / len(z)
    np.testing.assert_allclose(shares, 0.1, atol=0.015)


@given(x=arrays("float64", st.integers(1, 40), elements=NUMBERS), new=arrays("float64", 20, elements=NUMBERS))
def test_quantile_is_monotone_and_bounded(x, new):
    layer = fitted(x[:, None], scaling="quantile")
    z = scaled(layer, np.sort(np.concatenate([x, new]))[:, None])[:, 0]
    assert (np.abs(z) <= SQRT3 + 1e-12).all()
    assert (np.diff(z) >= -1e-12).all()


@given(arrays("float64", st.integers(2, 60), elements=st.sampled_from([-1.0, 0.0, 2.0, 3.0])))
def test_quantile_gives_equal_numbers_one_place_near_their_share(x):
    z = scaled(fitted(x[:, None], scaling="quantile"), x[:, None])[:, 0]
    for value in np.unique(x):
        (place,) = np.unique(z[x == value])
        middle = ((x < value).mean() + (x <= value).mean()) / 2
        # the middle of their ranks, but for the outermost, which reach to the ends, and one knot's width
        assert abs(place / (2 * SQRT3) + 0.5 - middle) <= 0.5 / len(x) + 1.5 / (N_QUANTILES - 1) + (
            0.5 * (x == value).mean() if value in (x.min(), x.max()) else 0
        )


@pytest.mark.parametrize("scaling", ["standard", "robust", "quantile"])
@pytest.mark.parametrize("value", [0.0, 0.1, 1e9 / 3, -1e-9, 1.7e9])
def test_a_constant_column_says_nothing(scaling, value):
    x = np.full((30, 1), value)
    layer = fitted(x, scaling=scaling)
    np.testing.assert_allclose(scaled(layer, x), 0, atol=1e-12)
    assert (np.abs(scaled(layer, [[value + 1], [value - 1e6]])) <= SQRT3 + 1e-9).all()


@pytest.mark.parametrize("scaling", ["standard", "robust", "quantile"])
@given(data=st.data())
def test_a_weight_equals_repetition(scaling, data):
    x = data.draw(arrays("float64", 12, elements=NUMBERS))[:, None]
    times = data.draw(arrays("int64", 12, elements=st.integers(0, 4)))
    assume(times.sum() > 0)
    weighted = fitted(x, weight=times.astype(float), scaling=scaling)
    repeated = fitted(np.repeat(x, times, axis=0), scaling=scaling)
    size = np.abs(x).max() + 1
    np.testing.assert_allclose(weighted.center, repeated.center, atol=1e-9 * size)
    spread = np.repeat(x, times, axis=0).std()
    assume(spread == 0 or spread > 1e-6 * size)  # below, what is left of the deviation is rounding
    np.testing.assert_allclose(scaled(weighted, x), scaled(repeated, x), rtol=1e-6, atol=1e-6)


@given(
    arrays("float64", st.integers(1, 30), elements=NUMBERS),
    st.lists(st.floats(0, 1), min_size=1, max_size=5),
)
def test_weighted_quantiles_are_numpys(x, shares):
    assume(all(abs(share * len(x) - round(share * len(x))) > 1e-9 or share in (0.0, 1.0) for share in shares))
    found = weighted_quantiles(torch.from_numpy(x), None, torch.tensor(shares, dtype=torch.float64))
    np.testing.assert_array_equal(found, np.quantile(x, shares, method="inverted_cdf"))


@pytest.mark.parametrize("scaling", ["standard", "robust", "none"])
def test_a_missing_number_becomes_zero_and_is_marked(scaling):
    x = X.copy()
    x[::5, 1] = np.nan
    layer = fitted(x, scaling=scaling, missing=[1])
    z = scaled(layer, x)
    assert z.shape == (101, 4)
    assert layer.n_out == 4
    np.testing.assert_array_equal(z[:, 3], np.isnan(x[:, 1]))
    assert not z[::5, 1].any()
    if scaling == "standard":
        np.testing.assert_allclose(z[:, 1], np.nan_to_num(StandardScaler().fit_transform(x)[:, 1]), atol=1e-10)


def test_a_missing_number_stands_with_the_median_of_its_column():
    x = RNG.normal(size=(1000, 2))
    x[::5, 1] = np.nan
    layer = fitted(x, scaling="quantile", missing=[1])
    assert np.unique(scaled(layer, x)[::5, 1]).tolist() == [0.0]


@pytest.mark.parametrize("scaling", SCALINGS)
def test_a_gap_that_training_had_not_is_imputed_without_a_mark(scaling):
    z = scaled(fitted(X, scaling=scaling), [[np.nan, 1e4, np.nan]])
    assert z.shape == (1, 3)
    assert np.isfinite(z).all()


@pytest.mark.parametrize("scaling", SCALINGS)
def test_a_column_without_any_value_is_harmless(scaling):
    x = np.column_stack([X, np.full(len(X), np.nan)])
    z = scaled(fitted(x, scaling=scaling, missing=[3]), x)
    assert np.isfinite(z).all()
    np.testing.assert_array_equal(z[:, 4], 1)
    assert len(np.unique(z[:, 3])) == 1


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_number_far_outside_gives_a_finite_input(scaling, dtype):
    layer = fitted(X, scaling=scaling)
    layer.dtype = dtype
    z = scaled(layer, [[1e200, -1e300, 1.7e308]])
    assert np.isfinite(z).all()
    assert np.sign(z).tolist() == [[1, -1, 1]]
    assert np.isfinite(z @ z.T).all()


def test_large_numbers_keep_their_small_differences():
    """Dates in seconds: a minute apart, beside a span of one day, in float32."""
    seconds = 1.7e9 + np.arange(1440)[:, None] * 60.0
    layer = fitted(seconds)
    layer.dtype = torch.float32
    z = scaled(layer, seconds)
    assert z.dtype == np.float32
    assert len(np.unique(z)) == 1440
    np.testing.assert_allclose(z, StandardScaler().fit_transform(seconds), atol=1e-6)


def test_float32_data_are_scaled_like_float64_data():
    for scaling in SCALINGS:
        layer = fitted(X, scaling=scaling)
        np.testing.assert_allclose(scaled(layer, X.astype("float32")), scaled(layer, X), rtol=1e-3, atol=2e-3)


# categories


def test_a_category_is_one_row_of_the_table_of_vectors():
    layer = TableInput(1, (3, 5), embedding=4)
    codes = torch.tensor([[0, 0], [1, 4], [2, 3]])
    out = layer(layer.prepare({"numeric": torch.ones(3, 1, dtype=torch.float64), "categorical": codes}))
    vectors = layer.vectors.weight
    assert out.shape == (3, layer.n_out) == (3, 9)
    assert torch.equal(out[1], torch.cat([torch.ones(1), vectors[1], vectors[3 + 4]]))
    assert torch.equal(out[2], torch.cat([torch.ones(1), vectors[2], vectors[3 + 3]]))


def test_missing_and_unseen_begin_as_no_information():
    layer = TableInput(0, (3, 5), embedding=4)
    out = layer(layer.prepare({"categorical": torch.tensor([[0, 0], [1, 1]])}))
    assert not out[0].any()
    assert out[1].all()


def test_the_code_of_unseen_stays_at_zero_when_training_never_shows_it():
    layer = TableInput(0, (3,), embedding=2)
    optimizer = torch.optim.Adam(layer.parameters(), 0.1)
    for _ in range(5):
        loss = layer(layer.prepare({"categorical": torch.tensor([[1], [2]])})).square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert not layer.vectors.weight[0].any()


def test_embedded_rows_have_unit_length_whatever_the_number_of_columns():
    for n in (1, 4, 16):
        torch.manual_seed(0)
        layer = TableInput(0, (1000,) * n)
        rows = layer(layer.prepare({"categorical": torch.randint(1, 1000, (500, n))}))
        width = embedding_width(1000)
        assert float(rows.detach().square().sum(1).mean()) == pytest.approx(width, rel=0.1)


@pytest.mark.parametrize(("cardinality", "width"), [(2, 3), (3, 3), (10, 5), (100, 11), (10**6, 16)])
def test_width_of_embeddings(cardinality, width):
    assert embedding_width(cardinality) == width


def test_only_numbers_or_only_categories():
    assert TableInput(3).n_out == 3
    assert not list(TableInput(3).parameters())
    assert TableInput(0, (4,), embedding=7).n_out == 7


def test_weights_files_hold_no_more_than_the_arguments_leave_open():
    layer = TableInput(2, (3,), missing=[1], scaling="quantile", embedding=2)
    assert set(layer.state_dict()) == {"center", "factor", "quantiles", "vectors.weight"}


# images


def test_images_are_standardised_by_channel():
    images = RNG.integers(0, 256, (20, 3, 5, 4)).astype("uint8")
    layer = ImageInput((3, 5, 4))
    layer.adapt({"image": torch.from_numpy(images)})
    z = layer(layer.prepare({"image": torch.from_numpy(images)})).numpy()
    mean, deviation = images.mean((0, 2, 3), keepdims=True), images.std((0, 2, 3), keepdims=True)
    np.testing.assert_allclose(z, (images - mean) / deviation, atol=1e-5)
    assert layer.n_out == 60


def test_a_weight_of_an_image_equals_repetition():
    images = RNG.integers(0, 256, (6, 2, 3, 3)).astype("uint8")
    times = np.array([0, 1, 3, 0, 2, 1])
    weighted, repeated = ImageInput((2, 3, 3)), ImageInput((2, 3, 3))
    weighted.adapt({"image": torch.from_numpy(images)}, torch.from_numpy(times.astype(float)))
    repeated.adapt({"image": torch.from_numpy(np.repeat(images, times, axis=0))})
    np.testing.assert_allclose(weighted.center, repeated.center, rtol=1e-5)
    np.testing.assert_allclose(weighted.factor, repeated.factor, rtol=1e-5)


def test_black_images_are_harmless():
    layer, black = ImageInput((1, 2, 2)), torch.zeros(3, 1, 2, 2, dtype=torch.uint8)
    layer.adapt({"image": black})
    assert not layer.prepare({"image": black})["image"].any()
