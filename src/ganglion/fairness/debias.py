"""`debias`: one verb for the mitigations before, in and after training."""

from __future__ import annotations

import inspect
from typing import Any

from ganglion.errors import UnknownParameter, suggestion, unknown_name
from ganglion.fairness.adversarial import Adversarial
from ganglion.fairness.constraints import Constrained
from ganglion.fairness.debiased import Debiased
from ganglion.fairness.groups import Sensitive
from ganglion.fairness.reweighing import Reweighed
from ganglion.fairness.thresholds import Thresholded

METHODS: dict[str, type[Debiased]] = {
    "reweighing": Reweighed,
    "adversarial": Adversarial,
    "constraints": Constrained,
    "thresholds": Thresholded,
}


def debias(
    estimator: Any, method: str = "reweighing", *, sensitive: Sensitive = None, hide: bool = False, **settings: Any
) -> Any:
    """Return an unfitted classifier that treats groups more alike than `estimator` does.

    Parameters
    ----------
    estimator : classifier
        Of Ganglion or scikit-learn; a pipeline too, but for "adversarial".
    method : {"reweighing", "adversarial", "constraints", "thresholds"}
        Before training: rows count by how rare their class is in their group (Kamiran & Calders 2012). While training:
        an adversary tells the group from the answers (Zhang et al. 2018), or constraints by repeated training (Agarwal
        et al. 2018, fairlearn). After training: a threshold for each group (Hardt et al. 2016, fairlearn), which needs
        the group of each row to answer.
    sensitive : str, int, or list of str, optional
        Columns of X that say who belongs to which group; without, `fit` is given the values.
    hide : bool
        Whether the estimator is not shown these columns.
    **settings
        Of the method: constraint, holdout, slack, max_iter, goal, strength, hidden, rate, random_state.

    Returns
    -------
    Reweighed, Adversarial, Constrained or Thresholded
        With `fit`, `predict`, `get_params`: `clone`, pipelines and grid searches can handle it.

    Raises
    ------
    InvalidParameter
        If there is no such method, or it has no such setting.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> rng = np.random.default_rng(0)
    >>> X = np.column_stack([rng.normal(size=400), rng.integers(0, 2, 400)])
    >>> y = X.sum(axis=1) + rng.normal(size=400) > 0.5
    >>> model = debias(LogisticRegression(), "reweighing", sensitive=1, hide=False).fit(X, y)
    >>> model.predict(X).shape
    (400,)
    """
    if method not in METHODS:
        raise unknown_name("method", str(method), METHODS)
    cls: Any = METHODS[method]
    known = [name for name in inspect.signature(cls).parameters if name not in ("estimator", "sensitive", "hide")]
    for name in settings:
        if name not in known:
            raise UnknownParameter(
                f"the method {method!r} has no setting {name!r}.{suggestion(name, known)} Its settings: "
                f"{', '.join(known) or 'none'}."
            )
    return cls(estimator, sensitive=sensitive, hide=hide, **settings)
