"""The path of texts of different lengths: no order, no filling and no neighbour changes an answer: a law."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganglion.algorithms.rnn import RNNClassifier, RNNRegressor
from ganglion.algorithms.text_cnn import TextCNN
from ganglion.algorithms.transformer import TransformerClassifier, TransformerRegressor
from ganglion.data.ragged import side_by_side

WORDS = np.array(["a", "film", "of", "good", "and", "bad", "light", "that", "nobody", "saw", ",", "."], dtype=object)
SMALL = {"width": 8, "epochs": 1, "random_state": 0}
MODELS = {
    "cnn": TextCNN(maps=6, embedding=8, epochs=1, random_state=0),
    "lstm": RNNClassifier(**SMALL, embedding=8, layers=2),
    "lstm, packed": RNNClassifier(**SMALL, embedding=8, layers=2, packing=True),
    "gru, last, one way": RNNClassifier(**SMALL, cell="gru", embedding=8, bidirectional=False, pooling="last"),
    "elman, mean, packed": RNNRegressor(**SMALL, cell="elman", embedding=8, pooling="mean", packing=True),
    "sinusoidal": TransformerClassifier(**SMALL, heads=2),
    "learned, token": TransformerClassifier(**SMALL, heads=2, positions="learned", pooling="token"),
    "rotary": TransformerRegressor(**SMALL, heads=2, positions="rotary"),
}


def texts_of(lengths, seed):
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, length)) for length in lengths]


@pytest.fixture(scope="module", params=list(MODELS))
def model(request):
    given = MODELS[request.param]
    texts = texts_of(np.arange(1, 41), 0)
    y = np.arange(40.0) if "Regressor" in type(given).__name__ else np.arange(40) % 3
    return given.fit(texts, y)


def scores(model, inputs):
    with torch.inference_mode():
        return model.network_.raw_scores(inputs).numpy()


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.integers(0, 2**32 - 1), st.integers(0, 30))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_order_filling_and_neighbours_change_nothing(model, lengths, seed, more):
    texts, rng = texts_of(lengths, seed), np.random.default_rng(seed)
    together = model.predict_proba(texts) if hasattr(model, "predict_proba") else model.predict(texts)[:, None]
    alone = [
        model.predict_proba([t]) if hasattr(model, "predict_proba") else model.predict([t])[:, None] for t in texts
    ]
    np.testing.assert_allclose(np.concatenate(alone), together, atol=1e-6 * max(1, np.abs(together).max()))
    order = rng.permutation(len(texts))
    shuffled = [texts[i] for i in order]
    again = model.predict_proba(shuffled) if hasattr(model, "predict_proba") else model.predict(shuffled)[:, None]
    np.testing.assert_allclose(again, together[order], atol=1e-6 * max(1, np.abs(together).max()))

    batch = side_by_side(model._encoded(texts))
    beyond = torch.arange(batch["tokens"].shape[1]) >= batch["tokens_length"][:, None]
    garbage = torch.from_numpy(rng.integers(0, model.encoder_.tokenizer.n_tokens, batch["tokens"].shape))
    filled = torch.where(beyond, garbage.to(batch["tokens"].dtype), batch["tokens"])
    longer = torch.cat([filled, filled[:, :1].expand(-1, min(more, 40 - filled.shape[1]))], 1)
    expected = scores(model, batch)
    for other in (filled, longer):
        found = scores(model, {"tokens": other, "tokens_length": batch["tokens_length"]})
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_packed_or_not_is_one_result():
    texts = texts_of(np.arange(1, 41), 1)
    packed, plain = (
        RNNClassifier(**SMALL, embedding=8, packing=packing).fit(texts, np.arange(40) % 2) for packing in (True, False)
    )
    np.testing.assert_allclose(packed.predict_proba(texts), plain.predict_proba(texts), atol=1e-6)
