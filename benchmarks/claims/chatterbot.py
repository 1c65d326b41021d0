"""A chatbot from a few thousand lines: does it know an answer to a question that it never saw?"""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.claims import Claim, Figure, Skipped, bootstrap_mean
from ganglion.algorithms.translator import Translator
from ganglion.data.public import find
from ganglion.data.read import read
from ganglion.errors import DataWarning, InvalidFile

SEED = 0
SETTINGS: dict[str, Any] = {
    "tokenizer": "words(min_count=1)",
    "width": 128,
    "layers": 2,
    "max_length": 30,
    "epochs": 50,
    "learning_rate": 2e-3,
    "dropout": 0.3,
    "threads": 1,
}
HELD_OUT = 0.1  # of the dialogues
CANDIDATES = 20
CHANCE = 1 / CANDIDATES
ASKED = (
    "Hello!",
    "What is AI?",
    "Do you like football?",
    "Who are you?",
    "Tell me a joke.",
    "What is your favourite book?",
)


def claim() -> Claim:
    """Train on nine tenths of the dialogues; among 20 answers, find that to each turn of the others."""
    try:
        data = read(find("chatterbot/english.jsonl"))
    except InvalidFile as error:
        raise Skipped(str(error)) from error
    X, y = data.values("text"), data.values("answer")
    train, test = _parts(X, y, data.values("dialogue"))
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # long answers, programs most of them, are cut on purpose
        model = Translator(**SETTINGS, random_state=SEED).fit(X[train].tolist(), y[train].tolist())
        seconds = time.perf_counter() - started
        choices = _choices(y, test)
        ours = _chosen_by_likelihood(model, X, y, train, test, choices)
    words = _chosen_by_words(X, y, train, test, choices)
    return Claim(
        name="chatterbot",
        data=f"ChatterBot corpus, English: {len(np.unique(data.values('dialogue'))):,} dialogues, {len(X):,} pairs of "
        f"turns; a tenth of the dialogues held out, seed {SEED}, and of these the pairs whose question stands in no "
        f"other dialogue: {len(test)} pairs to test, {len(train):,} to train.",
        settings=f"Translator({', '.join(f'{name}={value!r}' for name, value in SETTINGS.items())}), all else as it "
        f"comes. Trained in {seconds / 60:.1f} min. Each question gets its own answer and {CANDIDATES - 1} other "
        "answers of the test part; the answer is chosen by log p(answer | question) - log p(answer), the second the "
        "mean over 50 training questions. Intervals: bootstrap over the pairs. What it says by itself stands in the "
        "result file.",
        reference=f"Chance is {CHANCE:.2f}; the answer to the most similar training question by tf-idf, and of the "
        f"candidates the one most like it: {words.mean():.3f}.",
        figures=[
            Figure(
                "retrieval@1 of 20",
                float(ours.mean()),
                *bootstrap_mean(ours.tolist()),
                CHANCE,
                paper=f"{CHANCE:.2f} by chance",
            ),
            Figure("tf-idf retrieval@1 of 20", float(words.mean()), *bootstrap_mean(words.tolist()), CHANCE),
        ],
        details={
            "seconds": seconds,
            "rows": model.history_.rows,
            "conversation": {each: model.reply(each) for each in ASKED},
            "held_out": [[X[i], model.reply(str(X[i])), y[i]] for i in test[:20]],
        },
    )


def _parts(X: np.ndarray, y: np.ndarray, dialogue: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs to train on, and those to test on: of other dialogues, with questions that are nowhere else."""
    order = np.random.default_rng(SEED).permutation(np.unique(dialogue))
    held_out = np.isin(dialogue, order[: round(HELD_OUT * len(order))])
    known = {_plain(text) for text in X[~held_out]}
    test = [i for i in np.flatnonzero(held_out) if _plain(X[i]) not in known]
    return np.flatnonzero(~held_out), np.array(test)


def _choices(y: np.ndarray, test: np.ndarray) -> list[np.ndarray]:
    """Return for each test pair the pairs whose answers are offered, its own first; no answer is offered twice."""
    rng, found = np.random.default_rng(SEED), []
    for i in test:
        others = {y[j]: j for j in rng.permutation(test) if y[j] != y[i]}
        found.append(np.array([i, *list(others.values())[: CANDIDATES - 1]]))
    return found


def _chosen_by_likelihood(
    model: Translator, X: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray, choices: list[np.ndarray]
) -> np.ndarray:
    """Return whether the own answer gains most from its question, (n,)."""
    background = np.random.default_rng(SEED).choice(train, 50, replace=False)
    pairs = [(i, j) for i in background for j in test]
    usual = model.log_likelihood([X[i] for i, _ in pairs], [y[j] for _, j in pairs]).reshape(50, len(test)).mean(0)
    of_answer = dict(zip(test.tolist(), usual.tolist(), strict=True))
    asked = [(offered[0], j) for offered in choices for j in offered]
    gains = model.log_likelihood([X[i] for i, _ in asked], [y[j] for _, j in asked])
    gains -= [of_answer[int(j)] for _, j in asked]
    ends = np.cumsum([len(offered) for offered in choices])[:-1]
    return np.array([part.argmax() == 0 for part in np.split(gains, ends)], dtype=float)


def _chosen_by_words(
    X: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray, choices: list[np.ndarray]
) -> np.ndarray:
    """Return whether the own answer is the one most like the answer to the most similar training question, (n,)."""
    vectors = TfidfVectorizer(token_pattern=r"\w+", sublinear_tf=True).fit([*X[train], *y[train]])
    nearest = (vectors.transform(X[test]) @ vectors.transform(X[train]).T).toarray().argmax(1)
    usual = vectors.transform(y[train[nearest]])
    return np.array(
        [
            (vectors.transform(y[offered]) @ usual[row].T).toarray()[:, 0].argsort()[-1] == 0
            for row, offered in enumerate(choices)
        ],
        dtype=float,
    )


def _plain(text: str) -> str:
    return " ".join(text.lower().split())
