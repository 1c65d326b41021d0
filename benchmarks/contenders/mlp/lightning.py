"""Lightning's Trainer with a DataLoader; logger, checkpoints, bar and summary are off."""

import logging
import warnings

import lightning
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.contenders.harness import contend_to_fit, softmax
from benchmarks.contenders.torch_mlp import mlp, widths_of


class Module(lightning.LightningModule):
    def __init__(self, widths, learning_rate):
        super().__init__()
        self.network, self.learning_rate = mlp(widths), learning_rate

    def training_step(self, batch, _):
        X, y = batch
        return nn.functional.cross_entropy(self.network(X), y)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.learning_rate)


def fit(job, X, y):
    torch.manual_seed(job.seed)
    module = Module(widths_of(job, X, y), job.learning_rate)
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

    def probabilities(rows):
        with torch.inference_mode():
            return softmax(module.eval().network(torch.from_numpy(rows)).numpy())

    return probabilities


if __name__ == "__main__":
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")  # advice to use more workers, which are slower here
    contend_to_fit(fit, ["lightning", "torch", "numpy"])
