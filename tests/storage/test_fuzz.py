"""Mutated model files are refused, or load and answer; `benchmarks/claims/model_file_fuzz.py` runs ten thousand."""

import importlib.util
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "claims" / "model_file_fuzz.py"
ROUNDS = 32  # of every mutation on every model: 1,536 files


def load_script():
    spec = importlib.util.spec_from_file_location("model_file_fuzz", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fuzz = load_script()


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return fuzz.models(tmp_path_factory.mktemp("models"))


@pytest.mark.parametrize("mutate", fuzz.BLIND + fuzz.KNOWING, ids=lambda mutate: mutate.__name__)
def test_mutated_file_is_refused_or_answers(mutate, saved, tmp_path):
    random, counts = np.random.default_rng(0), Counter()
    for _ in range(ROUNDS):
        for raw, X, said in saved:
            (tmp_path / "model").write_bytes(mutate(raw, random))
            found = fuzz.outcome(tmp_path / "model", X, said, blind=mutate in fuzz.BLIND)
            assert not found.startswith("WRONG"), found
            counts[found] += 1
    assert counts["refused"] or mutate is fuzz.weights_body, counts


def test_whole_file_is_identical(saved, tmp_path):
    for raw, X, said in saved:
        (tmp_path / "model").write_bytes(raw)
        assert fuzz.outcome(tmp_path / "model", X, said, blind=True) == "identical"


def test_small_claim_holds():
    found = fuzz.claim(count=200, seed=3)
    assert found["holds"], found
