"""The least that a fit must do, by hand: windows gathered, DLinear as one product, Adam's fused kernel called directly.

DLinear's two layers are linear in the window, so that they are one: x (W_S + Mᵀ (W_T - W_S)) + b, with M the moving
average, and its gradient is known without autograd.
"""

import torch

from benchmarks.contenders.by_hand import Adam
from benchmarks.contenders.forecast.network import LastState, forecasts_of
from benchmarks.contenders.forecasts import contend_to_forecast


def moving_average(length, kernel=25):
    places = (torch.arange(length)[:, None] + torch.arange(kernel) - (kernel - 1) // 2).clamp(0, length - 1)
    return torch.zeros(length, length).scatter_add_(1, places, torch.full(places.shape, 1 / kernel))


def order(job, n):
    while True:
        for index in torch.randperm(n).split(job.batch_size):
            if len(index) == job.batch_size:
                yield index


@torch.no_grad()
def linear(job, windows):
    average = moving_average(job.window)
    weights = torch.full((2, job.window, job.horizon), 1 / job.window)
    bias, slope, of_bias = torch.zeros(job.horizon), torch.empty_like(weights), torch.empty(job.horizon)
    adam, batch = Adam([weights, bias], job.learning_rate), windows.new_empty(job.batch_size, windows.shape[1])
    for _, index in zip(range(job.steps), order(job, len(windows)), strict=False):
        torch.index_select(windows, 0, index, out=batch)
        x, y = batch[:, : job.window], batch[:, job.window :]
        whole = weights[0] + average.t() @ (weights[1] - weights[0])
        error = torch.addmm(bias, x, whole).sub_(y).mul_(2 / y.numel())
        of_whole = x.t() @ error
        torch.mm(average, of_whole, out=slope[1])
        torch.sub(of_whole, slope[1], out=slope[0])
        torch.sum(error, 0, out=of_bias)
        adam.step([slope, of_bias])
    whole = weights[0] + average.t() @ (weights[1] - weights[0])
    return lambda rows: (torch.from_numpy(rows) @ whole + bias).numpy()


def recurrent(job, windows):
    network = LastState(job)
    parameters = list(network.parameters())
    adam, batch = Adam(parameters, job.learning_rate), windows.new_empty(job.batch_size, windows.shape[1])
    for _, index in zip(range(job.steps), order(job, len(windows)), strict=False):
        torch.index_select(windows, 0, index, out=batch)
        loss = torch.nn.functional.mse_loss(network(batch[:, : job.window]), batch[:, job.window :])
        adam.step(torch.autograd.grad(loss, parameters))
    return forecasts_of(network)


def fit(job, series):
    torch.manual_seed(job.seed)
    windows = torch.from_numpy(series).unfold(0, job.window + job.horizon, 1)
    return (linear if job.network == "linear" else recurrent)(job, windows)


if __name__ == "__main__":
    contend_to_forecast(fit, ["torch", "numpy"])
