"""Ganglion's LanguageModel."""

from benchmarks.contenders.ganglion_text import as_text, scores_of
from benchmarks.contenders.text import contend_on_text
from ganglion.algorithms.language_model import LanguageModel


def fit(job, tokens):
    model = LanguageModel(
        network="lstm",
        embedding=job.embedding,
        width=job.width,
        layers=job.layers,
        dropout=0,
        context=job.length,
        batch_size=job.batch_size,
        steps=job.steps,
        optimizer="adam",
        learning_rate=job.learning_rate,
        schedule="constant",
        weight_decay=0,
        clip_norm=None,
        validation_fraction=0,
        random_state=job.seed,
    )
    return scores_of(model.fit([as_text(tokens)]))


if __name__ == "__main__":
    contend_on_text(fit, ["ganglion", "torch", "numpy"])
