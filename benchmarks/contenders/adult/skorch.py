"""skorch behind scikit-learn's preprocessing."""

import pandas as pd  # noqa: F401 - a top-level import of the user's script: outside the clock
import torch
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from skorch import NeuralNetBinaryClassifier
from torch import nn

from benchmarks.contenders.adult.rows import CATEGORICAL, NUMERIC, labels, read
from benchmarks.contenders.harness import contend_from_file


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.LazyLinear(64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, X):
        return self.layers(X).squeeze(-1)


def run(job):
    torch.manual_seed(job.seed)
    train, test = read(job.train), read(job.test)
    prepare = ColumnTransformer(
        [
            ("numbers", StandardScaler(), NUMERIC),
            ("categories", OneHotEncoder(handle_unknown="ignore", min_frequency=10), CATEGORICAL),
        ],
        sparse_threshold=0,
    )
    prepare = make_pipeline(prepare, FunctionTransformer(_single))
    net = NeuralNetBinaryClassifier(
        Network,
        optimizer=torch.optim.Adam,
        lr=1e-3,
        batch_size=256,
        max_epochs=5,
        train_split=None,
        iterator_train__shuffle=True,
        verbose=0,
    )
    X = prepare.fit_transform(train.drop(columns="income"))
    net.initialize()
    with torch.no_grad():
        net.module_(torch.from_numpy(X[:2]))
    net.set_params(warm_start=True)
    net.fit(X, train["income"].to_numpy().astype("float32"))
    return net.predict_proba(prepare.transform(test.drop(columns="income")))[:, 1]


def _single(X):
    return X.astype("float32")


if __name__ == "__main__":
    contend_from_file(run, labels, ["skorch", "scikit-learn", "torch", "pandas"])
