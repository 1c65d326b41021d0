"""GANs: what they learn of numbers, categories, labels and images, when they alarm, and what they refuse."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

import ganglion.algorithms.gan as chapter
from ganglion.algorithms.gan import GAN, arc
from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.estimators.artifact import load
from ganglion.training.adversarial_watch import alarms_of
from ganglion.training.history import History
from ganglion.training.made import Made

RNG = np.random.default_rng(0)
PLANE = RNG.normal([3, -1], [1.0, 0.2], size=(600, 2))
IMAGES = (RNG.random((40, 9, 12)) * 255).astype(np.uint8)
QUIET = {
    "loss": "wasserstein",
    "critic_steps": 1,
    "penalty": 1.0,
    "hidden": (32, 32),
    "batch_size": 100,
    "averaging": 0.95,
    "learning_rate": 2e-3,
}
LOSSES = ("non_saturating", "wasserstein", "hinge")


def small(**options):
    return GAN(**({"hidden": (16,), "latent": 4, "channels": 4, "epochs": 2, "random_state": 0} | options))


@pytest.fixture(scope="module")
def learned():
    return GAN(
        hidden=(32,), latent=2, epochs=80, batch_size=100, averaging=0.99, learning_rate=2e-3, random_state=0
    ).fit(PLANE)


# learning


def test_the_moments_of_a_plane_are_learned(learned):
    made = learned.sample(4000, random_state=0)
    assert made.shape == (4000, 2)
    np.testing.assert_allclose(made.mean(0), [3, -1], atol=0.25)
    np.testing.assert_allclose(made.std(0), [1.0, 0.2], rtol=0.35)
    assert learned.history_["diversity"][-1] > 0.5
    assert learned.history_.alarms == []


@pytest.mark.parametrize(("loss", "steps"), [("non_saturating", 6), ("hinge", 6), ("wasserstein", 2)])
def test_a_wasserstein_critic_takes_five_steps_to_one(loss, steps):
    model = small(loss=loss, batch_size=100, epochs=1, hidden=(4,)).fit(PLANE)
    assert model.network_.body.average.n_steps == steps


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("network", ["dense", "dcgan"])
def test_every_loss_moves_both_sides_of_every_network(loss, network):
    model = small(loss=loss, network=network, epochs=1).fit(IMAGES)
    start = small(loss=loss, network=network, epochs=1, learning_rate=1e-12).fit(IMAGES)
    for name, parameter in model.network_.body.named_parameters():
        other = dict(start.network_.body.named_parameters())[name]
        if parameter.dim() > 1:
            assert not torch.equal(parameter, other), name
    made = model.sample(3, random_state=0)
    assert made.shape == (3, 9, 12)
    assert made.dtype == np.uint8
    assert {"loss", "generator_loss", "critic_accuracy", "diversity"} <= {*model.history_.rows[0]}


def test_images_of_colours_keep_their_channels_last():
    colours = (RNG.random((30, 8, 8, 3)) * 255).astype(np.uint8)
    assert small(epochs=1).fit(colours).sample(2, random_state=0).shape == (2, 8, 8, 3)


def test_categories_come_as_often_as_in_the_data():
    frame = pd.DataFrame({"n": RNG.normal(size=800), "kind": RNG.choice(["a", "b", "c"], size=800, p=[0.6, 0.3, 0.1])})
    model = small(hidden=(32,), epochs=60, batch_size=100, averaging=0.99, learning_rate=2e-3).fit(frame)
    made = model.sample(3000, random_state=0)
    assert list(made.columns) == ["n", "kind"]
    shares = made["kind"].value_counts(normalize=True)
    assert set(shares.index) <= {"a", "b", "c"}
    for kind, share in frame["kind"].value_counts(normalize=True).items():
        assert shares.get(kind, 0.0) == pytest.approx(share, abs=0.2)


@pytest.mark.parametrize("X", [PLANE, IMAGES])
def test_labels_can_be_asked_for(X):
    y = np.array(["low", "high"])[np.arange(len(X)) % 2]
    model = small(conditional=True).fit(X, y)
    assert model.classes_.tolist() == ["high", "low"]
    assert len(model.sample(5, y="low", random_state=0)) == 5
    assert model.discriminate(X[:4], y[:4]).shape == (4,)
    assert len(model.interpolate(3, y="high", random_state=0)) == 3


def test_samples_of_a_label_lie_where_those_of_training_do():
    y = np.arange(600) % 2
    X = RNG.normal(size=(600, 2)) * 0.3 + np.where(y[:, None], 4.0, -4.0)
    model = small(**QUIET, conditional=True, epochs=60).fit(X, y)
    assert model.sample(300, y=1, random_state=0).mean() > 2
    assert model.sample(300, y=0, random_state=0).mean() < -2


def test_categories_of_noise_let_samples_jump():
    X = np.where(RNG.random((800, 1)) < 0.5, -1.0, 1.0) + 0.02 * RNG.normal(size=(800, 1))
    options = {"hidden": (32,), "latent": 1, "epochs": 40, "batch_size": 100, "averaging": 0.9, "learning_rate": 3e-3}
    made = small(**options, categories=8).fit(X).sample(1000, random_state=0)
    assert (np.abs(np.abs(made) - 1) < 0.3).mean() > 0.95


def test_the_generator_moves_less_often_than_the_critic():
    model = small(critic_steps=3, batch_size=100, epochs=1)
    model.fit(PLANE)
    assert model.network_.body.average.n_steps == 2  # of six


# samples


def test_samples_are_the_averages_and_survive_a_file(learned, tmp_path):
    body, generator = learned.network_.body, torch.Generator().manual_seed(5)
    made = learned.sample(50, random_state=5)
    z = body.noise(50, next(learned.network_.parameters()), generator)
    expected = learned.network_.input.inverse(body.average.module(z))["numeric"].numpy()
    np.testing.assert_allclose(made, expected, rtol=1e-6)
    learned.save(tmp_path / "gan.ganglion")
    again = load(tmp_path / "gan.ganglion")
    np.testing.assert_array_equal(again.sample(50, random_state=5), made)
    np.testing.assert_array_equal(again.discriminate(PLANE), learned.discriminate(PLANE))


@pytest.mark.filterwarnings("ignore:mode collapse")  # trained for a moment
def test_what_the_critic_thinks_is_a_chance_or_a_score(learned):
    chances = learned.discriminate(PLANE)
    assert chances.shape == (600,)
    assert chances.dtype == np.float64
    assert (chances > 0).all()
    assert (chances < 1).all()
    assert np.abs(small(loss="wasserstein", learning_rate=0.05, epochs=10).fit(PLANE).discriminate(PLANE)).max() > 1


def test_a_walk_goes_along_an_arc(learned):
    start, end = torch.tensor([[3.0, 0.0], [0.0, 2.0]])
    walk = arc(start, end, torch.tensor([0.0, 0.5, 1.0]))
    torch.testing.assert_close(walk[[0, 2]], torch.stack([start, end]))
    torch.testing.assert_close(walk[1], torch.tensor([3.0, 2.0]) / 2**0.5)
    torch.testing.assert_close(arc(start, 2 * start, torch.tensor([0.5])), 1.5 * start[None])
    path = learned.interpolate(9, random_state=1)
    assert path.shape == (9, 2)
    np.testing.assert_array_equal(path, learned.interpolate(9, random_state=1))
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    assert steps.max() <= np.linalg.norm(path[-1] - path[0]) + 1.0


@pytest.mark.parametrize("network", ["dense", "dcgan"])
def test_products_of_few_digits_give_floats(network):
    floats = IMAGES.astype(np.float32) / 255
    model = small(network=network, epochs=1, precision="bfloat16").fit(floats)
    assert model.sample(2, random_state=0).dtype == np.float32
    assert model.discriminate(floats[:3]).dtype == np.float64
    assert len(model.interpolate(3, random_state=0)) == 3


# how it goes


def test_watching_changes_nothing(monkeypatch):
    def weights():
        return small().fit(PLANE).network_.state_dict()

    watched = weights()
    monkeypatch.setattr(chapter, "watched", lambda network, source: None)
    assert all(torch.equal(tensor, watched[name]) for name, tensor in weights().items())


def history_of(**columns):
    history = History()
    n = len(next(iter(columns.values())))
    history.rows = [
        {"step": 1000 * (i + 1), "critic_accuracy": 0.7, "diversity": 0.9} | {k: v[i] for k, v in columns.items()}
        for i in range(n)
    ]
    return history


LIKE_DATA = Made(strange=0.05, far=1.0, shared=0.9, spread=1.0, found=16, n_groups=16)
NOISE = replace(LIKE_DATA, strange=1.0, far=3.0, shared=0.4, found=6)
TOLD = {"critic_accuracy": [0.5, 1.0, 1.0, 1.0]}


@pytest.mark.parametrize(
    ("columns", "loss", "made", "names"),
    [
        ({}, "hinge", LIKE_DATA, []),
        ({}, "hinge", None, []),
        ({}, "hinge", replace(LIKE_DATA, shared=0.3, found=5), ["mode collapse"]),
        ({}, "hinge", replace(LIKE_DATA, spread=0.01), ["mode collapse"]),
        ({}, "hinge", NOISE, ["samples unlike the data"]),
        (TOLD, "non_saturating", NOISE, ["the critic has won"]),
        (TOLD, "non_saturating", replace(NOISE, spread=0.0), ["mode collapse", "the critic has won"]),
        (TOLD, "non_saturating", LIKE_DATA, []),
        (TOLD, "wasserstein", NOISE, ["samples unlike the data"]),
    ],
)
def test_alarms_follow_from_samples_and_the_last_epochs(columns, loss, made, names):
    alarms = alarms_of(history_of(**{"diversity": [0.9] * 4} | columns), loss, made)
    assert [name for name, _, _ in alarms] == names
    assert all("Try" in remedy for _, _, remedy in alarms)


def test_an_average_that_is_still_at_the_start_is_said():
    ((_, _, remedy),) = alarms_of(history_of(diversity=[0.9], step=[100]), "hinge", NOISE, decay=0.999)
    assert "90% are still those it began with: try averaging=0.9" in remedy


def test_a_generator_that_stands_still_is_a_collapse():
    """Nothing but one point is made: a generator without hidden units, and noise that is silenced."""
    model = small(hidden=(), latent=1, epochs=60, batch_size=100, averaging=0.0, learning_rate=0.02)
    model._generator_loss = lambda network, batch: sum(p.square().sum() for p in network.body.generator.parameters())
    with pytest.warns(UserWarning, match=r"mode collapse: what is made is all alike: .* 0(\.0\d+)? times"):
        model.fit(PLANE)
    assert {"mode collapse"} <= {alarm["name"] for alarm in model.history_.alarms}


# refusals and habits


def test_convolutions_of_a_table_are_refused():
    with pytest.raises(InvalidParameter, match=r"GAN\(network='dcgan'\) makes images, but X is a table"):
        small(network="dcgan").fit(PLANE)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"loss": "wgan"}, r"loss='wgan'.*'wasserstein'"),
        ({"critic_steps": 0}, "critic_steps=0"),
        ({"penalty": -1}, "penalty=-1"),
        ({"averaging": 1.0}, "averaging=1.0"),
        ({"latent": 0}, "latent=0"),
    ],
)
def test_options_out_of_range_are_refused_before_training(wrong, message):
    with pytest.raises(InvalidParameter, match=message):
        small(**wrong).fit(PLANE)


def test_what_cannot_be_asked_is_refused(learned):
    with pytest.raises(InvalidParameter, match="n_samples=1: a walk has two ends"):
        learned.interpolate(1)
    with pytest.raises(InvalidParameter, match="n_samples=0"):
        learned.sample(0)
    with pytest.raises(InvalidInput, match="fitted without labels"):
        learned.sample(2, y=1)
    with pytest.raises(InvalidInput, match="conditional=True"):
        small(conditional=True).fit(PLANE, PLANE[:, 0] > 3).discriminate(PLANE)


def test_the_category_has_most_of_the_noise():
    body = small(latent=2, categories=30, epochs=1).fit(PLANE).network_.body
    z = body.noise(5000, torch.zeros(1), torch.Generator().manual_seed(0))
    assert z.shape == (5000, 32)
    assert z[:, :2].square().sum(1).mean().item() == pytest.approx(3.2, rel=0.1)
    assert torch.allclose(z[:, 2:].square().sum(1), torch.tensor(28.8))
    assert (z[:, 2:] != 0).sum(1).eq(1).all()


def test_weights_of_rows_count_for_the_critic():
    """A loss of two rows, one of which counts twice, is that of three rows."""
    model = small(penalty=0.0, epochs=1, precision="float32").fit(PLANE)
    network, x = model.network_, torch.randn(2, 2)
    torch.manual_seed(0)
    loss = model._critic_loss(network, batch_of(x, [4 / 3, 2 / 3]))
    scores = network.body.critic(x)
    real = torch.nn.functional.softplus(-scores) @ torch.tensor([4 / 3, 2 / 3]) / 2
    torch.manual_seed(0)
    made = network.body.critic(network.body.made(network.body.noise(2, x)))
    torch.testing.assert_close(loss, real + torch.nn.functional.softplus(made).mean())


def test_digits_of_a_dcgan_are_no_noise():
    """Of digits, 0.11 lies outside their own first components, of noise 0.72; samples were at 0.63, and are at 0.37."""
    X = (load_digits().images * 255 / 16).astype(np.uint8)
    made = GAN(channels=8, epochs=12, batch_size=32, random_state=0).fit(X).sample(400, random_state=0)
    pca = PCA(20, random_state=0).fit(X.reshape(-1, 64))

    def outside(images):
        rows = images.reshape(-1, 64) - pca.mean_
        return np.square(rows - (rows @ pca.components_.T) @ pca.components_).sum() / np.square(rows).sum()

    assert outside(made) < 0.5


@pytest.mark.parametrize("loss", ["non_saturating", "hinge"])
def test_the_penalty_is_on_slopes_at_real_and_at_made_samples(loss):
    """Half the mean square of both, 0.3 times; the slopes are differences of scores here."""
    model = small(loss=loss, penalty=0.3, epochs=1, spectral_norm=False).fit(PLANE)
    network = model.network_.double().eval()
    x, critic = torch.randn(3, 2, dtype=torch.float64), network.body.critic
    torch.manual_seed(0)
    made = network.body.made(network.body.noise(3, x)).detach()
    steps = 1e-6 * torch.eye(2, dtype=torch.float64)
    square = sum(((critic(v + step) - critic(v - step)) / 2e-6).square().mean() for v in (x, made) for step in steps)
    torch.manual_seed(0)
    with_it = model._critic_loss(network, batch_of(x, [1.0, 1.0, 1.0]))
    torch.manual_seed(0)
    without = model.set_params(penalty=0.0)._critic_loss(network, batch_of(x, [1.0, 1.0, 1.0]))
    torch.testing.assert_close(with_it - without, 0.15 * square, rtol=1e-5, atol=1e-8)


def batch_of(x, weight):
    return {"visible": x, "target": torch.empty(len(x), 0), "weight": torch.tensor(weight)}
