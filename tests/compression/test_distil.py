"""What a pupil learns from its teacher: the paper's loss and slope, classes in order, and that it helps."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, make_classification, make_regression
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression

import ganglion as gg
from ganglion.compression.distil import Teaching, _logits, distil, softened, squared_distance
from ganglion.compression.quantize import quantize
from ganglion.compression.shrink import shrink
from ganglion.errors import InvalidInput, InvalidParameter


@pytest.mark.parametrize("temperature", [1.0, 2.5, 20.0])
def test_the_slope_is_that_of_the_paper(temperature):
    s = torch.randn(5, 4, dtype=torch.float64, requires_grad=True)
    z = torch.randn(5, 4, dtype=torch.float64)
    (slope,) = torch.autograd.grad(softened(s, z, temperature).sum(), s)
    by_hand = temperature * ((s / temperature).softmax(1) - (z / temperature).softmax(1))
    torch.testing.assert_close(slope, by_hand.detach(), rtol=1e-10, atol=1e-12)


def test_at_high_temperatures_logits_are_matched():
    """Eq. 4: for large T and centred logits the slope is (s - z) / K (times T², which the loss has)."""
    s = torch.randn(3, 6, dtype=torch.float64)
    z = torch.randn(3, 6, dtype=torch.float64)
    s, z = (s - s.mean(1, keepdim=True)).requires_grad_(), z - z.mean(1, keepdim=True)
    (slope,) = torch.autograd.grad(softened(s, z, 1e5).sum(), s)
    torch.testing.assert_close(slope, ((s - z) / 6).detach(), rtol=1e-3, atol=1e-5)


def test_two_classes_are_one_score_or_two():
    s, z = torch.randn(7, 1), torch.randn(7, 1)
    two = softened(*(torch.cat([torch.zeros_like(each), each], 1) for each in (s, z)), 3.0)
    torch.testing.assert_close(softened(s, z, 3.0, separate=True), two)


@pytest.mark.parametrize("n", [2, 5])
def test_logits_give_their_probabilities_again(n):
    shares = np.random.default_rng(0).dirichlet(np.ones(n), 8)
    scores = torch.from_numpy(_logits(shares, yes_or_no=False))
    again = torch.cat([-scores, scores], 1).sigmoid() if n == 2 else scores.softmax(1)
    np.testing.assert_allclose(again, shares, atol=1e-12)
    assert np.isfinite(_logits(np.eye(n), yes_or_no=False)).all()


def test_distance_of_numbers():
    assert squared_distance(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 2.0]])).tolist() == [2.0]


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(
    "make", [LogisticRegression, lambda: gg.MLPClassifier(hidden=(16,), epochs=10, random_state=0)]
)
def test_a_pupil_without_labels_becomes_its_teacher(classes, make):
    """All labels random, and little weight on them: what the pupil knows it has from the teacher."""
    X, y = make_classification(500, 8, n_informative=6, n_classes=classes, random_state=0)
    names = np.array(["b", "a", "c"])[y]
    teacher = make().fit(X, names)
    random = np.random.default_rng(0).permutation(names)
    student = gg.MLPClassifier(hidden=(32,), epochs=25, learning_rate=0.02, random_state=0)
    pupil = distil(teacher, student, X, random, weight=0.999)
    assert (pupil.predict(X) == teacher.predict(X)).mean() > 0.9
    assert not hasattr(student, "network_")


def test_a_regressor_learns_numbers_in_the_units_of_the_target():
    X, y = make_regression(400, 6, random_state=0)
    y = 1000 + 50 * y
    teacher = LinearRegression().fit(X, y)
    noise = np.random.default_rng(0).permutation(y)
    pupil = distil(
        teacher, gg.MLPRegressor(hidden=(32,), epochs=30, learning_rate=0.02, random_state=0), X, noise, weight=0.999
    )
    assert np.corrcoef(pupil.predict(X), y)[0, 1] > 0.98
    assert abs(pupil.predict(X).mean() - y.mean()) < 0.1 * y.std()


def test_several_labels_and_several_teachers():
    X, y = make_classification(300, 8, n_informative=6, random_state=0)
    labels = np.column_stack([y, X[:, 0] > 0]).astype(int)
    teachers = [gg.MLPClassifier(hidden=(16,), epochs=10, random_state=seed).fit(X, labels) for seed in (0, 1)]
    pupil = distil(teachers, gg.MLPClassifier(hidden=(8,), epochs=30, learning_rate=0.02, random_state=0), X, labels)
    assert pupil.score(X, labels) > 0.7
    assert pupil.compression_[0]["teacher"] == "MLPClassifier, MLPClassifier"


@pytest.mark.parametrize("compress", [shrink, quantize])
def test_a_model_teaches_its_own_smaller_copy(compress):
    digits = load_digits()
    X, y = digits.images[:400], digits.target[:400]
    model = gg.CNNClassifier(channels=(8,), hidden=(32,), epochs=12, random_state=0).fit(X, y)
    settings = {"aware": True} if compress is quantize else {"keep": 0.5}
    small = compress(model, X, y, epochs=8, taught=True, **settings)
    assert small.score(X, y) > model.score(X, y) - 0.06


def test_the_weights_of_samples_count_for_the_teacher_too():
    class Pupil(torch.nn.Module):
        output = torch.nn.Softmax(1)

        def scores(self, batch):
            return batch["s"]

    from ganglion.training.losses import CrossEntropy
    from ganglion.training.objective import Objective
    from ganglion.training.supervised import WeightedLoss

    batch = {"s": torch.randn(3, 2), "teacher": torch.randn(3, 2), "target": torch.tensor([0, 1, 1])}
    own = Objective("loss", [], WeightedLoss(CrossEntropy()))
    (taught,) = Teaching(2.0, 0.4).objectives(Pupil(), [own])
    weighted = {**batch, "weight": torch.tensor([3.0, 0.0, 0.0])}
    first = {name: column[:1] for name, column in batch.items()}
    torch.testing.assert_close(taught.loss(Pupil(), weighted), taught.loss(Pupil(), first))


def test_what_cannot_teach_or_learn_is_refused():
    X, y = make_classification(60, 5, random_state=0)
    student = gg.MLPClassifier(hidden=(4,), epochs=1)
    forest = RandomForestClassifier(5).fit(X, y)
    with pytest.raises(InvalidInput, match=r"the teacher knows the classes \[0, 1\], but y has"):
        distil(forest, student, X, y + 1)
    with pytest.raises(InvalidInput, match="RandomForestClassifier is not trained by objectives"):
        distil(forest, forest, X, y)
    with pytest.raises(InvalidInput, match="gives no probabilities"):
        distil(LinearRegression().fit(X, y), student, X, y)
    with pytest.raises(InvalidParameter, match=r"weight=1\.0"):
        distil(forest, student, X, y, weight=1.0)
    with pytest.raises(InvalidParameter, match="temperature=0"):
        distil(forest, student, X, y, temperature=0)
