"""Ganglion: explain, as it comes, or with so many evaluations of each row."""

import torch  # noqa: F401 - Ganglion imports late; the user's top-level imports are outside the clock

from benchmarks.contenders.explain.network import contend_to_explain, error
from benchmarks.contenders.harness import job_of_process
from ganglion.estimators.artifact import load
from ganglion.explanation.explain import explain

MODEL = load(job_of_process().model)


def run(job, X, background):
    asked = {"n_evaluations": job.n_evaluations} if hasattr(job, "n_evaluations") else {}
    return explain(MODEL, X, job.method, background=background, output="1", random_state=job.seed, **asked)


if __name__ == "__main__":
    contend_to_explain(run, lambda found, arrays: error(found.values, arrays), ["ganglion", "torch", "numpy"])
