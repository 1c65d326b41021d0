"""Each optimiser takes the steps of torch.optim, of its paper, or reaches scipy's minimum."""

import numpy as np
import pytest
import scipy.optimize
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler
from torch import nn

from ganglion.errors import InvalidParameter, UnknownParameter
from ganglion.training.objective import Objective
from ganglion.training.optimizers import (
    LBFGS,
    OPTIMIZERS,
    SGD,
    Adagrad,
    Adam,
    AdamW,
    GradientDescent,
    Muon,
    RMSprop,
    optimizer_by_name,
    orthogonalize,
)
from ganglion.training.trainer import Trainer

RNG = np.random.default_rng(0)
X, Y = torch.from_numpy(RNG.normal(size=(30, 5))), torch.from_numpy(RNG.normal(size=(30, 2)))
N_STEPS = 25


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 2)).double()


def mse(model: nn.Module, batch: dict) -> torch.Tensor:
    return (model(batch["x"]) - batch["y"]).square().mean()


def ours(optimizer, rate: float, **options) -> nn.Module:
    model = network()
    trainer = Trainer(epochs=N_STEPS, optimizer=optimizer, learning_rate=rate, **options)
    trainer.fit(model, [Objective("mse", model.parameters(), mse)], [{"x": X, "y": Y}])
    return model


def torchs(make) -> nn.Module:
    model = network()
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    optimizer = make([{"params": matrices}, {"params": vectors, "weight_decay": 0.0}])
    for _ in range(N_STEPS):
        optimizer.zero_grad()
        mse(model, {"x": X, "y": Y}).backward()
        optimizer.step()
    return model


def same_weights(one: nn.Module, other: nn.Module) -> None:
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        np.testing.assert_allclose(a.detach(), b.detach(), rtol=1e-6, atol=1e-9)
        assert not torch.equal(a, b.new_zeros(b.shape))


PAIRS = {
    "adam": (Adam(), lambda groups: torch.optim.Adam(groups, 0.01), {}),
    "adam, other betas": (
        Adam(beta1=0.5, beta2=0.9, epsilon=1e-3),
        lambda groups: torch.optim.Adam(groups, 0.01, betas=(0.5, 0.9), eps=1e-3),
        {},
    ),
    "adam, L2": (Adam(), lambda groups: torch.optim.Adam(groups, 0.01, weight_decay=0.3), {"weight_decay": 0.3}),
    "adamw": (AdamW(), lambda groups: torch.optim.AdamW(groups, 0.01, weight_decay=0.3), {"weight_decay": 0.3}),
    "adamw, no decay": (AdamW(), lambda groups: torch.optim.Adam(groups, 0.01), {}),
    "sgd": (SGD(momentum=0.0, nesterov=False), lambda groups: torch.optim.SGD(groups, 0.01), {}),
    "sgd, momentum": (SGD(nesterov=False), lambda groups: torch.optim.SGD(groups, 0.01, momentum=0.9), {}),
    "sgd, nesterov, L2": (
        SGD(momentum=0.8),
        lambda groups: torch.optim.SGD(groups, 0.01, momentum=0.8, nesterov=True, weight_decay=0.3),
        {"weight_decay": 0.3},
    ),
    "gradient descent": (GradientDescent(), lambda groups: torch.optim.SGD(groups, 0.01), {}),
    "rmsprop": (RMSprop(), lambda groups: torch.optim.RMSprop(groups, 0.01, alpha=0.9), {}),
    "rmsprop, L2": (
        RMSprop(decay=0.99, epsilon=1e-6),
        lambda groups: torch.optim.RMSprop(groups, 0.01, alpha=0.99, eps=1e-6, weight_decay=0.3),
        {"weight_decay": 0.3},
    ),
    "adagrad": (Adagrad(), lambda groups: torch.optim.Adagrad(groups, 0.01), {}),
    "clipped": (SGD(momentum=0.0), lambda groups: Clipped(groups), {"clip_norm": 0.05}),
}


class Clipped(torch.optim.SGD):
    """torch's gradient descent behind torch's clipping."""

    def __init__(self, groups):
        super().__init__(groups, 0.01)

    def step(self):
        parameters = [p for group in self.param_groups for p in group["params"]]
        assert nn.utils.clip_grad_norm_(parameters, 0.05) > 0.05
        super().step()


@pytest.mark.parametrize("name", PAIRS)
def test_same_steps_as_torch(name):
    optimizer, make, options = PAIRS[name]
    same_weights(ours(optimizer, 0.01, **options), torchs(make))


@pytest.mark.parametrize("name", [name for name in PAIRS if name != "clipped"])
def test_float32_takes_the_same_steps(name):
    optimizer, make, _ = PAIRS[name]
    weights = [torch.ones(3, 2), torch.full((2,), -0.5)]
    twins = [nn.Parameter(weight.clone()) for weight in weights]
    state, theirs = optimizer.start(weights), make([{"params": twins}])
    decay = theirs.param_groups[0]["weight_decay"]
    for group in theirs.param_groups:
        group["weight_decay"] = 0.0
    assert decay >= 0
    for step in range(5):
        gradients = [torch.full_like(weight, 0.3 + step / 10) for weight in weights]
        for twin, gradient in zip(twins, gradients, strict=True):
            twin.grad = gradient.clone()
        theirs.step()
        with torch.no_grad():
            optimizer.step(lambda gradients=gradients: (torch.zeros(()), gradients), weights, state, 0.01)
    for weight, twin in zip(weights, twins, strict=True):
        np.testing.assert_allclose(weight, twin.detach(), rtol=1e-5)


def test_decoupled_decay_spares_vectors():
    model, start = ours(AdamW(), 1e-12, weight_decay=1e10), network()
    for trained, first in zip(model.parameters(), start.parameters(), strict=True):
        shrunk = 0.99**N_STEPS if first.dim() > 1 else 1.0
        np.testing.assert_allclose(trained.detach(), first.detach() * shrunk, rtol=1e-6)


# L-BFGS


def logistic(weight_decay: float):
    features, labels = load_breast_cancer(return_X_y=True)
    features = StandardScaler().fit_transform(features)
    signs = np.where(labels == 1, 1.0, -1.0)

    def loss_and_gradient(w):
        margins = signs * (features @ w[:-1] + w[-1])
        pull = -signs / (1 + np.exp(margins)) / len(signs)
        loss = np.logaddexp(0, -margins).mean() + weight_decay / 2 * (w[:-1] @ w[:-1])
        return loss, np.append(features.T @ pull + weight_decay * w[:-1], pull.sum())

    return features, signs, loss_and_gradient


@pytest.mark.parametrize("weight_decay", [1e-3, 0.1])
def test_lbfgs_reaches_the_minimum_of_scipy(weight_decay):
    features, signs, loss_and_gradient = logistic(weight_decay)
    best = scipy.optimize.minimize(loss_and_gradient, np.zeros(31), jac=True, tol=1e-12).fun
    model = nn.Linear(30, 1).double()
    nn.init.zeros_(model.weight), nn.init.zeros_(model.bias)

    def loss(model, batch):
        return torch.nn.functional.softplus(-batch["y"] * model(batch["x"])[:, 0]).mean()

    batch = {"x": torch.from_numpy(features), "y": torch.from_numpy(signs)}
    trainer = Trainer(epochs=100, optimizer=LBFGS(), learning_rate=1.0, weight_decay=weight_decay)
    history = trainer.fit(model, [Objective("loss", model.parameters(), loss)], [batch])
    w = torch.cat([model.weight.flatten(), model.bias]).detach().numpy()
    assert loss_and_gradient(w)[0] == pytest.approx(best, abs=1e-6)
    assert all(later <= earlier + 1e-12 for earlier, later in zip(history["loss"], history["loss"][1:], strict=False))


def rosenbrock(parameters: list[torch.Tensor]):
    def evaluate():
        x, y = parameters[0].tolist()
        gradient = [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)]
        value = torch.tensor((1 - x) ** 2 + 100 * (y - x * x) ** 2, dtype=torch.float64)
        return value, [torch.tensor(gradient, dtype=torch.float64)]

    return evaluate


@pytest.mark.parametrize("memory", [2, 10])
def test_lbfgs_solves_rosenbrocks_valley(memory):
    where = [torch.tensor([-1.2, 1.0], dtype=torch.float64)]
    optimizer = LBFGS(memory=memory)
    state = optimizer.start(where)
    for _ in range(100):
        optimizer.step(rosenbrock(where), where, state, 1.0)
    np.testing.assert_allclose(where[0], 1, atol=1e-6)
    assert len(state["moves"]) <= memory


def test_lbfgs_stays_where_no_step_helps():
    where = [torch.tensor([0.0], dtype=torch.float64)]

    def evaluate():  # the gradient promises what the loss does not keep
        return where[0].abs().sum(), [torch.ones(1, dtype=torch.float64)]

    LBFGS().step(evaluate, where, state := LBFGS().start(where), 1.0)
    assert where[0].item() == 0
    assert state == {"moves": [], "changes": []}


# Muon


@pytest.mark.parametrize("shape", [(20, 20), (10, 40), (40, 10), (1, 8), (64, 3)])
def test_orthogonalize_brings_singular_values_near_one(shape):
    torch.manual_seed(0)
    matrix = torch.randn(shape, dtype=torch.float64)
    found = torch.linalg.svdvals(orthogonalize(matrix, 5))
    assert ((found > 0.6) & (found < 1.3)).all()  # Jordan's coefficients end in [0.68, 1.13], small ones a bit lower
    assert orthogonalize(matrix, 5).shape == shape


def test_orthogonalize_keeps_the_directions():
    torch.manual_seed(0)
    u, s, v = torch.linalg.svd(torch.randn(6, 9, dtype=torch.float64), full_matrices=False)
    found = orthogonalize(u @ torch.diag(s) @ v, 5)
    inside = u.T @ found @ v.T
    np.testing.assert_allclose(inside - torch.diag(inside.diagonal()), 0, atol=1e-10)
    assert not orthogonalize(torch.zeros(3, 4), 5).isnan().any()


def test_muon_moves_matrices_by_its_rule_and_vectors_by_adams():
    torch.manual_seed(0)
    weights = [torch.randn(6, 4, dtype=torch.float64), torch.randn(6, dtype=torch.float64)]
    gradients = [torch.randn_like(weight) for weight in weights]
    start = [weight.clone() for weight in weights]
    optimizer = Muon()
    state = optimizer.start(weights)
    optimizer.step(lambda: (torch.zeros(()), gradients), weights, state, 0.01)
    momentum = 0.05 * gradients[0]  # m ← 0.95 · 0 + 0.05 g, then Nesterov: 0.05 g + 0.95 m
    update = orthogonalize(0.05 * gradients[0] + 0.95 * momentum, 5)
    np.testing.assert_allclose(weights[0], start[0] - 0.01 * 0.2 * 6**0.5 * update, rtol=1e-9)
    np.testing.assert_allclose(weights[1], start[1] - 0.01 * gradients[1].sign(), rtol=1e-4)


# all of them


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_lowers_the_loss_at_its_own_rate(name):
    optimizer = optimizer_by_name(name)
    model = network()
    before = mse(model, {"x": X, "y": Y}).item()
    trained = ours(optimizer, optimizer.default_rate)
    assert mse(trained, {"x": X, "y": Y}).item() < before


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_state_is_all_there_is_to_resume(name):
    """Half the steps, a copy of weights and state, the other half: as if nothing had happened."""

    def steps(model, state, n):
        parameters = list(model.parameters())
        for _ in range(n):

            def evaluate():
                with torch.enable_grad():
                    loss = mse(model, {"x": X, "y": Y})
                    return loss, list(torch.autograd.grad(loss, parameters))

            with torch.no_grad():
                optimizer.step(evaluate, parameters, state, 0.01)

    optimizer = optimizer_by_name(name)
    whole, first = network(), network()
    steps(whole, optimizer.start(list(whole.parameters())), 6)
    state = optimizer.start(list(first.parameters()))
    steps(first, state, 3)
    second = network()
    second.load_state_dict(first.state_dict())
    steps(second, {key: [tensor.clone() for tensor in tensors] for key, tensors in state.items()}, 3)
    for a, b in zip(whole.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)


def test_names_with_settings_and_back():
    assert optimizer_by_name("sgd(momentum=0.5, nesterov=False)") == SGD(momentum=0.5, nesterov=False)
    assert optimizer_by_name(" Adam ") == Adam()
    assert optimizer_by_name(RMSprop(decay=0.5)) == RMSprop(decay=0.5)
    for name in OPTIMIZERS:
        assert str(optimizer_by_name(name)) == name
    for text in ("sgd(momentum=0.5)", "adamw(beta1=0.8, epsilon=0.001)", "lbfgs(memory=3)", "muon(n_iterations=7)"):
        assert str(optimizer_by_name(text)) == text


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("adma", InvalidParameter, r"no optimizer is called 'adma'. Did you mean 'adam'\? Known: adagrad, adam, adamw"),
        ("sgd(momentun=0.9)", UnknownParameter, r"no option 'momentun'. Did you mean 'momentum'\?"),
        ("sgd(momentum=1)", InvalidParameter, r"sgd\(momentum=1\): momentum is a number at least 0 and below 1"),
        ("sgd(nesterov=3)", InvalidParameter, "nesterov"),
        ("adam(0.9, 0.99, 1e-8, 1)", InvalidParameter, "adam has 3 settings"),
        ("adam(epsilon=0)", InvalidParameter, "above 0"),
        ("lbfgs(memory=2.5)", InvalidParameter, "memory"),
        ("muon(n_iterations=0)", InvalidParameter, "at least 1"),
        ("__import__('os').system('true')", InvalidParameter, "give a name, or a name with settings"),
        ("adam(beta1=open('x'))", InvalidParameter, "give a name"),
        ("", InvalidParameter, "give a name"),
        (3, InvalidParameter, "give a name"),
        (None, InvalidParameter, "give a name"),
        (Adam, InvalidParameter, "give a name"),
    ],
)
def test_wrong_names_say_what_is_right(text, error, words):
    with pytest.raises(error, match=words):
        optimizer_by_name(text)
