"""What the contenders share: the measures of quality against closed forms, what is written by hand against its twin."""

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from benchmarks.contenders.by_hand import Adam, batches
from benchmarks.contenders.cnn.network import cnn
from benchmarks.contenders.gan.measured import frechet_distance
from benchmarks.contenders.gan.network import GAN
from benchmarks.contenders.lstm.network import CharacterLSTM
from benchmarks.contenders.rbm.measured import pseudo_likelihood
from benchmarks.contenders.text import next_character_loss, windows
from benchmarks.contenders.torch_mlp import mlp, probabilities_of
from benchmarks.contenders.torch_text import batch, gathered_batch, loss_of, scores_of
from benchmarks.contenders.transformer.limit import PlainAttention, clip
from benchmarks.contenders.transformer.network import GPT, fused_attention, learning_rate
from benchmarks.contenders.vae.measured import negative_elbo
from benchmarks.contenders.vae.network import VAE

TEXT = SimpleNamespace(
    symbols=7,
    length=5,
    batch_size=3,
    embedding=4,
    width=8,
    layers=2,
    heads=2,
    warmup=4,
    steps=10,
    learning_rate=1e-3,
    least_rate=1e-4,
)
RNG = np.random.default_rng(0)


def test_characters_that_are_all_as_likely_cost_the_log_of_their_number():
    assert next_character_loss(np.full((2, 5, 7), 3.0), np.zeros((2, 5), int)) == pytest.approx(math.log(7))


def test_loss_of_characters_equals_torchs_cross_entropy():
    scores, y = RNG.standard_normal((4, 5, 7)).astype(np.float32), RNG.integers(7, size=(4, 5))
    assert next_character_loss(scores, y) == pytest.approx(
        loss_of(torch.from_numpy(scores), torch.from_numpy(y)).item(), rel=1e-6
    )


def test_windows_come_from_the_text_to_its_end_and_are_followed_by_what_follows():
    text = np.arange(12)
    X, y = windows(text, 500, 5, np.random.default_rng(0))
    np.testing.assert_array_equal(y, X + 1)
    np.testing.assert_array_equal(X, X[:, :1] + np.arange(5))
    assert set(X[:, 0]) == set(range(7))
    assert y.max() == 11


def test_torch_batches_are_followed_by_what_follows():
    for draw in (batch, gathered_batch):
        X, y = draw(TEXT, torch.arange(40))
        assert X.shape == y.shape == (3, 5)
        assert torch.equal(y, X + 1)


def test_pseudo_likelihood_equals_the_conditionals_of_all_states():
    weights, of_hidden, of_visible = (RNG.standard_normal(shape) for shape in ((2, 3), 2, 3))

    def mass(v):  # sum over the hidden states of exp(-energy)
        return sum(
            math.exp(np.dot(h, weights @ v) + np.dot(h, of_hidden) + np.dot(v, of_visible))
            for h in itertools.product([0, 1], repeat=2)
        )

    rows = np.array([[0, 1, 1], [1, 0, 0]])
    by_hand = []
    for v in rows:
        flips = [np.where(np.arange(3) == i, 1 - v, v) for i in range(3)]
        by_hand.append(sum(math.log(mass(v) / (mass(v) + mass(flip))) for flip in flips))
    assert pseudo_likelihood(weights, of_hidden, of_visible, rows) == pytest.approx(np.mean(by_hand), rel=1e-12)


def test_a_machine_that_knows_nothing_tosses_a_coin_for_each_pixel():
    rows = RNG.integers(2, size=(4, 6))
    assert pseudo_likelihood(np.zeros((3, 6)), np.zeros(3), np.zeros(6), rows) == pytest.approx(-6 * math.log(2))


def test_negative_elbo_of_known_halves():
    X = RNG.random((5, 6))
    moments = np.full((5, 2), 3.0), np.zeros((5, 2))
    divergence = 2 * 3.0**2 / 2  # of N(3, 1) from N(0, 1), for each of two codes
    measured = negative_elbo(lambda _: moments, lambda _: np.full((5, 6), 0.5), X, RNG)
    assert measured == pytest.approx(6 * math.log(2) + divergence)


def test_negative_elbo_of_the_network_is_its_loss():
    torch.manual_seed(0)
    X = torch.rand(3000, 6)
    network = VAE(SimpleNamespace(hidden=5, latent=2), 6)
    measured = negative_elbo(*network.halves(), X.numpy(), RNG)
    assert measured == pytest.approx(network.negative_elbo(X).item(), rel=0.02)  # they draw different codes


def test_the_frechet_distance_of_known_laws():
    rows = RNG.standard_normal((4000, 3))
    rows = (rows - rows.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(rows.T))).T  # moments exactly 0 and 1
    assert frechet_distance(rows, rows, 3) == pytest.approx(0, abs=1e-9)
    # N(0, 1) from N(m, s²): m² + (s - 1)², for each axis
    assert frechet_distance(rows, 2 * rows + 3, 3) == pytest.approx(3 * (9 + 1))
    assert frechet_distance(rows, rows * [1, 2, 5], 3) == pytest.approx(0 + 1 + 16)


def test_a_gan_makes_pixels_and_its_sides_pull_apart():
    torch.manual_seed(0)
    network = GAN(SimpleNamespace(latent=3, hidden=[8, 9]), 6)
    samples = network.sample(50)
    assert samples.shape == (50, 6)
    assert 0 <= samples.min() < samples.max() <= 1
    made, bias = network.made(4), network.critic[-1].bias
    (up,) = torch.autograd.grad(network.generator_loss(made), bias)
    assert up < 0
    assert [tuple(layer.weight.shape) for layer in network.critic[::2]] == [(9, 6), (8, 9), (1, 8)]


def test_adam_equals_the_equations_of_the_paper():
    torch.manual_seed(0)
    parameters = [torch.randn(4, 3, dtype=torch.float64), torch.randn(3, dtype=torch.float64)]
    plain = [p.numpy().copy() for p in parameters]
    adam = Adam(parameters, 0.01, betas=(0.9, 0.99), weight_decay=0.1)
    first, second = [[np.zeros_like(p) for p in plain] for _ in range(2)]
    for t in range(1, 6):
        gradients = [torch.randn_like(p) for p in parameters]
        adam.step(gradients)
        for p, g, m, v in zip(plain, gradients, first, second, strict=True):
            m[:] = 0.9 * m + 0.1 * g.numpy()
            v[:] = 0.99 * v + 0.01 * g.numpy() ** 2
            p -= 0.01 * 0.1 * p  # Loshchilov & Hutter 2019, algorithm 2: the decay passes the moments by
            p -= 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.99**t)) + 1e-8)
    for parameter, p in zip(parameters, plain, strict=True):
        np.testing.assert_allclose(parameter.numpy(), p, rtol=1e-9)


def test_clipping_by_hand_equals_torchs():
    torch.manual_seed(0)
    for size in (0.01, 10.0):
        gradients = [torch.randn(4, 3) * size, torch.randn(3) * size]
        parameters = [torch.zeros_like(g).requires_grad_() for g in gradients]
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient.clone()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        clip(gradients, 1.0)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            torch.testing.assert_close(gradient, parameter.grad)


def test_batches_hold_every_row_once_an_epoch():
    X, y = torch.arange(10.0).view(10, 1), torch.arange(10)
    seen = []
    for rows, labels in batches(SimpleNamespace(batch_size=4, epochs=2), X, y):
        assert torch.equal(rows[:, 0], labels.float())
        seen += labels.tolist()
    assert sorted(seen[:10]) == sorted(seen[10:]) == list(range(10))
    assert seen[:10] != seen[10:]


def test_plain_attention_equals_the_fused_kernel():
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 2, 2, 5, 4)
    torch.testing.assert_close(PlainAttention(5)(q, k, v), fused_attention(q, k, v))


@pytest.mark.parametrize("network", [GPT, CharacterLSTM])
def test_a_character_never_sees_those_behind_it(network):
    torch.manual_seed(0)
    scores = scores_of(network(TEXT))
    X = RNG.integers(7, size=(3, 5))
    changed = X.copy()
    changed[:, 3] = (X[:, 3] + 1) % 7
    before, after = scores(X), scores(changed)
    assert before.shape == (3, 5, 7)
    np.testing.assert_allclose(before[:, :3], after[:, :3], atol=1e-6)
    assert (np.abs(before[:, 3:] - after[:, 3:]).max(-1) > 1e-6).all()


def test_only_matrices_decay():
    decaying, others = GPT(TEXT).groups()
    assert {p.dim() for p in decaying} == {2}
    assert {p.dim() for p in others} == {1}


def test_the_rate_goes_up_in_a_line_and_down_along_a_cosine():
    rates = [learning_rate(TEXT, step) for step in range(11)]
    assert rates[:5] == pytest.approx([2e-4, 4e-4, 6e-4, 8e-4, 1e-3])
    assert rates[7] == pytest.approx((1e-3 + 1e-4) / 2)
    assert rates[10] == pytest.approx(1e-4)


def test_probabilities_of_many_rows_are_those_of_each():
    torch.manual_seed(0)
    rows, probabilities = RNG.random((1003, 4), dtype=np.float32), probabilities_of(mlp([4, 8, 3]))
    answer = probabilities(rows)
    assert answer.shape == (1003, 3)
    np.testing.assert_allclose(answer[-2:], probabilities(rows[-2:]), rtol=1e-5)
    np.testing.assert_allclose(answer.sum(1), 1, rtol=1e-5)


def test_the_cnn_takes_grey_images_as_they_are():
    assert probabilities_of(cnn())(RNG.random((2, 28, 28), dtype=np.float32)).shape == (2, 10)
    assert sum(p.numel() for p in cnn().parameters()) == 320 + 18_496 + 401_536 + 1_290
