"""Lightning's Trainer with a DataLoader; logger, checkpoints, bar and summary are off."""

import logging
import warnings

import lightning
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.contenders.harness import contend_to_fit
from benchmarks.contenders.torch_mlp import mlp, probabilities_of, widths_of


class Module(lightning.LightningModule):
    def __init__(self, network, learning_rate):
        super().__init__()
        self.network, self.learning_rate = network, learning_rate

    def training_step(self, batch, _):
        X, y = batch
        return nn.functional.cross_entropy(self.network(X), y)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.learning_rate)


def fit(job, X, y):
    torch.manual_seed(job.seed)
    return train(job, mlp(widths_of(job, X, y)), X, y)


def train(job, network, X, y):
    module = Module(network, job.learning_rate)
    rows = TensorDataset(torch.from_numpy(X), torch.from_numpy(y))
    trainer = lightning.Trainer(
        max_epochs=job.epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, DataLoader(rows, batch_size=job.batch_size, shuffle=True))
    return probabilities_of(network)


def be_quiet():
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")  # advice to use more workers, which are slower here


if __name__ == "__main__":
    be_quiet()
    contend_to_fit(fit, ["lightning", "torch", "numpy"])
