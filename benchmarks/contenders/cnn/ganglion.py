"""Ganglion's CNNClassifier."""

from benchmarks.contenders.harness import contend_to_fit
from ganglion.algorithms.cnn import CNNClassifier


def fit(job, X, y):
    model = CNNClassifier(
        channels=(32, 64),
        hidden=(128,),
        normalization=None,
        augmentation="none",
        optimizer="adam",
        learning_rate=job.learning_rate,
        schedule="constant",
        weight_decay=0,
        batch_size=job.batch_size,
        epochs=job.epochs,
        validation_fraction=0,
        random_state=job.seed,
    )
    return model.fit(X, y).predict_proba


if __name__ == "__main__":
    contend_to_fit(fit, ["ganglion", "torch", "numpy"])
