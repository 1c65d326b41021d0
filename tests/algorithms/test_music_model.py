"""Models of music: what they learn, how likely they find pieces, what they write, and what they refuse."""

import numpy as np
import pytest
import torch

from ganglion.algorithms.music_model import MusicModel
from ganglion.data.chords import chords_of, pieces_to_dataset
from ganglion.data.midi_file import write_midi
from ganglion.data.music_encoding import framed
from ganglion.errors import DataWarning, InvalidInput, InvalidParameter
from ganglion.estimators.artifact import load

SCALE = [(60, 64), (62, 65), (64, 67), (65, 69)]
LAWS = ("nade", "independent")


def small(**options):
    return MusicModel(**({"width": 16, "chord_units": 8, "dropout": 0.0, "epochs": 2, "random_state": 0} | options))


@pytest.fixture(scope="module", params=LAWS)
def scale(request):
    """Return a model that has learned pieces in which each chord tells the next one."""
    return small(chord=request.param, width=32, epochs=150, learning_rate=1e-2, batch_size=8).fit([SCALE * 3] * 8)


@pytest.fixture(scope="module")
def quick():
    return small().fit([SCALE * 2, SCALE, SCALE[:2]] * 4)


def uniform(model):
    """Return the model with a network to which every key is as likely to sound as not."""
    with torch.no_grad():
        for parameter in model.network_.parameters():
            parameter.zero_()
    return model


# learning and judging


def test_a_cycle_is_learned(scale):
    assert -scale.score([SCALE * 3]) < 0.6  # the first chord costs most: nothing comes before it
    assert chords_of(scale.predict([SCALE * 2])[0])[1:] == (SCALE * 2)[1:]
    assert chords_of(scale.sample(start=SCALE, length=6, temperature=0)) == (SCALE * 3)[:10]


def test_a_coin_for_each_key_costs_88_bits():
    model = uniform(small().fit([SCALE] * 2))
    nats = model.surprisals([SCALE, SCALE[:1]])
    assert [len(each) for each in nats] == [4, 1]
    np.testing.assert_allclose(np.concatenate(nats), 88 * np.log(2), rtol=1e-6)
    np.testing.assert_allclose(
        model.score_samples([SCALE, SCALE[:1]]), [-4 * 88 * np.log(2), -88 * np.log(2)], rtol=1e-6
    )
    assert model.score([SCALE, SCALE[:1]]) == pytest.approx(-88 * np.log(2))


def test_the_score_is_a_mean_over_steps_not_pieces(quick):
    pieces = [SCALE * 2, SCALE[:1]]
    nats = quick.surprisals(pieces)
    assert quick.score(pieces) == pytest.approx(-np.concatenate(nats).mean())
    np.testing.assert_allclose(quick.score_samples(pieces), [-each.sum() for each in nats])


def test_the_loss_is_the_surprise_of_the_training_pieces():
    pieces = [SCALE * 2, SCALE[:3], SCALE[:1]]
    seen = []
    small(epochs=1, learning_rate=1e-9).fit(pieces, callbacks=[lambda row, _: seen.append(row["loss"])])
    model = small(epochs=1, learning_rate=1e-9).fit(pieces)
    assert seen[0] == pytest.approx(-model.score(pieces), rel=1e-4)


def test_the_held_out_loss_is_the_surprise_of_the_held_out_pieces():
    model = small(epochs=1).fit([SCALE * 3] * 3, validation=([SCALE[:3], SCALE[:1], SCALE * 2], None))
    shown = model.history_.rows[-1]["validation_loss"]
    assert shown == pytest.approx(-model.score([SCALE[:3], SCALE[:1], SCALE * 2]), rel=1e-4)


def test_some_pieces_are_held_out_of_many():
    pieces = [SCALE[: 1 + i % 4] for i in range(60)]
    assert "validation_loss" in small(epochs=1).fit(pieces).history_.rows[-1]
    assert "validation_loss" not in small(epochs=1).fit(pieces[:49]).history_.rows[-1]
    with pytest.raises(InvalidParameter, match=r"validation_fraction=0.01\): that is 0 of 20 samples"):
        small(validation_fraction=0.01).fit(pieces[:20])


def test_long_pieces_are_learned_in_parts():
    pieces = [SCALE * 5, SCALE]
    model = small(context=6, epochs=1).fit(pieces)
    assert model.target_.per_sample == pytest.approx(24 / 5)  # 20 steps in four parts, and 4
    assert framed(model._encoded(pieces)["music"], 6)[0].lengths.tolist() == [7, 7, 7, 3, 5]
    assert len(model.surprisals(pieces)[0]) == 20  # judged whole


def test_weights_count_as_copies():
    pieces, other = [SCALE * 2] * 3, [[(40,)] * 4] * 3
    weights = [1, 1, 1, 1e-6, 1e-6, 1e-6]
    weighted, alone, even = (
        small(epochs=30, learning_rate=1e-2).fit(given, sample_weight=weight)
        for given, weight in ((pieces + other, weights), (pieces, None), (pieces + other, None))
    )
    assert weighted.score(pieces) == pytest.approx(alone.score(pieces), abs=0.01)
    assert even.score(other) > weighted.score(other) + 0.5


def test_moved_pieces_are_learned_in_every_key():
    higher = [[tuple(p + 3 for p in chord) for chord in SCALE * 3]]
    kept, moved = (
        small(epochs=40, learning_rate=1e-2, transpose=transpose).fit([SCALE * 3] * 8).score(higher)
        for transpose in (0, 4)
    )
    assert moved > kept + 1


# writing


def test_the_same_seed_writes_the_same(quick):
    rolls = [quick.sample(2, length=5, random_state=seed) for seed in (1, 1, 2)]
    assert rolls[0].shape == (2, 5, 88)
    assert rolls[0].dtype == np.uint8
    np.testing.assert_array_equal(rolls[0], rolls[1])
    assert (rolls[0] != rolls[2]).any()
    assert (rolls[0][0] != rolls[0][1]).any()


def test_a_stream_is_the_sample_chord_by_chord(quick):
    stream = quick.stream(length=4, start=[(60,), ()], random_state=3)
    assert next(stream) == (60,)
    assert [(60,), *stream] == chords_of(quick.sample(length=4, start=[(60,), ()], random_state=3))
    assert chords_of(quick.sample(length=0, start=SCALE)) == SCALE
    assert quick.sample(length=0).shape == (0, 88)


def test_what_is_written_follows_the_chances():
    model = small(epochs=20, learning_rate=1e-2).fit([[(60,), (62,)], [(64,), (62, 67)]] * 3)
    drawn = model.sample(4000, length=1, random_state=0)[:, 0]
    for chord in ((60,), (64,), ()):
        chance = np.exp(model.score_samples([[chord]])[0])
        share = np.mean([tuple(np.flatnonzero(keys) + 21) == chord for keys in drawn])
        assert share == pytest.approx(chance, abs=4 * np.sqrt(chance * (1 - chance) / 4000) + 1e-3)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"length": -1}, "length=-1: give how many chords to write, 0 or more"),
        ({"length": 1.5}, "length=1.5"),
        ({"n": 0}, "n=0: give how many pieces to write, 1 or more"),
        ({"temperature": -1}, "temperature=-1: give a number of 0 or more. At 0 a key sounds if that is likelier"),
        ({"temperature": float("nan")}, "temperature=nan"),
    ],
)
def test_what_makes_no_sense_is_refused(quick, asked, message):
    with pytest.raises(InvalidParameter, match=message):
        quick.sample(**asked)
    if "n" not in asked:
        with pytest.raises(InvalidParameter, match=message):
            quick.stream(**asked)
    with pytest.raises(InvalidInput, match="start, step 0: the note 7 is G-1"):
        quick.sample(start=[[7]])


# files and data sets


def test_a_saved_model_writes_the_same(quick, tmp_path):
    quick.save(tmp_path / "a.ganglion")
    loaded = load(tmp_path / "a.ganglion")
    np.testing.assert_array_equal(loaded.sample(length=5, random_state=1), quick.sample(length=5, random_state=1))
    np.testing.assert_array_equal(loaded.score_samples([SCALE]), quick.score_samples([SCALE]))


def test_files_are_read_with_the_steps_of_training(tmp_path):
    for name in ("a", "b", "c"):
        write_midi(tmp_path / f"{name}.mid", SCALE, step="1/8")
    from ganglion.data.read import read

    model = small().fit(read(tmp_path, step="1/8"))
    assert len(model.surprisals(tmp_path / "a.mid")[0]) == len(SCALE)
    with pytest.warns(DataWarning, match="begin and end between two steps of 1/4"):
        other = read(tmp_path / "a.mid", step="1/4")
    with pytest.raises(InvalidInput, match="trained on steps of a 1/8 note, but these pieces have steps of 1/4"):
        model.score(other)
    assert np.isfinite(model.score([SCALE]))  # in memory, the length is not known
    with pytest.warns(DataWarning, match="begin and end between two steps of 1/4"):
        assert len(small().fit(tmp_path).surprisals([SCALE])) == 1


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([], "no piece was given"),
        ([[]], "piece 0 is empty: it has no chord. Leave it out; silence is an empty chord"),
        ([SCALE, np.zeros((0, 88))], "piece 1 is empty"),
        (
            [SCALE, [(60,), (20,)]],
            r"piece 1, step 1: the note 20 is G♯0, and not on a piano. A piano has the MIDI pitches 21",
        ),
        ([SCALE, [(60,), (109,)]], "the note 109 is C♯8, and not on a piano"),
        ([SCALE, [(60,), (128,)]], r"the note 128 is no MIDI pitch \(0 to 127\)"),
        ([SCALE, [(-60,)]], r"the note -60 is no MIDI pitch \(0 to 127\)"),
        ([[(60.5,)]], "60.5 is no MIDI pitch, which are whole numbers"),
        ([[(float("inf"),)]], "the note inf is no MIDI pitch"),
        ([[(60, float("nan"))]], "piece 0, step 0: the chord holds NaN. Leave out what does not sound"),
        ([[("C4",)]], "'C4' is a str, and no MIDI pitch"),
        ([[(True,)]], "True is a bool, and no MIDI pitch"),
        ([[None]], "None is no chord"),
        ([[60, 62]], r"piece 0, step 0: 60 is no chord.*One piece alone is given as a list of one"),
        (["abc"], "piece 0 is a str"),
        (np.zeros((5, 88)), r"one piano roll, \(5, 88\), was given where pieces are wanted. Give a list of them"),
        (np.zeros((5, 7)), r"an array of shape \(5, 7\) was given where pieces of music are wanted"),
        ([np.full((5, 88), 2)], r"piece 0, step 0: the piano roll holds 2.*If these are velocities, give roll > 0"),
        ([np.full((5, 88), 0.5)], "the piano roll holds 0.5"),
        ([np.full((5, 128), np.nan)], "the piano roll holds nan"),
        ([np.ones((5, 128))], "the note 0 is C-1, and not on a piano"),
        ([[[0] * 88, [0] * 87 + [1]]], "If these are piano rolls of 0 and 1, give arrays, not lists"),
        ([np.zeros((2, 2, 88))], r"piece 0 is an array of shape \(2, 2, 88\)"),
        ([[(), ()]], "all pieces are silent: no chord has a note"),
        ("chorales.midi", "does not exist"),
    ],
)
def test_bad_pieces_are_refused_before_training(X, message):
    with pytest.raises(ValueError, match=message):
        small().fit(X)


def test_tables_are_refused():
    from ganglion.data.convert import as_dataset

    with pytest.raises(InvalidInput, match="reads pieces of music, but a table of columns a was given"):
        small().fit(as_dataset({"a": [1.0, 2.0]}))
    model = small().fit([SCALE] * 2)
    with pytest.raises(InvalidInput, match="there is no music in the columns a"):
        model.predict(as_dataset({"a": [1.0, 2.0]}))


def test_held_out_copies_are_told():
    with pytest.warns(DataWarning, match="1 of the 1 validation rows stand among the training rows"):
        small(epochs=1).fit([SCALE, SCALE[:2]], validation=(pieces_to_dataset([SCALE]), None))
