"""Ganglion: explain with LIME."""

import torch  # noqa: F401 - Ganglion imports late; the user's top-level imports are outside the clock

from benchmarks.contenders.explain.ganglion import run
from benchmarks.contenders.explain.network import contend_to_explain

if __name__ == "__main__":
    contend_to_explain(run, lambda found, arrays: {}, ["ganglion", "torch", "numpy"])
