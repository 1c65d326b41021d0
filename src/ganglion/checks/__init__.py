"""The contract's own checks, chosen by an algorithm's tags: what every estimator promises beside scikit-learn's.

    @pytest.mark.parametrize(("estimator", "check"), checks_for([MyAlgorithm]), ids=name_of)
    def test_contract(estimator, check):
        check(estimator)

A check takes an estimator with any options, works on clones of it, and raises AssertionError. For tests and authors of
plugins: it needs the extra "tables", and starts another Python for what must hold from one process to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ganglion.checks import files, fitting, generating, images, predicting, refusals, series, sounds, texts
from ganglion.estimators.base import Estimator, Tags

Check = Callable[[Any], None]
CHECKS: tuple[tuple[Callable[[Tags], bool], Check], ...] = (
    *fitting.CHECKS,
    *refusals.CHECKS,
    *predicting.CHECKS,
    *files.CHECKS,
    *images.CHECKS,
    *texts.CHECKS,
    *series.CHECKS,
    *sounds.CHECKS,
    *generating.CHECKS,
)


def checks_for(estimators: Iterable[Any]) -> list[tuple[Estimator, Check]]:
    """Return every check that the tags of each estimator ask for.

    Parameters
    ----------
    estimators : iterable of classes or instances
        A class stands for its instance with default options.

    Returns
    -------
    list of (estimator, check)
        To be called as `check(estimator)`.
    """
    instances = [each() if isinstance(each, type) else each for each in estimators]
    return [(estimator, check) for estimator in instances for suits, check in CHECKS if suits(estimator.tags)]


def name_of(part: Any) -> str:
    """Return a readable name of an estimator or a check, for the ids of tests."""
    return part.__name__.removeprefix("check_") if callable(part) else " ".join(repr(part).removesuffix("()").split())
