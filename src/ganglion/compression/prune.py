"""`prune`: most weights become zero, and what stays learns to do without them.

    at once       the smallest go, then the rest is trained on                        Han et al. 2015, arXiv:1506.02626
    gradually     they go little by little while the network is trained on            Zhu & Gupta 2017, arXiv:1710.01878
    rewound       what stays is put back to its first value and trained from there    Frankle & Carbin 2019,
                                                                                      arXiv:1803.03635

A network with zeros takes as long as before and as much memory: matrices are multiplied whole. Only a file that
leaves the zeros out is smaller. `shrink` removes units, and so makes a network that is smaller itself.
"""

from __future__ import annotations

from typing import Any, Literal

from sklearn.base import clone

from ganglion.compression.distil import taught_by
from ganglion.compression.joining import joined
from ganglion.compression.masks import Scope, magnitude_masks, prunable, sparsity_of
from ganglion.compression.settings import check_count, check_model, check_share, epochs_further, noted
from ganglion.compression.sparse_training import ZerosGrow, ZerosStay
from ganglion.errors import InvalidParameter
from ganglion.estimators.further import train_further


def prune(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    sparsity: float = 0.8,
    method: Literal["gradual", "magnitude", "lottery"] = "gradual",
    scope: Scope = "layer",
    epochs: int | None = None,
    taught: Any = False,
    rounds: int = 1,
    **training: Any,
) -> Any:
    """Return a copy of a fitted estimator most of whose weights are zero.

    Parameters
    ----------
    model : Estimator
        Fitted, and trained by gradients. It is left as it is.
    X, y
        Training data, as for `fit`.
    sparsity : float in (0, 1)
        Share of the weights (matrices and kernels) that become zero.
    method : {"gradual", "magnitude", "lottery"}
        Little by little while training goes on; at once, before it goes on; or, in each round, at once and with what
        stays put back to its first value, from where it is trained as the model was (which needs a whole number as
        `random_state`, from which the first values follow).
    scope : {"layer", "network"}
        Whether every layer loses that share, or the smallest weights of all layers go.
    epochs : int, optional
        Of each further training; without, a third of those that the model was trained for, 2 at least. Lottery tickets
        are trained as long as the model was.
    rounds : int >= 1
        Of "magnitude" and "lottery": in each the same share of what is left goes.
    taught : bool
        Whether the model, as it is, is the teacher of that training (see `distil`).
    **training
        Options of the further training, such as learning_rate.

    Returns
    -------
    Estimator
        Of the same size and speed (see above); `compression_` says what was done.

    Raises
    ------
    InvalidParameter
        If a setting is outside its limits, or the estimator is not trained by gradients.
    """
    check_model(model, trained_further=True)
    check_share("sparsity", sparsity)
    if method not in ("gradual", "magnitude", "lottery"):
        raise InvalidParameter(f"method={method!r}: give 'gradual', 'magnitude' or 'lottery'.")
    if scope not in ("layer", "network"):
        raise InvalidParameter(f"scope={scope!r}: give 'layer' or 'network'.")
    epochs = epochs_further(model, epochs)
    if method == "lottery" and not isinstance(model.random_state, int):
        raise InvalidParameter(
            f"method='lottery' puts weights back to their first values, which follow from random_state, but the model "
            f"has {model.random_state!r}. Train it with a whole number, such as random_state=0."
        )
    if method == "gradual":
        pruned = _gradually(model, X, y, sparsity, scope, epochs, taught, training)
    else:
        pruned = model
        for share in _shares(sparsity, rounds):
            zeros = ZerosStay(magnitude_masks(prunable(pruned.network_), share, scope=scope))
            beside = joined(taught_by(model, taught, X), zeros.beside)
            if method == "lottery":
                pruned = _rewound(model, X, y, beside, training)
            else:
                pruned = train_further(pruned, X, y, beside=beside, epochs=epochs, **training)
    done = {"sparsity": round(sparsity_of(pruned.network_), 4), "method": method, "scope": scope}
    return noted(pruned, model, "prune", **done, packing=["sparse"])


def _shares(sparsity: float, rounds: int) -> list[float]:
    """Return the sparsity after each round, where each round leaves the same share of what the last one left."""
    rounds = check_count("rounds", rounds)
    return [1 - (1 - sparsity) ** (i / rounds) for i in range(1, rounds + 1)]


def _gradually(
    model: Any, X: Any, y: Any, sparsity: float, scope: Scope, epochs: int, taught: Any, training: dict[str, Any]
) -> Any:
    """Train while weights go, then with the zeros that there are: the best epoch is one of the second part."""
    grow = joined(taught_by(model, taught, X), ZerosGrow(sparsity, epochs, scope=scope).beside)
    # no part is held out while zeros grow: the best epoch would be one before they did
    part: dict[str, Any] = {"schedule": "constant", **training, "validation_fraction": 0.0}
    grown = train_further(model, X, y, beside=grow, epochs=epochs, **part)
    stay = ZerosStay(magnitude_masks(prunable(grown.network_), sparsity, scope=scope))
    beside = joined(taught_by(model, taught, X), stay.beside)
    return train_further(grown, X, y, beside=beside, epochs=max(1, epochs // 2), **training)


def _rewound(model: Any, X: Any, y: Any, beside: Any, training: dict[str, Any]) -> Any:
    """Train what stays from its first values: a fit of the same seed, in which the others are zero from the start."""
    ticket: Any = clone(model)
    ticket.set_params(**training).fit(X, y, beside=beside)
    for name in training:
        setattr(ticket, name, getattr(model, name))
    return ticket
