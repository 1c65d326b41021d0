"""The loop that everybody writes in torch: a data set of windows, a DataLoader, Adam."""

import torch
from torch.utils.data import DataLoader, Dataset

from benchmarks.contenders.forecast.network import forecasts_of, network_of
from benchmarks.contenders.forecasts import contend_to_forecast


class Windows(Dataset):
    def __init__(self, job, series):
        self.series, self.window, self.length = torch.from_numpy(series), job.window, job.window + job.horizon

    def __len__(self):
        return len(self.series) - self.length + 1

    def __getitem__(self, i):
        return self.series[i : i + self.window], self.series[i + self.window : i + self.length]


def fit(job, series):
    torch.manual_seed(job.seed)
    network = network_of(job)
    optimizer = torch.optim.Adam(network.parameters(), lr=job.learning_rate)
    loader, step = DataLoader(Windows(job, series), job.batch_size, shuffle=True, drop_last=True), 0
    while step < job.steps:
        for x, y in loader:
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(network(x), y).backward()
            optimizer.step()
            step += 1
            if step == job.steps:
                break
    return forecasts_of(network)


if __name__ == "__main__":
    contend_to_forecast(fit, ["torch", "numpy"])
