"""Ganglion: explain with LIME."""

import torch  # noqa: F401 - Ganglion imports late; the user's top-level imports are outside the clock

from benchmarks.contenders.explain.ganglion import run
from benchmarks.contenders.harness import contend

if __name__ == "__main__":
    contend(run, ["X", "background"], lambda found, arrays: {}, ["ganglion", "torch", "numpy"])
