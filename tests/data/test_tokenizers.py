"""Tokenizers: exact round trips, plain twins, unknown tokens, and files that nobody should believe."""

import copy
import json
import pickle
import subprocess
import sys
import unicodedata
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganglion.data.subwords import BYTES, BytePairTokenizer
from ganglion.data.tokenizers import SETTINGS, CharacterTokenizer, Words, tokenizer_by_name, tokenizer_from_json
from ganglion.data.vocabulary import BEGINNING, END, PADDING, SPECIAL, UNKNOWN
from ganglion.errors import InvalidInput, InvalidModel, InvalidParameter, MissingExtra, UnsupportedType

TEXTS = [
    "The cat sat on the mat, and the cat didn't move.",
    "",
    "the Dog  sat\ton the log; naïve café!",
    "the cats and the dogs sat.",
] * 2
NAMES = ("characters", "words", "bpe(vocabulary=300)", "wordpiece(vocabulary=90)")
ANY = st.lists(st.text(max_size=30), min_size=1, max_size=5).filter(any)
BPE = tokenizer_by_name("bpe(vocabulary=300)").fit(TEXTS)


@pytest.fixture(scope="module", params=NAMES)
def tokenizer(request):
    return tokenizer_by_name(request.param).fit(TEXTS)


def rows(ragged):
    return [ragged.values[a:b].tolist() for a, b in zip(ragged.offsets[:-1], ragged.offsets[1:], strict=True)]


# every tokenizer


def test_ids_are_ragged_and_cut_by_text(tokenizer):
    found = tokenizer.encode(TEXTS)
    assert found.values.dtype == torch.int32
    assert found.offsets.dtype == torch.int64
    assert len(found.offsets) == len(TEXTS) + 1
    assert rows(found) == [rows(tokenizer.encode([text]))[0] for text in TEXTS]
    assert rows(found)[1] == []
    assert found.values.min() > END
    assert found.values.max() < tokenizer.n_tokens
    assert [len(tokenizer.tokens(text)) for text in TEXTS] == list(map(len, rows(found)))
    assert found.take(torch.tensor([2, 0])).values.tolist() == rows(found)[2] + rows(found)[0]


def test_special_ids(tokenizer):
    assert (PADDING, UNKNOWN, BEGINNING, END) == (0, 1, 2, 3)
    assert tokenizer.vocabulary[:4] == SPECIAL == ("<pad>", "<unk>", "<bos>", "<eos>")
    (ids,) = rows(tokenizer.encode(["the cat"]))
    assert tokenizer.decode([2, *ids, 3, 0, 0]) == tokenizer.decode(ids) == "the cat"
    assert tokenizer.decode([2, 3, 0]) == ""
    assert "\ufffd" in tokenizer.decode([1])


@pytest.mark.parametrize("text", ["<pad>", "a<unk>b", " <bos> <eos>"])
def test_no_text_spells_a_special_token(tokenizer, text):
    named = {PADDING, BEGINNING, END}
    assert not named & {*tokenizer.encode([text]).values.tolist()}


def test_json_gives_the_same_tokenizer(tokenizer):
    again = tokenizer_from_json(json.loads(json.dumps(tokenizer.to_json())))
    assert again == tokenizer
    assert rows(again.encode(TEXTS)) == rows(tokenizer.encode(TEXTS))


def test_tokenizers_are_copied(tokenizer):
    tokenizer.encode(TEXTS)
    for again in (copy.deepcopy(tokenizer), pickle.loads(pickle.dumps(tokenizer))):
        assert rows(again.encode(TEXTS)) == rows(tokenizer.encode(TEXTS))


def test_the_vocabulary_is_limited(tokenizer):
    settings = tokenizer_by_name(f"{tokenizer.name}(vocabulary=265)")
    many = [f"word{chr(0x4E00 + i)}{i} word{i}x" for i in range(600)] * 3
    assert len(settings.fit(many).vocabulary) == settings.fit(many).n_tokens == 265


def test_lowercase():
    for name in SETTINGS:
        small = tokenizer_by_name(f"{name}(lowercase=True)").fit(TEXTS)
        kept = tokenizer_by_name(f"{name}(lowercase=False, min_count=1)").fit(TEXTS)
        assert rows(small.encode(["The CAT"])) == rows(small.encode(["the cat"]))
        assert rows(kept.encode(["The"])) != rows(kept.encode(["the"]))


def test_the_same_texts_give_the_same_vocabulary_in_any_process():
    code = (
        "import sys, json\nfrom ganglion.data.tokenizers import tokenizer_by_name\n"
        "texts = [' '.join(f'{a}{b}{c}' for a in 'abc' for b in 'defg' for c in 'hij')] * 2\n"  # many equal counts
        f"names = {[name.replace('300', '330').replace('90', '40') for name in NAMES]}\n"
        "print(json.dumps([tokenizer_by_name(name).fit(texts).to_json() for name in names]))"
    )
    told = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        for _ in range(3)
    }
    assert len(told) == 1


# round trips


@given(ANY)
def test_characters_round_trip(texts):
    tokenizer = tokenizer_by_name("characters").fit(texts)
    assert [tokenizer.decode(ids) for ids in rows(tokenizer.encode(texts))] == texts


@given(ANY)
def test_byte_pairs_round_trip_also_what_was_never_seen(texts):
    found = BPE.encode(texts)
    assert UNKNOWN not in found.values
    assert [BPE.decode(ids) for ids in rows(found)] == texts


@given(ANY)
def test_fitted_byte_pairs_round_trip(texts):
    tokenizer = tokenizer_by_name("bpe(vocabulary=280, min_count=1)").fit(texts)
    assert [tokenizer.decode(ids) for ids in rows(tokenizer.encode(texts))] == texts


def test_half_a_surrogate_pair_is_a_question_mark(tokenizer):
    assert rows(tokenizer.encode(["the \ud800"])) == rows(tokenizer.encode(["the ?"]))


# words


def plainly(text):
    """Cut a text letter by letter."""
    inside = lambda c: c.isalnum() or c in "_\u200c\u200d" or unicodedata.category(c)[0] == "M"  # noqa: E731
    found, i = [], 0
    while i < len(text):
        if text[i].isspace():
            i += 1
            continue
        end = i + 1
        if text[i].isalnum() or text[i] == "_":
            while end < len(text) and (
                inside(text[end])
                or (text[end] in "'’" and end + 1 < len(text) and (text[end + 1].isalnum() or text[end + 1] == "_"))
            ):
                end += 1
        found.append(text[i:end])
        i = end
    return found


@given(st.lists(st.text(alphabet=st.one_of(st.sampled_from("ab Z'’-_.\u0301\u093f\n1"), st.characters())), min_size=1))
def test_words_equal_a_plain_twin(texts):
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    counts = Counter(word for text in texts for word in plainly(text))
    kept = sorted((word for word in counts if counts[word] > 1), key=lambda word: (-counts[word], word))[:6]
    settings = Words(vocabulary=10, lowercase=False)
    if not kept:
        with pytest.raises(InvalidInput, match="no token that stands there 2 times or more"):
            settings.fit(texts)
        return
    tokenizer = settings.fit(texts)
    assert list(tokenizer.vocabulary[4:]) == kept
    assert [tokenizer.tokens(text) for text in texts] == list(map(plainly, texts))
    plain = [[4 + kept.index(word) if word in kept else UNKNOWN for word in plainly(text)] for text in texts]
    assert rows(tokenizer.encode(texts)) == plain


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't stop—it's 3.5 km!", "Don't|stop|—|it's|3|.|5|km|!"),
        ("'quoted' rock'n'roll", "'|quoted|'|rock'n'roll"),
        ("हिन्दी भाषा", "हिन्दी|भाषा"),
        ("cafe\u0301 na\u00efve", "cafe\u0301|na\u00efve"),
        ("🤗🤗 ok", "🤗|🤗|ok"),
    ],
)
def test_what_a_word_is(text, words):
    assert Words(min_count=1, lowercase=False).fit([text]).tokens(text) == words.split("|")


def test_what_was_never_seen_is_unknown():
    words = Words().fit(TEXTS)
    assert rows(words.encode(["the zebra sat"]))[0][1] == UNKNOWN
    assert words.decode(words.encode(["the zebra sat"]).values) == "the \ufffd sat"
    characters = tokenizer_by_name("characters").fit(["abc"])
    assert characters.encode(["a\U0001f917bz"]).values.tolist() == [4, UNKNOWN, 5, UNKNOWN]
    pieces = tokenizer_by_name("wordpiece(vocabulary=90)").fit(TEXTS)
    assert pieces.tokens("the 中 cat") == ["the", "<unk>", "cat"]
    assert pieces.encode(["中"]).values.tolist() == [UNKNOWN]


def test_rare_words_have_no_id():
    assert Words(min_count=3).fit(["a a a b b c"]).vocabulary == (*SPECIAL, "a")


# subwords


def test_byte_pairs_are_those_of_the_paper():
    """Sennrich et al. 2016, section 3.2: low ×5, lower ×2, newest ×6, widest ×3; without their mark of a word's end."""
    texts = ["low"] * 5 + ["lower"] * 2 + ["newest"] * 6 + ["widest"] * 3
    tokenizer = tokenizer_by_name("bpe(vocabulary=265)").fit(texts)
    # es and st stand 9 times each, lo and ow 7, ew 6; of equal counts, the first by its bytes
    assert tokenizer.merges == (("e", "s"), ("es", "t"), ("l", "o"), ("lo", "w"), ("e", "w"))
    assert tokenizer.tokens("lowest") == ["low", "est"]
    assert set(tokenizer.vocabulary) == {*SPECIAL, *BYTES, "es", "est", "lo", "low", "ew"}


def test_part_of_a_character_is_shown_as_one():
    ids = BPE.encode(["中"]).values
    assert len(ids) == 3
    assert BPE.tokens("中") == ["\ufffd"] * 3
    assert BPE.decode(ids[:2]) == "\ufffd"


def test_word_pieces_are_the_longest_from_the_left():
    tokenizer = tokenizer_by_name("wordpiece(vocabulary=90)").fit(TEXTS)
    known, word, cut = set(tokenizer.vocabulary), "matdogs", []
    while word:  # Devlin et al. 2019
        piece = next(word[:n] for n in range(len(word), 0, -1) if ("##" if cut else "") + word[:n] in known)
        cut.append(("##" if cut else "") + piece)
        word = word[len(piece) :]
    assert tokenizer.tokens("matdogs") == cut
    assert tokenizer.decode(tokenizer.encode(["the matdogs sat."]).values) == "the matdogs sat ."


def test_a_word_of_known_letters_is_never_unknown():
    tokenizer = tokenizer_by_name("wordpiece(vocabulary=90)").fit(TEXTS)
    assert UNKNOWN not in tokenizer.encode(["tac godt vvtd"]).values


def test_the_bytes_are_the_library_s():
    from tokenizers import pre_tokenizers

    assert set(pre_tokenizers.ByteLevel.alphabet()) == BYTES
    assert len(BYTES) == 256


@pytest.mark.parametrize("name", ["bpe", "wordpiece"])
def test_the_package_is_asked_for(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(MissingExtra, match=r'tokenizers. Install it with: pip install "ganglion\[text\]"'):
        tokenizer_by_name(name).fit(TEXTS)
    assert tokenizer_by_name("words").fit(TEXTS).tokens("a b") == ["a", "b"]


# names and settings


def test_settings_by_name():
    settings = tokenizer_by_name("words(vocabulary=500, lowercase=False)")
    assert settings == Words(vocabulary=500, lowercase=False)
    assert str(settings) == "words(vocabulary=500, lowercase=False)"
    assert tokenizer_by_name(settings) is settings
    assert [str(tokenizer_by_name(name)) for name in SETTINGS] == list(SETTINGS)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("word", r"no tokenizer is called 'word'. Did you mean 'words'"),
        ("words(vocabulary=4)", r"words\(vocabulary=4\): vocabulary is a number at least 5"),
        ("bpe(vocabulary=259)", r"bpe\(vocabulary=259\): vocabulary is a number at least 260"),
        ("words(min_count=0)", r"min_count is a number at least 1"),
        ("words(lowercase=1)", r"lowercase is True or False"),
        ("words(size=3)", r"size"),
    ],
)
def test_wrong_settings(given, message):
    with pytest.raises(InvalidParameter, match=message):
        tokenizer_by_name(given)


# bad input


@pytest.mark.parametrize(
    ("texts", "message"),
    [("one text", r"Give \[text\]"), (["a", None], "text 1 is a NoneType"), ([3], "text 0 is a int")],
)
def test_what_is_no_list_of_texts(tokenizer, texts, message):
    for use in (tokenizer.encode, tokenizer_by_name(tokenizer.name).fit):
        with pytest.raises(UnsupportedType, match=message):
            use(texts)


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("texts", [[], ["", ""]])
def test_nothing_to_learn_from(name, texts):
    with pytest.raises(InvalidInput, match="can learn nothing"):
        tokenizer_by_name(name).fit(texts)


def test_arrays_of_texts(tokenizer):
    given = rows(tokenizer.encode(TEXTS))
    assert rows(tokenizer.encode(np.array(TEXTS))) == rows(tokenizer.encode(np.array(TEXTS, dtype=object))) == given
    assert rows(tokenizer.encode([])) == []


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([10**6], "ids from 1000000 to 1000000"),
        ([-1], "ids from -1"),
        ([1.5], "whole numbers"),
        ([[4]], r"shape \(1, 1\)"),
    ],
)
def test_ids_that_are_none(tokenizer, ids, message):
    with pytest.raises(InvalidInput, match=message):
        tokenizer.decode(ids)
    assert tokenizer.decode([]) == ""


def broken(**changes):
    return {**tokenizer_by_name("characters").fit(["abc"]).to_json(), **changes}


@pytest.mark.parametrize(
    "stored",
    [
        None,
        [],
        {},
        {"tokenizer": "words"},
        {"tokenizer": ["words"]},
        broken(tokenizer="pickle"),
        broken(lowercase="no"),
        broken(vocabulary="abc"),
        broken(vocabulary=["a", "b"]),
        broken(vocabulary=[*SPECIAL, "a", "a"]),
        broken(vocabulary=[*SPECIAL, 3]),
        broken(vocabulary=[*SPECIAL, ""]),
        broken(vocabulary=[*SPECIAL, "ab"]),
        broken(vocabulary=[*SPECIAL, "\ud800"]),
        {**BPE.to_json(), "merges": None},
        {**BPE.to_json(), "merges": [["a"]]},
        {**BPE.to_json(), "merges": [["q", "zz"]]},
        {**BPE.to_json(), "merges": [[["q"], "z"]]},
        {**BPE.to_json(), "vocabulary": [*SPECIAL, "a"], "merges": []},
    ],
)
def test_hostile_json(stored):
    with pytest.raises(InvalidModel, match="tokenizer"):
        tokenizer_from_json(stored)


def test_a_class_takes_its_own_json_only():
    with pytest.raises(InvalidModel, match="damaged"):
        CharacterTokenizer.from_json(Words().fit(TEXTS).to_json())
    assert BytePairTokenizer.from_json(BPE.to_json()) == BPE
