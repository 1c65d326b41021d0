"""Deep belief nets: layers learned one after the other, samples of a class, fine-tuning, resuming in any phase."""

import functools

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

import ganglion as gg
from ganglion.algorithms.dbn import DBN
from ganglion.algorithms.dbn_classifier import DBNClassifier
from ganglion.errors import GanglionError
from ganglion.training.checkpoint import Checkpoints

# trained in moments, most of these are not worth their samples yet, and say so
pytestmark = pytest.mark.filterwarnings("ignore:(mode collapse|dead hidden units)")

DIGITS, LABELS = load_digits(return_X_y=True)
DIGITS = (DIGITS.reshape(-1, 8, 8)[:500] * 15).astype(np.uint8)
LABELS = LABELS[:500]
QUICK = {"hidden": (16, 12), "random_state": 0}


def test_layers_learn_one_after_the_other():
    model = DBN(**QUICK, epochs=4, validation_fraction=0.2).fit(DIGITS)
    assert model.history_["phase"] == [1] * 4 + [2] * 4
    assert model.history_["epoch"] == list(range(1, 9))
    assert len(model.history_["free_energy_gap"]) == 8
    lowest = DBN(**QUICK, epochs=4, validation_fraction=0.2).set_params(hidden=(16,)).fit(DIGITS)
    assert model.history_["loss"][:4] != model.history_["loss"][4:]
    assert lowest.transform(DIGITS).shape == (500, 16)
    assert model.transform(DIGITS).shape == (500, 12)
    weights = model.network_.state_dict()["body.machines.0.weight"]
    np.testing.assert_array_equal(model.components_, weights)


def test_first_layer_stays_when_the_second_learns():
    torch.manual_seed(0)
    short = DBN(**QUICK | {"hidden": (16,)}, epochs=3).fit(DIGITS).network_.state_dict()
    both = DBN(**QUICK, epochs=3)
    seen = []
    both.fit(DIGITS, callbacks=[lambda row, planned: seen.append((row["phase"], planned))])
    assert seen == [(1, 6)] * 3 + [(2, 6)] * 3
    assert both.network_.state_dict()["body.machines.0.weight"].shape == short["body.machines.0.weight"].shape


def test_samples_of_a_class_look_like_it():
    wanted = np.isin(LABELS, [0, 1])
    X, y = DIGITS[wanted], np.array(["zero", "one"])[LABELS[wanted]]
    model = DBN(hidden=(32, 32), conditional=True, epochs=150, persistent=True, learning_rate=0.1, random_state=0)
    model.fit(X, y)
    assert model.classes_.tolist() == ["one", "zero"]
    zeros, ones = (X[y == label].astype(float).mean(0) for label in ("zero", "one"))
    for label, own, other in (("zero", zeros, ones), ("one", ones, zeros)):
        drawn = model.sample(60, y=label, random_state=0).astype(float)
        assert drawn.shape == (60, 8, 8)
        assert np.square(drawn.mean(0) - own).mean() < 0.5 * np.square(drawn.mean(0) - other).mean()


def test_associative_memory_knows_labels():
    model = DBN(hidden=(32, 32), conditional=True, epochs=40, learning_rate=0.2, random_state=0).fit(DIGITS, LABELS)
    with torch.no_grad():
        said = model.network_.body.log_odds(model._visible(DIGITS).clone()).argmax(1).numpy()
    assert (said == LABELS).mean() > 0.7


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory):
    """Return a function that fits an estimator to its end; it gives the fitted one and the checkpoints of all steps."""

    @functools.cache
    def run(cls, options):
        folder = tmp_path_factory.mktemp("run")
        every = Checkpoints(folder=folder, seconds=None, steps=1, keep=100)
        return cls(**dict(options)).fit(DIGITS, LABELS, checkpoint=every), folder

    return run


@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("step", [2, 10, 16, 17, 30])
def test_net_killed_in_any_phase_and_resumed_to_the_same_bits(whole_run, tmp_path, step, conditional):
    options = QUICK | {"epochs": 2, "batch_size": 64, "persistent": True, "chains": 8, "conditional": conditional}
    whole, folder = whole_run(DBN, tuple(options.items()))
    path = folder / f"step-{step:012d}.checkpoint"
    resumed = DBN(**options).fit(DIGITS, LABELS, resume=path, checkpoint=tmp_path / "new")
    assert _same(whole, resumed)


@pytest.mark.parametrize("step", [2, 9, 16, 17, 20, 28])
def test_classifier_killed_in_any_phase_and_resumed_to_the_same_bits(whole_run, tmp_path, step):
    options = QUICK | {"epochs": 2, "pretraining_epochs": 1, "batch_size": 64, "dropout": 0.2}
    whole, folder = whole_run(DBNClassifier, tuple(options.items()))
    path = folder / f"step-{step:012d}.checkpoint"
    resumed = DBNClassifier(**options).fit(DIGITS, LABELS, resume=path, checkpoint=tmp_path / "new")
    assert _same(whole, resumed)


def _same(one, other):
    rows = [[{k: v for k, v in row.items() if k != "seconds"} for row in model.history_.rows] for model in (one, other)]
    states = [model.network_.state_dict() for model in (one, other)]
    return rows[0] == rows[1] and all(torch.equal(tensor, states[1][name]) for name, tensor in states[0].items())


def test_classifier_learns_digits():
    model = DBNClassifier(hidden=(64, 64), epochs=60, learning_rate=3e-3, random_state=0).fit(
        DIGITS[:400], LABELS[:400]
    )
    assert model.score(DIGITS[400:], LABELS[400:]) > 0.8
    assert model.history_["phase"][0] == 1
    assert model.history_["phase"][-1] == 3


def test_pretraining_moves_all_layers_but_the_last(tmp_path):
    folder = Checkpoints(folder=tmp_path, seconds=None, steps=1, keep=100)
    options = QUICK | {"epochs": 1, "pretraining_epochs": 2, "batch_size": 500}
    DBNClassifier(**options).fit(DIGITS, LABELS, checkpoint=folder)
    from ganglion.training.checkpoint import read_checkpoint

    first, fourth = (read_checkpoint(tmp_path / f"step-{i:012d}.checkpoint")[1].tensors for i in (1, 4))
    assert not torch.equal(first["network.body.1.layers.0.weight"], fourth["network.body.1.layers.0.weight"])
    assert torch.equal(first["network.body.2.weight"], fourth["network.body.2.weight"])


def test_no_pretraining_is_a_plain_perceptron():
    model = DBNClassifier(**QUICK, epochs=3, pretraining_epochs=0).fit(DIGITS, LABELS)
    assert "phase" not in model.history_.rows[0]


def test_saved_and_loaded(tmp_path):
    for model in (DBN(**QUICK, epochs=2, conditional=True), DBNClassifier(**QUICK, epochs=2)):
        model.fit(DIGITS, LABELS).save(tmp_path / "model.ganglion")
        loaded = gg.load(tmp_path / "model.ganglion")
        if isinstance(model, DBN):
            np.testing.assert_array_equal(loaded.sample(3, y=7, random_state=0), model.sample(3, y=7, random_state=0))
        else:
            np.testing.assert_array_equal(loaded.predict_proba(DIGITS), model.predict_proba(DIGITS))


@pytest.mark.parametrize("cls", [DBN, DBNClassifier])
@pytest.mark.parametrize(
    ("options", "message"), [({"hidden": (8, 0)}, "hidden"), ({"k": 0}, "k"), ({"visible": "?"}, "visible")]
)
def test_bad_options_are_refused_before_training(cls, options, message):
    with pytest.raises(GanglionError, match=message):
        cls(**options).fit(DIGITS, LABELS)


def test_a_net_without_layers_is_refused():
    for cls in (DBN, DBNClassifier):
        with pytest.raises(GanglionError, match=r"one machine or more. Give a width each"):
            cls(hidden=()).fit(DIGITS, LABELS)


def test_labels_are_needed_where_they_are_learned():
    with pytest.raises(GanglionError, match="y"):
        DBN(**QUICK, conditional=True).fit(DIGITS)
    with pytest.raises(GanglionError, match="conditional"):
        DBN(**QUICK, epochs=1).fit(DIGITS).sample(2, y=3)


def test_inputs_are_silenced_in_fine_tuning_alone():
    model = DBNClassifier(**QUICK, epochs=3, pretraining_epochs=1, input_dropout=0.5).fit(DIGITS, LABELS)
    seen = []
    model.network_.body.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    inputs = {"image": torch.full((200, 1, 8, 8), 16.0)}
    prepared = model.network_.prepare(inputs)
    model.network_.eval().scores(prepared)
    model.network_.train().scores(prepared)
    whole, half = seen
    assert (whole > 0).all()
    assert (half == 0).double().mean() == pytest.approx(0.5, abs=0.02)
    torch.testing.assert_close(half[half > 0], 2 * whole[half > 0])
