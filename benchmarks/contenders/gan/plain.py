"""The loop that everybody writes in torch, with a DataLoader."""

import torch
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.contenders.gan.measured import contend_as_gan
from benchmarks.contenders.gan.network import GAN


def fit(job, X):
    torch.manual_seed(job.seed)
    network = GAN(job, X.shape[1])
    options = {"lr": job.learning_rate, "betas": (job.beta1, 0.999)}
    of_critic = torch.optim.Adam(network.critic.parameters(), **options)
    of_generator = torch.optim.Adam(network.generator.parameters(), **options)
    loader = DataLoader(TensorDataset(torch.from_numpy(X) * 2 - 1), batch_size=job.batch_size, shuffle=True)
    for _ in range(job.epochs):
        for (rows,) in loader:
            of_critic.zero_grad()
            network.critic_loss(rows, network.made(len(rows)).detach()).backward()
            of_critic.step()
            of_generator.zero_grad()
            network.generator_loss(network.made(len(rows))).backward()
            of_generator.step()
    return network.sample


if __name__ == "__main__":
    contend_as_gan(fit, ["torch", "numpy"])
