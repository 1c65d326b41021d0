"""Precision, recall, density and coverage against their definitions; nearest training rows; modes of mixtures."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from ganglion.errors import InvalidInput
from ganglion.evaluation.manifold import nearest, neighbourhoods, radii
from ganglion.evaluation.memorisation import Nearness, nearness
from ganglion.evaluation.modes import mode_coverage


def by_definition(real, made, k):
    """Return the four numbers by loops over pairs of points."""
    of_real = [
        sorted(np.linalg.norm(x - other) for j, other in enumerate(real) if j != i)[k - 1] for i, x in enumerate(real)
    ]
    of_made = [
        sorted(np.linalg.norm(x - other) for j, other in enumerate(made) if j != i)[k - 1] for i, x in enumerate(made)
    ]
    holds = np.array([[np.linalg.norm(x - y) <= r for y in made] for x, r in zip(real, of_real, strict=True)])
    held = np.array([[np.linalg.norm(x - y) <= r for y, r in zip(made, of_made, strict=True)] for x in real])
    return {
        "precision": holds.any(axis=0).mean(),
        "recall": held.any(axis=1).mean(),
        "density": holds.sum() / (k * len(made)),
        "coverage": holds.any(axis=1).mean(),
    }


@pytest.mark.parametrize(("n", "m", "k", "shift"), [(12, 9, 3, 0.0), (7, 20, 1, 0.7), (15, 15, 5, 1.5)])
def test_they_are_what_the_papers_define(n, m, k, shift):
    rng = np.random.default_rng(n)
    real, made = rng.normal(size=(n, 2)) + 100, rng.normal(size=(m, 2)) + 100 + shift
    assert neighbourhoods(real, made, k=k).values() == pytest.approx(by_definition(real, made, k))


def test_blocks_change_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    real, made = rng.normal(size=(30, 3)), rng.normal(size=(25, 3))
    whole = neighbourhoods(real, made).values()
    monkeypatch.setattr("ganglion.evaluation.manifold.BLOCK", 60)
    assert neighbourhoods(real, made).values() == whole
    assert radii(real, 2) == pytest.approx(np.sort(cdist(real, real, "sqeuclidean"))[:, 2])


def test_samples_of_one_mode_are_precise_and_cover_half():
    rng = np.random.default_rng(1)
    real = np.concatenate([rng.normal(size=(200, 2)), rng.normal(size=(200, 2)) + 50])
    said = neighbourhoods(real, rng.normal(size=(400, 2))).values()
    assert said["precision"] > 0.9
    assert said["recall"] < 0.55
    assert said["coverage"] < 0.55


def test_samples_of_the_law_itself_have_density_one_and_the_coverage_that_is_foretold():
    rng = np.random.default_rng(2)
    said = neighbourhoods(rng.normal(size=(1500, 4)), rng.normal(size=(1500, 4))).values()
    assert said["density"] == pytest.approx(1, abs=0.08)
    assert said["coverage"] == pytest.approx(1 - 0.5**5, abs=0.015)


def test_too_few_points_are_refused():
    with pytest.raises(InvalidInput, match="more than k=5 rows"):
        neighbourhoods(np.zeros((5, 2)), np.zeros((9, 2)))


def test_nearest_is_the_least_distance():
    rng = np.random.default_rng(3)
    x, others = rng.normal(size=(8, 3)), rng.normal(size=(11, 3))
    distance, place = nearest(x, others)
    assert distance == pytest.approx(cdist(x, others).min(axis=1))
    assert place.tolist() == cdist(x, others).argmin(axis=1).tolist()


def test_planted_copies_are_counted():
    rng = np.random.default_rng(4)
    training, held_out, made = (rng.normal(size=(n, 5)) for n in (500, 300, 300))
    fair = nearness(made, held_out, training)
    assert fair.value() == pytest.approx(0.5, abs=0.07)
    assert not fair.copied.any()
    copies = made.copy()
    copies[:120] = training[:120]
    planted = nearness(copies, held_out, training)
    assert planted.copied.sum() == 120
    assert planted.place[:120].tolist() == list(range(120))
    assert planted.value() == pytest.approx(0.4 + 0.6 * fair.value(), abs=0.05)


def test_nearness_counts_pairs_and_ties_as_half():
    near = Nearness(np.array([0.0, 2.0, 9.0]), np.array([1.0, 2.0, 3.0]), np.zeros(3, dtype=np.int64))
    assert near.value() == pytest.approx((3 + 1.5 + 0) / 9)
    weights = np.array([[1.0, 2.0], [1.0, 0.0], [1.0, 1.0]])
    said = near.resampled()(weights)
    assert said["memorisation"] == pytest.approx([4.5 / 9, (2 * 3 + 0) / 9])
    assert said["copies"] == pytest.approx([1 / 3, 2 / 3])


def test_modes_with_a_good_sample_are_found():
    centers = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    samples = np.array([[0.1, 0.0], [0.0, 0.2], [0.0, 2.9], [10.0, 3.1], [5.0, 5.0]])
    said = mode_coverage(samples, centers, 1.0)
    assert (said.found, said.n_modes, said.good) == (1, 3, 0.6)
    assert said.counts.tolist() == [3, 0, 0]
    assert mode_coverage(np.concatenate([samples, [[0.0, 9.0]]]), centers, 1.0).found == 2
    assert mode_coverage(np.concatenate([samples, [[0.0, 9.0]]]), centers, 1.0, least=0.6).found == 1


@pytest.mark.parametrize(("width", "deviation"), [(3, 1.0), (2, 0.0)])
def test_a_mixture_of_another_width_is_refused(width, deviation):
    with pytest.raises(InvalidInput, match="same width"):
        mode_coverage(np.zeros((4, width)), np.zeros((2, 2)), deviation)
