"""What is promised of those that make new data, and of those that say data again."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError

from ganglion.checks.comparing import ensure, fresh, plain, refused, saved_and_loaded, unfitted
from ganglion.checks.data import data_for, image_stack, mixed_frame
from ganglion.checks.suiting import generates, has_codes
from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.estimators.base import Estimator

LABELS = ("a", "b", "c")


def check_samples_follow_their_seed(estimator: Estimator) -> None:
    """The same seed gives the same samples, also after a trip through a file; another seed gives others."""
    for X, y in _every_kind_of_data(estimator):
        model = fresh(estimator).fit(X, y)
        once = plain(model.sample(7, random_state=1))
        for same in (model, saved_and_loaded(model)):
            np.testing.assert_array_equal(plain(same.sample(7, random_state=1)), once)
        ensure(bool((plain(model.sample(7, random_state=2)) != once).any()), "two seeds gave the same samples")
        state = np.random.RandomState(3)
        one, other = (plain(model.sample(7, random_state=state)) for _ in range(2))
        ensure(bool((one != other).any()), "a RandomState gave the same samples twice")


def check_samples_have_the_form_of_the_data(estimator: Estimator) -> None:
    """Samples have the type, shape, columns and kinds of values of the data that were learned from."""
    for X, y in _every_kind_of_data(estimator):
        samples = fresh(estimator).fit(X, y).sample(5, random_state=0)
        _has_form_of(X, samples, 5)


def check_samples_are_asked_for_rightly(estimator: Estimator) -> None:
    """Samples need a fitted model, a whole number of them, a seed, and labels only where labels were learned."""
    X, y = data_for(estimator)
    refused(lambda: fresh(estimator).sample(3), NotFittedError, "fit")
    model = unfitted(fresh(estimator)).fit(X, y)
    for bad in (0, -1, 2.5, True, "three", None):
        refused(lambda bad=bad: model.sample(bad), InvalidParameter, "n_samples")
    for bad in (1.5, "seed", True):
        refused(lambda bad=bad: model.sample(3, random_state=bad), InvalidParameter, "random_state")
    if not model.conditional:
        refused(lambda: model.sample(3, y="a"), InvalidInput, "conditional")


def check_samples_of_a_class(estimator: Estimator) -> None:
    """A conditional model knows its classes, makes samples of those asked for, and refuses others."""
    if "conditional" not in estimator.get_params():
        return
    X, y = data_for(estimator)
    model = fresh(estimator, epochs=5).set_params(conditional=True).fit(X, y)
    ensure(list(model.classes_) == list(np.unique(y)), f"the classes are {model.classes_}")
    some = [model.sample(60, y=label, random_state=0) for label in LABELS]
    ensure(any((some[0] != other).any() for other in some[1:]), "the label changes nothing")
    np.testing.assert_array_equal(model.sample(2, y=["a", "b"], random_state=1).shape[1:], X.shape[1:])
    refused(lambda: model.sample(3, y="z"), InvalidInput, "'z'")
    refused(lambda: model.sample(3, y=["a", "b"]), InvalidInput, "3")
    refused(lambda: fresh(model).fit(X), InvalidInput, "y")
    again = saved_and_loaded(model)
    np.testing.assert_array_equal(again.sample(60, y="a", random_state=0), some[0])


def check_y_is_not_looked_at(estimator: Estimator) -> None:
    """Without labels to be learned with, y changes nothing."""
    X, y = data_for(estimator)
    with_y, without = fresh(estimator).fit(X, y), fresh(estimator).fit(X)
    if not without.conditional:
        one, other = (plain(model.sample(5, random_state=0)) for model in (with_y, without))
        np.testing.assert_array_equal(one, other)


def check_codes_are_said_again(estimator: Estimator) -> None:
    """Data come back from their codes in their own form, after a trip through a file too; other codes are refused."""
    for X, y in _every_kind_of_data(estimator):
        model = fresh(estimator).fit(X, y)
        Z = model.transform(X)
        ensure(len(Z) == len(X) and Z.ndim == 2, f"codes of shape {Z.shape}")
        back = model.inverse_transform(Z)
        _has_form_of(X, back, len(X))
        np.testing.assert_array_equal(plain(saved_and_loaded(model).inverse_transform(Z)), plain(back))
        for bad in (Z[:, :-1], Z[0], np.where(np.arange(len(Z))[:, None] == 1, np.nan, Z), "codes", None):
            refused(lambda bad=bad, model=model: model.inverse_transform(bad), InvalidInput, "Z")
        refused(lambda Z=Z: fresh(estimator).inverse_transform(Z), NotFittedError, "fit")


def _every_kind_of_data(estimator: Estimator) -> list[tuple[Any, Any]]:
    read = estimator.tags.modalities
    given: list[tuple[Any, Any]] = [data_for(estimator), mixed_frame(estimator)] if "table" in read else []
    if "image" in read:
        grey, y = image_stack(estimator)
        given += [(grey, y), (np.stack([grey, 255 - grey, grey // 2], -1), y)]
    return given


def _has_form_of(X: Any, samples: Any, n: int) -> None:
    ensure(type(samples) is type(X), f"{type(X).__name__} was learned from, {type(samples).__name__} came")
    ensure(samples.shape == (n, *X.shape[1:]), f"data of shape {X.shape} gave samples of shape {samples.shape}")
    if isinstance(X, np.ndarray):
        ensure(samples.dtype.kind == X.dtype.kind, f"{X.dtype} was learned from, {samples.dtype} came")
        ensure(bool(np.isfinite(samples).all()), "a sample is no number")
        return
    ensure(list(samples.columns) == list(X.columns), "the columns have other names")
    ensure(set(samples["kind"].dropna()) <= set(X["kind"].dropna()), "a category came that was not in training")
    for name in ("flag", "day"):
        ensure(
            samples[name].dtype.kind == X[name].dtype.kind, f"{name} was {X[name].dtype}, and is {samples[name].dtype}"
        )


CHECKS = (
    (generates, check_samples_follow_their_seed),
    (generates, check_samples_have_the_form_of_the_data),
    (generates, check_samples_are_asked_for_rightly),
    (generates, check_samples_of_a_class),
    (generates, check_y_is_not_looked_at),
    (has_codes, check_codes_are_said_again),
)
