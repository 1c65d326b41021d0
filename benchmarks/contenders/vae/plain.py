"""The loop that everybody writes in torch, with a DataLoader."""

import torch
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.contenders.vae.measured import contend_as_vae
from benchmarks.contenders.vae.network import VAE


def fit(job, X):
    torch.manual_seed(job.seed)
    network = VAE(job, X.shape[1])
    optimizer = torch.optim.Adam(network.parameters(), lr=job.learning_rate)
    loader = DataLoader(TensorDataset(torch.from_numpy(X)), batch_size=job.batch_size, shuffle=True)
    for _ in range(job.epochs):
        for (rows,) in loader:
            optimizer.zero_grad()
            network.negative_elbo(rows).backward()
            optimizer.step()
    return network.halves()


if __name__ == "__main__":
    contend_as_vae(fit, ["torch", "numpy"])
