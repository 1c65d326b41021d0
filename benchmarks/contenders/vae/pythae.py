"""pythae's VAE and TrainingPipeline, with the same network as the others; it writes the best model at the end."""

import logging
import tempfile

import torch
from pythae.models import VAE, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.pipelines import TrainingPipeline
from pythae.trainers import BaseTrainerConfig
from torch import nn

from benchmarks.contenders.vae.measured import contend_as_vae


class Encoder(BaseEncoder):
    def __init__(self, job, pixels):
        super().__init__()
        self.hidden = nn.Sequential(nn.Linear(pixels, job.hidden), nn.ReLU())
        self.means, self.log_variances = nn.Linear(job.hidden, job.latent), nn.Linear(job.hidden, job.latent)

    def forward(self, X):
        h = self.hidden(X)
        return ModelOutput(embedding=self.means(h), log_covariance=self.log_variances(h))


class Decoder(BaseDecoder):
    def __init__(self, job, pixels):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(job.latent, job.hidden), nn.ReLU(), nn.Linear(job.hidden, pixels), nn.Sigmoid()
        )

    def forward(self, codes):
        return ModelOutput(reconstruction=self.layers(codes))


def fit(job, X):
    torch.manual_seed(job.seed)
    config = VAEConfig(input_dim=X.shape[1:], latent_dim=job.latent, reconstruction_loss="bce")
    model = VAE(config, Encoder(job, X.shape[1]), Decoder(job, X.shape[1]))
    with tempfile.TemporaryDirectory() as folder:
        training = BaseTrainerConfig(
            output_dir=folder,
            learning_rate=job.learning_rate,
            per_device_train_batch_size=job.batch_size,
            num_epochs=job.epochs,
            seed=job.seed,
        )
        TrainingPipeline(model, training)(X)

    def encode(rows):
        with torch.inference_mode():
            output = model.encoder(torch.from_numpy(rows))
        return output.embedding.numpy(), output.log_covariance.numpy()

    def decode(codes):
        with torch.inference_mode():
            return model.decoder(torch.from_numpy(codes)).reconstruction.numpy()

    return encode, decode


if __name__ == "__main__":
    logging.disable(logging.INFO)
    contend_as_vae(fit, ["pythae", "torch", "numpy"])
