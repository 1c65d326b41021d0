"""The whole road as one function a step: plan, train, assess."""

import numpy as np
import pandas as pd
import pytest
import torch

import ganglion as gg
from ganglion.data.dataset import Dataset, Field
from ganglion.data.ragged import Ragged
from ganglion.errors import DataWarning, InvalidFile, InvalidInput, InvalidParameter
from ganglion.workflow import assess, plan, train

QUICK = {"hidden": (8,), "epochs": 30, "learning_rate": 0.05, "random_state": 0}


@pytest.fixture
def flowers(tmp_path):
    from sklearn.datasets import load_iris

    data = load_iris(as_frame=True).frame
    data["species"] = np.array(["setosa", "versicolor", "virginica"])[data.pop("target")]
    data["batch"] = np.random.default_rng(0).choice(["x", "y"], 150)
    data["weight"] = np.random.default_rng(1).normal(size=150)  # no two rows are alike
    data.to_csv(tmp_path / "flowers.csv", index=False)
    return tmp_path / "flowers.csv"


def test_a_road_of_classes(flowers):
    planned = plan(flowers, target="species")
    assert planned.selection.name == "MLPClassifier"
    assert planned.selection.task.name == "multiclass"
    assert len(planned.train) + len(planned.test) == 150
    assert len(planned.test) == 30
    X, y = planned.test_data
    assert "species" not in X.names
    assert sorted(np.unique(y)) == ["setosa", "versicolor", "virginica"]
    model = train(planned, options=QUICK)
    assert model.target_name_ == "species"
    report = assess(planned, model, baselines=False)
    assert report.to_dict()["model"]["metrics"]["accuracy"]["value"] > 0.85
    assert model.metrics_ == report.to_dict()["model"]["metrics"]
    assert "30 of 150 rows were held out at random (seed 0)." in planned.notes


def test_a_road_of_numbers_by_the_last_column(flowers):
    planned = plan(flowers, target="sepal length (cm)", drop=["species"], test_fraction=0.3, random_state=1)
    assert planned.selection.name == "MLPRegressor"
    assert "species" not in planned.train.names
    model = train(planned, options=QUICK)
    assert assess(planned, model, baselines=False).to_dict()["model"]["metrics"]["r2"]["value"] > 0.5


def test_the_same_seed_gives_the_same_rows_and_the_same_model(flowers):
    one, other = (plan(flowers, target="species", random_state=5) for _ in range(2))
    assert one.notes == other.notes
    models = [train(planned, options=QUICK) for planned in (one, other)]
    np.testing.assert_array_equal(*[model.predict_proba(one.test_data[0]) for model in models])
    another = plan(flowers, target="species", random_state=6)
    assert not np.array_equal(another.test.values("petal width (cm)"), one.test.values("petal width (cm)"))


def test_the_split_keeps_the_shares_of_classes(flowers):
    y = plan(flowers, target="species", test_fraction=0.1).test_data[1]
    assert np.unique(y, return_counts=True)[1].tolist() == [5, 5, 5]


def test_a_test_file_of_its_own(flowers, tmp_path):
    whole = pd.read_csv(flowers)
    whole.iloc[::2].to_csv(tmp_path / "train.csv", index=False)
    whole.iloc[1::2].to_csv(tmp_path / "test.csv", index=False)
    planned = plan(tmp_path / "train.csv", target="species", test=tmp_path / "test.csv")
    assert (len(planned.train), len(planned.test)) == (75, 75)
    assert any("Tested on" in note and "test.csv" in note for note in planned.notes)


def test_a_test_file_with_a_class_that_training_had_not(flowers, tmp_path):
    whole = pd.read_csv(flowers)
    whole[whole["species"] != "setosa"].to_csv(tmp_path / "train.csv", index=False)
    with pytest.raises(InvalidInput, match="setosa"):
        plan(tmp_path / "train.csv", target="species", test=flowers)


def test_an_algorithm_by_name(flowers):
    planned = plan(flowers, target="species", algorithm_name="perceptron")
    assert planned.selection.name == "Perceptron"
    assert train(planned, options={"random_state": 0}).score(*planned.test_data) > 0.6
    with pytest.raises(InvalidParameter, match=r"no algorithm is called 'perzeptron'. Did you mean 'Perceptron'"):
        plan(flowers, target="species", algorithm_name="perzeptron")


def test_the_algorithm_says_what_is_learned(tmp_path):
    rng = np.random.default_rng(0)
    pd.DataFrame({"a": rng.normal(size=60), "grade": rng.integers(1, 4, 60)}).to_csv(tmp_path / "g.csv", index=False)
    assert plan(tmp_path / "g.csv", target="grade").selection.task.name == "multiclass"
    assert plan(tmp_path / "g.csv", target="grade", task="regression").selection.name == "MLPRegressor"
    asked = plan(tmp_path / "g.csv", target="grade", algorithm_name="mlp-regressor")
    assert asked.selection.task.name == "regression"
    assert asked.training_data[1].dtype.kind == "f"


def test_labels_that_are_whole_numbers_stay_whole(tmp_path):
    rng = np.random.default_rng(0)
    pd.DataFrame({"a": rng.normal(size=60), "grade": rng.integers(1, 4, 60)}).to_csv(tmp_path / "g.csv", index=False)
    planned = plan(tmp_path / "g.csv", target="grade")
    model = train(planned, options=QUICK)
    assert model.classes_.tolist() == [1, 2, 3]
    assert model.predict(planned.test_data[0]).dtype == np.int64


def test_rows_without_a_target_are_left_out(flowers, tmp_path):
    whole = pd.read_csv(flowers)
    whole.loc[:9, "species"] = None
    whole.to_csv(tmp_path / "gaps.csv", index=False)
    planned = plan(tmp_path / "gaps.csv", target="species")
    assert len(planned.train) + len(planned.test) == 140


def test_several_targets(flowers):
    planned = plan(flowers, target=["sepal length (cm)", "sepal width (cm)"], drop=["species", "batch"])
    assert planned.selection.task.name == "multioutput_regression"
    model = train(planned, options=QUICK)
    assert model.predict(planned.test_data[0]).shape == (30, 2)
    assert model.target_name_ == "sepal length (cm), sepal width (cm)"


def test_callbacks_see_every_epoch(flowers):
    seen = []
    train(plan(flowers, target="species"), options=QUICK, callbacks=[lambda row, epochs: seen.append(epochs)])
    assert seen == [30] * 30


def test_what_was_trained_can_be_saved_and_used_on_a_file(flowers, tmp_path):
    planned = plan(flowers, target="species")
    model = train(planned, options=QUICK)
    assess(planned, model, baselines=False)
    model.save(tmp_path / "m.ganglion")
    loaded = gg.load(tmp_path / "m.ganglion")
    new = gg.read(flowers).drop(["species"])
    np.testing.assert_array_equal(loaded.predict(new), model.predict(new))
    assert loaded.metrics_ == model.metrics_
    assert loaded.target_name_ == "species"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({}, InvalidInput, "which column is to be predicted"),
        ({"target": "spezies"}, InvalidInput, "no column.*'spezies'. Did you mean 'species'"),
        ({"target": "species", "drop": ["bach"]}, InvalidInput, "'bach'. Did you mean 'batch'"),
        ({"target": "species", "drop": ["species"]}, InvalidInput, "which|target"),
        ({"target": "species", "test_fraction": 1.5}, InvalidParameter, "between 0 and 1"),
        ({"target": "species", "task": "sorting"}, InvalidParameter, "a task is"),
        ({"target": "species", "test": "no-such-file.csv"}, InvalidFile, "no-such-file.csv"),
    ],
)
def test_mistakes_are_found_before_training(flowers, options, error, message):
    with pytest.raises(error, match=message):
        plan(flowers, **options)


def test_too_few_rows(tmp_path):
    (tmp_path / "few.csv").write_text("a,b\n1,x\n2,y\n3,x\n")
    with pytest.raises(InvalidInput, match=r"3 rows are too few.*at least 10"):
        plan(tmp_path / "few.csv", target="b")


def test_an_unknown_option_is_found_when_the_estimator_is_made(flowers):
    with pytest.raises(InvalidParameter, match=r"no option 'hiden'. Did you mean 'hidden'"):
        train(plan(flowers, target="species"), options={"hiden": (3,)})


def test_findings_are_those_of_the_task_that_was_asked_for(tmp_path):
    quality = np.repeat([3, 4, 5, 6, 7], [2, 30, 100, 100, 30])
    frame = pd.DataFrame({"x": np.random.default_rng(0).normal(size=262), "quality": quality})
    frame.to_csv(tmp_path / "wine.csv", index=False)
    as_classes = plan(tmp_path / "wine.csv", target="quality")
    as_numbers = plan(tmp_path / "wine.csv", target="quality", task="regression")
    assert "imbalance" in [finding.check for finding in as_classes.findings]
    assert "imbalance" not in [finding.check for finding in as_numbers.findings]


def pictures(target: str, n: int = 20) -> Dataset:
    """Noise with a bright square, whose place a mask or a box tells; the last picture alone has class "rare"."""
    random = np.random.default_rng(0)
    images = random.integers(0, 100, (n, 1, 24, 24)).astype(np.uint8)
    masks, boxes = np.zeros((n, 24, 24), np.uint8), np.zeros((n, 5), np.float32)
    for i, (x, y) in enumerate(random.integers(0, 14, (n, 2))):
        code = 1 if i < n - 1 else 2
        images[i, 0, y : y + 10, x : x + 10] = 120 * code
        masks[i, y : y + 10, x : x + 10] = code
        boxes[i] = x, y, x + 10, y + 10, code
    fields = {"mask": Field("mask", "mask", (24, 24), ("ground", "square", "rare"))}
    fields["boxes"] = Field("boxes", "boxes", (), ("ground", "square", "rare"))
    columns = {"mask": torch.from_numpy(masks), "boxes": Ragged(torch.from_numpy(boxes), torch.arange(n + 1))}
    image = Field("image", "image", (1, 24, 24))
    return Dataset(
        [image, fields[target]], {"image": torch.from_numpy(images), target: columns[target]}, target=[target]
    )


@pytest.mark.parametrize(
    ("target", "name", "metric"), [("mask", "SegmentationCNN", "mean_iou"), ("boxes", "DetectionCNN", "map_50")]
)
def test_a_road_of_pictures(target, name, metric):
    for seed in range(3):  # whatever is held out, the picture with a class of its own is trained on
        planned = plan(pictures(target), random_state=seed)
        assert 3 <= len(planned.test) <= 4
        assert len(planned.train) + len(planned.test) == 20
        assert len(planned.train.X_y()[0]) == len(planned.training_data[1])
    assert planned.selection.name == name
    model = train(planned, options={"epochs": 1, "batch_size": 8, "random_state": 0})
    assert len(model.classes_) == (3 if target == "mask" else 2)
    report = assess(planned, model)
    assert report.task == planned.selection.task.name
    assert report.comparison.metric == metric
    assert report.baselines
    assert model.metrics_[metric]["value"] == pytest.approx(model.score(*planned.test_data))


@pytest.mark.parametrize("target", ["mask", "boxes"])
def test_pictures_to_test_on_with_another_class(target):
    data = pictures(target)
    with pytest.raises(
        InvalidInput, match=r"no training picture has: (2|'rare')\. Those of training are: (0, 1|'square')"
    ):
        plan(data.take(np.arange(15)), test=data.take(np.arange(15, 20)))


@pytest.mark.parametrize("target", ["mask", "boxes"])
def test_pictures_that_stand_twice_are_told(target):
    data = pictures(target)
    planned = plan(data, test=data.take([3, 4]))
    model = train(planned, options={"epochs": 1, "random_state": 0})
    with pytest.warns(DataWarning, match="2 of the 2 evaluation rows stand among the training rows"):
        assess(planned, model, baselines=False)


def test_a_file_with_a_part_for_testing_is_tested_on_it(tmp_path):
    X, y = np.arange(60.0).reshape(30, 2), np.arange(30) % 2
    np.savez(tmp_path / "x.npz", x_train=X[:20], y_train=y[:20], x_test=X[20:], y_test=y[20:])
    planned = plan(tmp_path / "x.npz")
    np.testing.assert_array_equal(planned.test_data[0].columns["x"], X[20:])
    assert planned.notes[0] == "Tested on x.npz, 10 rows."
    np.savez(tmp_path / "x.npz", x=X, y=y)
    assert planned.notes[0] != plan(tmp_path / "x.npz").notes[0]


TINY = {"steps": 2, "width": 8, "layers": 1, "heads": 1, "context": 8, "random_state": 0}


def test_a_road_of_texts_alone(tmp_path):
    (tmp_path / "book.txt").write_text("It was late, and nobody slept.\nA dog, far away, barked twice.\n" * 20)
    planned = plan(tmp_path / "book.txt")
    assert planned.selection.name == "LanguageModel"
    texts = [str(part.values("text")[0]) for part in (planned.train, planned.test)]
    assert "".join(texts) == (tmp_path / "book.txt").read_text()
    assert planned.training_data[1] is planned.test_data[1] is None
    assert "The last 10% of the text" in planned.notes[0]
    report = assess(planned, train(planned, options=TINY), baselines=False)
    assert report.task == "language_modelling"


def test_a_folder_of_texts_without_classes(tmp_path):
    for i in range(10):
        (tmp_path / f"{i}.txt").write_text(f"This is the text of number {i}, one of ten.")
    planned = plan(tmp_path)
    assert (planned.selection.name, len(planned.train), len(planned.test)) == ("LanguageModel", 9, 1)
    model = train(planned, options=TINY)
    assert model.target_.documents


def test_texts_with_classes_can_be_gone_on_with(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(6):
            (tmp_path / name / f"{i}.txt").write_text(f"A text of class {name}, number {i}.")
    assert plan(tmp_path).selection.task.name == "binary"
    for asked in ({"task": "language_modelling"}, {"algorithm_name": "LanguageModel"}):
        planned = plan(tmp_path, **asked)
        assert planned.selection.name == "LanguageModel"
        assert planned.train.target == ()
        assert "class" not in planned.train.names


def test_what_is_tested_on_can_be_given(tmp_path):
    for name in ("one.txt", "other.txt"):
        (tmp_path / name).write_text(f"This is a text in {name} with some words in it.\n" * 9)
    planned = plan(tmp_path / "one.txt", test=tmp_path / "other.txt")
    assert "other.txt with" in str(planned.test.values("text")[0])
    assert planned.notes == ("Tested on other.txt.",)
