"""Networks of series: moving averages and matrices against loops, levels that come back, and nobody sees the future."""

import pytest
import torch
from torch import nn

from ganglion.networks.ahead import RecurrentForecast
from ganglion.networks.decomposition import Decomposition, moving_average
from ganglion.networks.linear_gradient import LinearGradient, is_linear
from ganglion.networks.patch_transformer import PatchTransformer
from ganglion.networks.recurrent import Recurrent
from ganglion.networks.series import Level, Points, SeriesInput, SeriesNetwork, Shape, WindowReader
from ganglion.networks.temporal_convolution import TemporalConvolution
from ganglion.training.forecast_loss import forecast_loss, forecast_loss_and_slope

SHAPE = Shape(targets=2, past=1, ahead=3, length=20, horizon=5, n_out=2)


def bodies(shape):
    return {
        "linear": Decomposition(shape, kernel=7),
        "individual": Decomposition(shape, kernel=7, individual=True),
        "lstm": RecurrentForecast(Recurrent(shape.read, 8, layers=2, cell="lstm"), shape),
        "tcn": TemporalConvolution(shape, 8),
        "patch_transformer": PatchTransformer(shape, 8, layers=2, heads=2, hidden=16, patch=6, stride=3),
    }


def moved(body):
    """Give every weight a value, also those that begin as 0."""
    with torch.no_grad():
        for parameter in body.parameters():
            parameter.normal_(0, 0.3)
    return body.double().eval()


@pytest.mark.parametrize("kernel", [2, 5, 7, 25, 60])
def test_the_moving_average_is_that_of_the_authors(kernel):
    x = torch.randn(3, 20, dtype=torch.float64)
    before = (kernel - 1) // 2
    continued = torch.cat([x[:, :1].repeat(1, before), x, x[:, -1:].repeat(1, kernel - 1 - before)], 1)
    expected = continued.unfold(1, kernel, 1).mean(2)
    torch.testing.assert_close(x @ moving_average(20, kernel).double().T, expected, atol=1e-6, rtol=0)


def test_trend_and_season_are_multiplied_apart():
    shape = Shape(2, 0, 0, 20, 5)
    body = moved(Decomposition(shape, kernel=7))
    x = torch.randn(4, 2, 20, dtype=torch.float64)
    trend = x @ body.average().T
    by_hand = (x - trend) @ body.season + trend @ body.trend + body.bias
    torch.testing.assert_close(body(x, x[:, :0]).squeeze(3), by_hand)


def test_a_linear_network_begins_with_the_mean():
    x = torch.randn(4, 1, 20)
    y = Decomposition(Shape(1, 0, 0, 20, 3))(x, x[:, :0])
    torch.testing.assert_close(y.squeeze(3), x.mean(2, keepdim=True).expand(4, 1, 3))


def test_weights_of_one_target_touch_no_other():
    body = moved(Decomposition(Shape(2, 0, 0, 20, 5), individual=True))
    x = torch.randn(4, 2, 20, dtype=torch.float64)
    other = x.clone()
    other[:, 1] += 1
    one, two = body(x, x[:, :0]), body(other, x[:, :0])
    assert torch.equal(one[:, 0], two[:, 0])
    assert not torch.equal(one[:, 1], two[:, 1])


@pytest.mark.parametrize("name", bodies(SHAPE))
@pytest.mark.parametrize("level", ["revin", "last", "none"])
def test_only_what_is_known_ahead_is_seen_of_the_future(name, level):
    reader = moved(WindowReader(SHAPE, bodies(SHAPE)[name], level=level, spread=False))
    window = torch.randn(3, 6, 25, dtype=torch.float64)
    said = reader(window)
    assert said.shape == (3, 2, 5, 2)
    hidden = window.clone()
    hidden[:, :3, 20:] = torch.nan  # targets, and what is known up to now only
    assert torch.equal(reader(hidden), said)
    other = window.clone()
    other[:, 3:, 24] += 1
    assert not torch.equal(reader(other), said)
    assert torch.equal(reader(other)[:, :, :4], said[:, :, :4])  # a step hears of itself


@pytest.mark.parametrize("name", bodies(SHAPE))
def test_every_weight_has_a_gradient(name):
    body = moved(bodies(SHAPE)[name])
    x = torch.randn(3, 6, 25, dtype=torch.float64)
    body(x[:, :, :20], x[:, 3:, 20:]).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in body.parameters())


@pytest.mark.parametrize("kind", ["revin", "last", "none"])
def test_a_level_comes_back(kind):
    level = Level(kind, 2)
    for parameter in level.parameters():
        nn.init.uniform_(parameter, 0.5, 2)
    x = torch.randn(3, 2, 20) * 7 + 100
    z, known = level.away(x)
    torch.testing.assert_close(level.back(z[..., None], known)[..., 0], x, atol=1e-3, rtol=0)


def test_revin_follows_a_window_wherever_it_stands():
    reader = WindowReader(Shape(1, 0, 0, 20, 5), Decomposition(Shape(1, 0, 0, 20, 5)), level="revin", spread=False)
    moved(reader)
    window = torch.randn(3, 1, 25, dtype=torch.float64) * 3
    torch.testing.assert_close(reader(window * 10 + 1e3), reader(window) * 10 + 1e3, atol=0.02, rtol=0)


def test_a_variance_is_stretched_with_its_window():
    shape = Shape(1, 0, 0, 20, 5, 2)
    reader = moved(WindowReader(shape, Decomposition(shape), level="revin", spread=True))
    window = torch.randn(3, 1, 25, dtype=torch.float64) * 3
    one, ten = reader(window)[..., 1], reader(window * 10)[..., 1]
    torch.testing.assert_close((ten / 2).exp(), 10 * (one / 2).exp(), rtol=1e-3, atol=0)


def test_a_convolution_sees_the_whole_window():
    shape = Shape(1, 0, 0, 200, 1)
    body = moved(TemporalConvolution(shape, 4))
    for parameter in body.parameters():
        parameter.data.abs_()  # nothing is cut off
    x = torch.rand(1, 1, 200, dtype=torch.float64, requires_grad=True)
    body(x, x[:, :0]).sum().backward()
    assert x.grad[0, 0, 0] != 0


def test_patches_are_counted_as_in_the_paper():
    body = PatchTransformer(Shape(1, 0, 0, 336, 96), 16, layers=1, heads=4, hidden=32)
    assert body.places.shape == (42, 16)  # (336 - 16) / 8 + 2


def test_statistics_leave_out_what_is_missing():
    entry = SeriesInput(2)
    values = torch.tensor([[1.0, 5.0], [torch.nan, 5.0], [3.0, 5.0]])
    entry.adapt({"values": values})
    assert entry.center.tolist() == [2, 5]
    assert entry.factor.tolist() == [1, 0]
    scaled = entry.prepare({"values": values})["values"]
    assert scaled.tolist() == [[-1, 0], [0, 0], [1, 0]]
    window = entry.prepare({"window": values.T[None]})["window"]
    assert torch.equal(window[0].T, scaled)
    torch.testing.assert_close(
        entry.in_units(scaled.T[None, :, :, None], 2)[0, 0, ::2, 0], torch.tensor([1.0, 3.0]).double()
    )


@pytest.mark.parametrize("level", ["none", "last"])
@pytest.mark.parametrize("kind", ["mse", "mae", "huber", "quantiles"])
@pytest.mark.parametrize("counted", [False, True])
def test_the_gradient_by_hand_is_that_of_autograd(level, kind, counted):
    levels = (0.1, 0.5, 0.9) if kind == "quantiles" else ()
    shape = Shape(2, 0, 0, 20, 5, max(1, len(levels)))
    reader = WindowReader(shape, Decomposition(shape), level=level, spread=False, offsets=levels)
    network = SeriesNetwork(SeriesInput(2), moved(reader), Points())
    batch = {"window": torch.randn(3, 2, 25, dtype=torch.float64)}
    counts = torch.rand(3, 2, 5, dtype=torch.float64) if counted else None
    target = batch["window"][:, :, 20:]
    expected = forecast_loss(kind, network.scores(batch), target, levels, counts)
    slopes = torch.autograd.grad(expected, list(network.parameters()))
    assert is_linear(network)
    by_hand = LinearGradient(network, lambda scores, _: forecast_loss_and_slope(kind, scores, target, levels, counts))
    with torch.no_grad():
        torch.testing.assert_close(by_hand(batch), expected.detach())
    for own, slope in zip(by_hand.gradients, slopes, strict=True):
        torch.testing.assert_close(own, slope)
