"""Corpora whose words have labels: the forms that are read, and what is refused."""

import gzip
import warnings
import zipfile

import pytest

import ganglion as gg
from ganglion.data.splits import duplicate_rows
from ganglion.errors import DataWarning, InvalidFile, InvalidInput
from ganglion.workflow import plan

SLASHED = "\n\n\tThe/at jury/nn said/vbd ./.\n\n1//cd 2/cd of/in and/or/cc ``/`` ,/,\n"
WORDS = [["The", "jury", "said", "."], ["1/", "2", "of", "and/or", "``", ","]]
TAGS = [["at", "nn", "vbd", "."], ["cd", "cd", "in", "cc", "``", ","]]
CONLL = "-DOCSTART- -X- O\n\nEU\tNNP\tB-ORG\nrejects\tVBZ\tO\n\n\nGerman JJ B-MISC\ncalls NNS O\n"
UNIVERSAL = (
    "# text = Don't go\n1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\t_\n1\tDo\tdo\tAUX\tVB\t_\t3\taux\t_\t_\n"
    "2\tn't\tnot\tPART\tRB\t_\t3\tadvmod\t_\t_\n3\tgo\tgo\tVERB\tVB\t_\t0\troot\t_\t_\n\n"
)


def seen(data):
    return data.values("tokens").tolist(), data.values("tags").tolist()


@pytest.mark.parametrize("name", ["corpus.txt", "ca01", "corpus.pos", "corpus.tagged"])
def test_word_slash_tag(tmp_path, name):
    (tmp_path / name).write_text(SLASHED)
    data = gg.read(tmp_path / name)
    assert seen(data) == (WORDS, TAGS)
    assert data.target == ("tags",)
    assert data.index == ("file",)
    assert data.values("file").tolist() == [name] * 2


@pytest.mark.parametrize("name", ["ner.conll", "ner.iob2", "ner.txt", "ner"])
def test_a_word_a_line(tmp_path, name):
    (tmp_path / name).write_text(CONLL)
    assert seen(gg.read(tmp_path / name)) == (
        [["EU", "rejects"], ["German", "calls"]],
        [["B-ORG", "O"], ["B-MISC", "O"]],
    )


def test_universal_dependencies(tmp_path):
    (tmp_path / "en.conllu").write_text(UNIVERSAL)
    assert seen(gg.read(tmp_path / "en.conllu")) == ([["Do", "n't", "go"]], [["AUX", "PART", "VERB"]])


def test_packed_files_are_read(tmp_path):
    (tmp_path / "ner.conll.gz").write_bytes(gzip.compress(CONLL.encode()))
    assert seen(gg.read(tmp_path / "ner.conll.gz"))[1][0] == ["B-ORG", "O"]


def test_tables_and_plain_texts_are_no_corpora(tmp_path):
    (tmp_path / "a.txt").write_text("x\ty\n1\t2\n3\t4\n")  # no blank line
    assert gg.read(tmp_path / "a.txt").names == ("x", "y")
    (tmp_path / "b.csv").write_text("and/or,either/or\n1,2\n3,4\n")
    assert gg.read(tmp_path / "b.csv").names == ("and/or", "either/or")
    folder = tmp_path / "texts"
    for label in ("good", "bad"):
        (folder / label).mkdir(parents=True)
        (folder / label / "1.txt").write_text("This is a text, and/or none.")
    assert gg.read(folder).target == ("class",)


@pytest.fixture
def corpus(tmp_path):
    """A zip as the Brown corpus is: files without suffix, and some that tell of them."""
    path = tmp_path / "brown.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(12):
            sentences = [f"the/at {word}{i}/nn {verb}/vb ./." for word in ("cat", "dog") for verb in ("runs", "eats")]
            archive.writestr(f"brown/c{i:02}", "\n\n".join(sentences))
        archive.writestr("brown/CONTENTS", "A list of what is here.")
        archive.writestr("brown/cats.txt", "c00 news\nc01 news\n")
    return path


def test_a_zip_of_documents(corpus):
    with pytest.warns(
        DataWarning, match=r"2 of 14 files cannot be read: CONTENTS holds no words with labels; cats.txt"
    ):
        data = gg.read(corpus)
    assert len(data) == 48
    assert data.values("file").tolist()[:5] == ["c00"] * 4 + ["c01"]
    assert data.field("tags").categories == ("at", "nn", "vb", ".")
    with pytest.raises(InvalidFile, match="2 of 14 files cannot be read"):
        gg.read(corpus, corrupt="refuse")


def test_whole_documents_are_held_out_and_the_tagger_is_chosen(corpus):
    with pytest.warns(DataWarning):
        planned = plan(corpus)
    assert planned.selection.name == "RNNTagger"
    assert "tagging from texts; the target holds a list of labels" in planned.selection.reason
    sides = [set(part.values("file").tolist()) for part in (planned.train, planned.test)]
    assert not sides[0] & sides[1]
    assert len(sides[0] | sides[1]) == 12
    assert planned.notes[0] == "8 of 48 rows, 2 whole files were held out at random (seed 0)."


def test_a_look_at_a_corpus(corpus):
    with pytest.warns(DataWarning):
        seen = gg.inspect(corpus)
    assert [each.kind for each in seen.columns] == ["tokens", "tokens", "text"]
    assert seen.columns[1].summary == "4 … 4 words, mean 4; 4 different: at, nn, vb"
    assert seen.task.name == "tagging"
    assert "nothing can be learned" not in str(seen)


def test_parts_of_a_folder(tmp_path):
    for part, word in (("train", "cat"), ("test", "dog")):
        (tmp_path / part).mkdir()
        (tmp_path / part / "a.txt").write_text(f"the/at {word}/nn\n")
    assert seen(gg.read(tmp_path))[0] == [["the", "cat"]]
    assert seen(gg.read(tmp_path, part="test"))[0] == [["the", "dog"]]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.conll", b"", "is empty .0 bytes"),
        ("a.conll", b"\n \n", "is empty"),
        ("a.conll", b"word\n", "has no word with a label in line 1, but 'word'"),
        ("a.conll", b"word O\nanother\n", "no word with a label in line 2, but 'another'"),
        ("a.conll", b"-DOCSTART- O\n\n", "holds no words with labels"),
        ("a.pos", b"the/at cat\n", "no word/tag pair but 'cat' in line 1"),
        ("a.pos", b"the/at cat/\n", "no word/tag pair but 'cat/' in line 1"),
        ("a.pos", b"the/at \x00/nn\n", "no text: it holds NUL bytes"),
    ],
)
def test_bad_files_are_refused(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidFile, match=words):
        gg.read(tmp_path / name)


def test_other_encodings_are_told(tmp_path):
    (tmp_path / "a.pos").write_bytes("caf\u00e9/nn\n".encode("latin-1"))
    with pytest.warns(DataWarning, match="1 file is not UTF-8 and read as Latin-1"):
        assert seen(gg.read(tmp_path / "a.pos"))[0] == [["caf\u00e9"]]


def test_json_lines_of_words_and_tags(tmp_path):
    path = tmp_path / "tagged.jsonl"
    path.write_text(
        '{"id": "x", "tokens": ["the", "cat", "eats"], "tags": ["at", "nn", "vb"]}\n'
        '{"id": "y", "tokens": ["a", "dog"], "tags": ["at", "nn"]}\n'
    )
    data = gg.read(path)
    assert data.target == ("tags",)
    assert seen(data) == ([["the", "cat", "eats"], ["a", "dog"]], [["at", "nn", "vb"], ["at", "nn"]])


def test_json_lines_of_unequal_numbers_have_no_target(tmp_path):
    path = tmp_path / "tagged.jsonl"
    path.write_text('{"tokens": ["the", "cat"], "tags": ["at"]}\n' * 12)
    assert gg.read(path).target == ()
    planned = plan(path, target="tags")
    with pytest.raises(InvalidInput, match=r"row 0 has 2 words or steps, but 1 labels; 10 of 10 rows"):
        planned.selection.estimator().fit(*planned.training_data)


def test_words_are_compared_by_what_they_are_not_by_their_codes(tmp_path):
    for name, text in (("a.pos", "cat/n eats/v\ndog/n eats/v\n"), ("b.pos", "dog/n eats/v\na/x b/x\n")):
        (tmp_path / name).write_text(text)
    one, other = (gg.read(tmp_path / name) for name in ("a.pos", "b.pos"))
    assert duplicate_rows(one, other).tolist() == [False, True]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert duplicate_rows(one.take([0, 1, 0])).tolist() == [False, False, True]
