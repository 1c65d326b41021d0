"""scikit-learn's pipeline: impute, scale and one-hot, then its MLPClassifier."""

import warnings

import pandas as pd  # noqa: F401 - a top-level import of the user's script: outside the clock
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from benchmarks.contenders.adult.rows import CATEGORICAL, NUMERIC, labels, read
from benchmarks.contenders.harness import contend_from_file


def run(job):
    train, test = read(job.train), read(job.test)
    prepare = ColumnTransformer(
        [
            ("numbers", StandardScaler(), NUMERIC),
            ("categories", OneHotEncoder(handle_unknown="ignore", min_frequency=10, dtype="float32"), CATEGORICAL),
        ],
        sparse_threshold=0,
    )
    network = MLPClassifier((64,), batch_size=256, max_iter=5, random_state=job.seed)
    model = make_pipeline(prepare, network)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # five epochs are what was asked for
        model.fit(train.drop(columns="income"), train["income"])
    return model.predict_proba(test.drop(columns="income"))[:, 1]


if __name__ == "__main__":
    contend_from_file(run, labels, ["scikit-learn", "pandas", "numpy"])
