"""The networks of the plain loop and of the limit: windows (b, window) to what follows, (b, horizon)."""

import torch
from torch import Tensor, nn


class DLinear(nn.Module):
    """Trend and season, each by a linear layer, as its authors write it."""

    def __init__(self, job, kernel=25):
        super().__init__()
        self.before, self.behind = (kernel - 1) // 2, kernel - 1 - (kernel - 1) // 2
        self.average = nn.AvgPool1d(kernel, stride=1)
        self.season, self.trend = nn.Linear(job.window, job.horizon), nn.Linear(job.window, job.horizon)
        for layer in (self.season, self.trend):
            nn.init.constant_(layer.weight, 1 / job.window)

    def forward(self, x: Tensor) -> Tensor:
        longer = torch.cat([x[:, :1].expand(-1, self.before), x, x[:, -1:].expand(-1, self.behind)], 1)
        trend = self.average(longer[:, None])[:, 0]
        return self.season(x - trend) + self.trend(trend)


class LastState(nn.Module):
    """An LSTM, and a linear layer from its last state."""

    def __init__(self, job):
        super().__init__()
        self.lstm = nn.LSTM(1, job.width, batch_first=True)
        self.head = nn.Linear(job.width, job.horizon)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.lstm(x[:, :, None])[0][:, -1])


def network_of(job):
    return DLinear(job) if job.network == "linear" else LastState(job)


def forecasts_of(network):
    def forecasts(windows):
        with torch.inference_mode():
            return network.eval()(torch.from_numpy(windows)).numpy()

    return forecasts
