"""Language models: what they learn, how likely they find texts, what they write, and what they refuse."""

import copy
import itertools
import math

import numpy as np
import pytest
import torch

from ganglion.algorithms.language_model import LanguageModel
from ganglion.data.vocabulary import END, SPECIAL
from ganglion.errors import DataWarning, InvalidInput, InvalidParameter, UnsupportedType
from ganglion.estimators.artifact import load
from ganglion.networks.choosing import draw

CYCLE = "abcdefghij"
DOCUMENTS = ["one two three", "three four", "five six seven eight", "nine ten", "one more", "and one"] * 4
NETWORKS = ("transformer", "lstm", "gru")


def small(network="transformer", **options):
    settings = {"width": 16, "layers": 1, "heads": 2, "context": 8, "dropout": 0.0, "random_state": 0}
    return LanguageModel(network=network, **(settings | options))


@pytest.fixture(scope="module", params=NETWORKS)
def cycle(request):
    """Return a model that has learned a text in which every letter tells the next one."""
    model = small(request.param, width=32, steps=150, batch_size=16, learning_rate=1e-2, validation_fraction=0)
    return model.fit([CYCLE * 60])


@pytest.fixture(scope="module", params=NETWORKS)
def documents(request):
    return small(request.param, epochs=3, batch_size=8).fit(DOCUMENTS)


@pytest.fixture(scope="module")
def text_model():
    model = small(epochs=2, batch_size=8, tokenizer="bpe(vocabulary=280)")
    return model.fit(["the cat and the dog; Ärger über Öl. " * 20])


def uniform(model):
    """Return the model with a network that finds all tokens equally likely."""
    with torch.no_grad():
        for parameter in model.network_.parameters():
            parameter.zero_()
    return model


# learning


def test_a_deterministic_cycle_is_learned(cycle):
    surprise = cycle.surprisals([CYCLE * 3])[0]
    assert surprise[2:].max() < 0.1  # the first two have too little before them to be told by
    assert cycle.sample("cde", length=20, temperature=0) == "cde" + (CYCLE * 3)[5:25]


def test_training_goes_on_as_long_as_it_is_told():
    assert len(small(epochs=3).fit([CYCLE * 10]).history_) == 3
    model = small(steps=1100, width=2, heads=1, batch_size=2).fit([CYCLE * 2])
    assert [row["step"] for row in model.history_.rows] == [550, 1100]
    assert small(steps=1, width=2, heads=1).fit([CYCLE * 2]).history_.rows[-1]["step"] == 1
    with pytest.raises(InvalidParameter, match="both say how long"):
        small(steps=5, epochs=2).fit([CYCLE * 2])


def test_the_end_of_the_text_is_held_out():
    text = "abab" * 500 + "zz" * 110  # the last tenth is of another letter
    last = small(steps=60, schedule="constant", learning_rate=1e-2).fit([text]).history_.rows[-1]
    assert last["validation_loss"] > last["loss"] + 1
    assert "validation_loss" not in small(epochs=1).fit([CYCLE * 10]).history_.rows[-1]


def test_held_out_text_can_be_given():
    model = small(epochs=1, validation_fraction=0)
    seen = model.fit([CYCLE * 20], validation=([CYCLE * 5], None)).history_.rows[-1]["validation_loss"]
    assert seen == pytest.approx(math.log(14), abs=0.5)


def test_the_loss_is_the_mean_surprise_of_consecutive_windows():
    text = CYCLE * 200
    model = small(steps=1, width=8, heads=1).fit([text])
    held_out = text[int(0.9 * len(text)) :]
    windows = [held_out[i : i + 9] for i in range(0, len(held_out) - 8, 8)]
    tokens = torch.stack([model.encoder_.tokenizer.encode([each]).values.long() for each in windows])
    scores = model.network_.scores({"tokens": tokens[:, :-1]}).log_softmax(-1)
    by_hand = -scores.gather(-1, tokens[:, 1:, None]).mean().item()
    assert model.history_.rows[-1]["validation_loss"] == pytest.approx(by_hand, rel=1e-5)


def test_a_weight_counts_for_all_tokens_of_a_text():
    settings = {"steps": 30, "schedule": "constant", "learning_rate": 1e-2}
    texts, rare = ["aaa bbb aaa bbb", "bbb aaa bbb aaa", "zzz zzz zzz zzz"], ["zzz zzz"]
    heavy = small(**settings).fit(texts, sample_weight=[1, 1, 30])
    light = small(**settings).fit(texts, sample_weight=[30, 30, 1])
    assert heavy.score_samples(rare)[0] > light.score_samples(rare)[0] + 5


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(("tied", "positions"), [(True, "rotary"), (False, "learned")])
def test_the_number_of_weights_is_known_beforehand(network, tied, positions):
    model = small(network, tied=tied, positions=positions, layers=2, epochs=1).fit([CYCLE * 5])
    counted = sum(parameter.numel() for parameter in model.network_.parameters())
    assert model.n_parameters(model.target_.n_tokens) == counted


# judging


def test_a_uniform_model_needs_log_of_the_number_of_tokens(documents):
    model = uniform(copy.deepcopy(documents))
    n = model.target_.n_tokens
    assert model.perplexity(DOCUMENTS) == pytest.approx(n, rel=1e-5)
    assert model.score(DOCUMENTS) == pytest.approx(-math.log(n), rel=1e-6)
    lengths = np.array([len(text) + 1 for text in DOCUMENTS])  # and the end of each
    np.testing.assert_allclose(model.score_samples(DOCUMENTS), -lengths * math.log(n), rtol=1e-6)
    bits = lengths.sum() * math.log2(n) / (lengths - 1).sum()
    assert model.bits_per_character(DOCUMENTS) == pytest.approx(bits, rel=1e-6)


def test_chances_of_all_next_tokens_sum_to_one(documents):
    known = documents.encoder_.tokenizer.vocabulary[len(SPECIAL) :]
    with_next = documents.score_samples(["one t" + letter for letter in known])
    shorter = documents.surprisals(["one t"])[0].sum()
    ends = [documents.surprisals(["one t" + letter])[0][-1] for letter in known]
    assert 0.5 < np.exp(-np.array(ends)).sum() <= 1 + 1e-5  # the rest is the end, and what is never written
    assert (with_next <= -shorter + 1e-4).all()


@pytest.mark.parametrize("network", NETWORKS)
def test_long_texts_are_judged_with_half_a_context_before_each_token(network, monkeypatch):
    model = small(network, epochs=1).fit([CYCLE * 30])
    text = "abcdefghijabcjihgfedcba"
    ids = model.encoder_.tokenizer.encode([text]).values.long()
    ids = torch.cat([torch.tensor([model._start()]), ids])
    found = model.surprisals([text])[0]
    for t in range(len(text)):
        first = 0 if network != "transformer" or t < 8 else 4 * ((t - 8) // 4 + 1)
        scores = model.network_.scores({"tokens": ids[None, first : t + 1]})[0, -1]
        assert found[t] == pytest.approx(-scores.log_softmax(-1)[ids[t + 1]].item(), abs=1e-5)


def test_parts_of_a_text_are_judged_as_the_whole(documents):
    whole = documents.surprisals(["three four five", "six"])
    parts = documents.surprisals(["three ", "four", " five", "six"], [False, True, True, False])
    np.testing.assert_allclose(np.concatenate(parts), np.concatenate(whole), atol=1e-5)
    assert [len(part) for part in parts] == [6, 4, 5, 3]


def test_what_follows_is_told_of_every_text(documents):
    with pytest.raises(InvalidInput, match="follows has 1 values for 2 texts"):
        documents.surprisals(["one", "two"], [True])


def test_tokens_never_seen_are_told(cycle):
    with pytest.warns(DataWarning, match="1 of 4 tokens were never seen.*bpe"):
        assert np.isfinite(cycle.score_samples(["ab!c"])).all()


# writing


def test_pieces_join_to_the_sample(documents, text_model):
    for model, seed in itertools.product((documents, text_model), range(3)):
        pieces = list(model.stream("the", length=60, random_state=seed))
        assert pieces[0] == "the"
        assert all(pieces)
        assert "".join(pieces) == model.sample("the", length=60, random_state=seed)


def test_a_seed_repeats_a_text_and_others_differ(cycle):
    texts = [cycle.sample(length=30, temperature=3.0, random_state=seed) for seed in (0, 0, 1)]
    assert texts[0] == texts[1] != texts[2]
    several = cycle.sample(n=3, length=30, temperature=3.0, random_state=0)
    assert len(set(several)) == 3
    assert several == cycle.sample(n=3, length=30, temperature=3.0, random_state=0)


def test_one_token_to_choose_from_is_greedy(documents):
    greedy = documents.sample("o", length=40, temperature=0)
    assert documents.sample("o", length=40, top_k=1, random_state=3) == greedy
    assert documents.sample("o", length=40, top_p=1e-9, random_state=4) == greedy


@pytest.mark.parametrize("positions", ["learned", "rotary"])
def test_letters_that_are_written_are_the_expected_ones(positions):
    """Every step of a text that is written equals one of a network that reads all of it anew."""
    cycle = small(positions=positions, steps=30, schedule="constant").fit([CYCLE * 10])
    text = cycle.sample("abc", length=40, temperature=2.0, random_state=5)
    tokenizer, seen = cycle.encoder_.tokenizer, 3
    ids = tokenizer.encode([text]).values.long()
    generator = torch.Generator().manual_seed(int(np.random.default_rng(5).integers(2**31)))
    begin = 0
    for t in range(seen, len(ids)):
        if t - begin > 8:  # the context is full: its later half is read anew
            begin = t - 4
        scores = cycle.network_.scores({"tokens": ids[None, begin:t]})[:, -1]
        scores[:, : len(SPECIAL)] = -math.inf
        assert draw(scores.detach(), generator, temperature=2.0).item() == ids[t]


def test_writing_ends_at_a_stop(cycle):
    assert cycle.sample("ab", length=50, temperature=0, stop="gh") == "abcdef"
    assert cycle.sample("ab", length=50, temperature=0, stop=["zz", "ij", "h"]) == "abcdefg"
    assert cycle.sample("abgh", length=4, temperature=0, stop="gh") == "abghijab"  # what was given does not count
    pieces = list(cycle.stream("ab", length=50, temperature=0, stop="gh"))
    assert "".join(pieces) == "abcdef"


def test_models_of_several_texts_end_them(documents):
    never = {token for token in SPECIAL if token != SPECIAL[END]}
    texts = documents.sample(n=40, length=200, random_state=0)
    assert any(len(text) < 200 for text in texts)
    assert not any(token in text for token in never for text in texts)


def test_nothing_is_written_where_nothing_is_asked_for(cycle):
    assert cycle.sample("abc", length=0) == "abc"
    assert cycle.sample(length=0) == ""


def test_saved_models_write_the_same(documents, text_model, tmp_path):
    for model in (documents, text_model):
        model.save(tmp_path / "model.ganglion")
        loaded = load(tmp_path / "model.ganglion")
        assert loaded.sample("one", length=30, random_state=0) == model.sample("one", length=30, random_state=0)
        np.testing.assert_array_equal(loaded.score_samples(DOCUMENTS), model.score_samples(DOCUMENTS))


# what is refused


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"temperature": -0.1}, "temperature=-0.1: give a number of 0 or more"),
        ({"temperature": math.nan}, "temperature=nan"),
        ({"temperature": math.inf}, "temperature=inf"),
        ({"top_p": 0.0}, "top_p=0.0: give a share"),
        ({"top_p": 1.5}, "top_p=1.5"),
        ({"top_k": 0}, "top_k=0: give a whole number"),
        ({"top_k": 2.5}, "top_k=2.5"),
        ({"length": -1}, "length=-1: give how many tokens"),
        ({"stop": ""}, "stop='': give a text that ends"),
        ({"stop": ["a", 3]}, "stop="),
        ({"n": 0}, "n=0: give how many texts"),
    ],
)
def test_what_makes_no_sense_when_writing_is_refused(documents, settings, words):
    with pytest.raises(InvalidParameter, match=words.replace("[", r"\[")):
        documents.sample(**settings)


def test_a_prompt_longer_than_the_context_is_read_from_behind(cycle):
    if cycle.network != "transformer":
        assert cycle.sample(CYCLE * 3, length=3, temperature=0) == CYCLE * 3 + "abc"
        return
    with pytest.warns(DataWarning, match="prompt has 30 tokens, and the model reads 8: its last 8"):
        assert cycle.sample(CYCLE * 3, length=3, temperature=0) == CYCLE * 3 + "abc"


def test_a_prompt_with_unknown_letters_is_told(cycle):
    with pytest.warns(DataWarning, match="never seen"):
        assert cycle.sample("ab?", length=2, random_state=0).startswith("ab?")


def test_a_text_shorter_than_the_context_is_told():
    with pytest.warns(DataWarning, match="has 10 tokens, and a window 64: one window of 9"):
        model = small(context=64, epochs=2).fit([CYCLE])
    assert model.network_.reader.context == 64


@pytest.mark.parametrize(
    ("texts", "kind", "words"),
    [
        ([""], InvalidInput, "empty|no token"),
        (["abc", ""], InvalidInput, "1 of 2 texts are empty"),
        (["a"], InvalidInput, "one single token"),
        ("abc", UnsupportedType, "str"),
        ([b"abc"], InvalidInput, "2D array|texts"),
        (["abc", 3], UnsupportedType, "text 1 is a int"),
    ],
)
def test_what_is_no_text_is_refused(texts, kind, words):
    with pytest.raises(kind, match=words):
        small(epochs=1).fit(texts)


def test_a_model_larger_than_memory_is_refused_before_it_is_built(monkeypatch):
    monkeypatch.setenv("GANGLION_MEMORY", "100")
    monkeypatch.setattr(LanguageModel, "build", lambda *_: pytest.fail("it was built"))
    with pytest.raises(InvalidParameter, match=r"GB.*0\.1 GB of memory.*smaller width, layers"):
        LanguageModel(width=512, layers=12, batch_size=1, context=4).fit([CYCLE * 10])
    with pytest.raises(InvalidParameter, match="smaller batch_size or context"):
        LanguageModel(width=16, layers=2, batch_size=4000, context=512, heads=2).fit([CYCLE * 300_000])


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(InvalidParameter, match=r"each head takes an equal part.*width=9"):
        small(width=10, heads=3).fit([CYCLE])
    with pytest.raises(InvalidParameter, match=r"multiple of 4, such as width=8"):
        small(width=10, heads=2, positions="rotary").fit([CYCLE])
    with pytest.raises(InvalidParameter, match="embedding='auto', or tied=False"):
        small("lstm", tied=True, embedding=4).fit([CYCLE])
    with pytest.raises(InvalidParameter, match="that is 1 of 20 tokens"):
        small(validation_fraction=0.01).fit([CYCLE * 2])
