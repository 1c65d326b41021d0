"""Ganglion's LanguageModel."""

from benchmarks.contenders.ganglion_text import as_text, scores_of
from benchmarks.contenders.text import contend_on_text
from ganglion.algorithms.language_model import LanguageModel


def fit(job, tokens):
    model = LanguageModel(
        network="transformer",
        width=job.width,
        layers=job.layers,
        heads=job.heads,
        dropout=0,
        context=job.length,
        batch_size=job.batch_size,
        steps=job.steps,
        optimizer=f"adamw(beta2={job.beta2})",
        learning_rate=job.learning_rate,
        schedule=f"warm_up(steps={job.warmup}, then='cosine(floor={job.least_rate / job.learning_rate})')",
        weight_decay=job.weight_decay,
        clip_norm=job.clip,
        validation_fraction=0,
        random_state=job.seed,
    )
    return scores_of(model.fit([as_text(tokens)]))


if __name__ == "__main__":
    contend_on_text(fit, ["ganglion", "torch", "numpy"])
