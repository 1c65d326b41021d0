"""What the workloads of multi-layer perceptrons share: the contenders, and data written out once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.workloads import Contender

TABLE_CONTENDERS: Mapping[str, Contender] = {
    "ganglion": Contender("mlp.ganglion"),
    "scikit-learn": Contender("mlp.scikit_learn"),
    "skorch": Contender("mlp.skorch", "skorch"),
}
TABLE_TARGETS: Mapping[str, float] = {"scikit-learn": 1.0, "skorch": 2.0}


def table_job(n_train: int, epochs: int) -> dict[str, object]:
    """Return the settings of one hidden layer of 100, as scikit-learn has them by default."""
    return {"hidden": [100], "learning_rate": 1e-3, "batch_size": min(200, n_train), "epochs": epochs}


def written(folder: Path, X_train, y_train, X_test, y_test) -> dict[str, str]:
    """Write float32 rows and int64 labels to one file that every contender reads; return where."""
    import numpy as np

    path = folder / "data.npz"
    np.savez(
        path,
        X_train=np.ascontiguousarray(X_train, dtype=np.float32),
        y_train=np.asarray(y_train, dtype=np.int64),
        X_test=np.ascontiguousarray(X_test, dtype=np.float32),
        y_test=np.asarray(y_test, dtype=np.int64),
    )
    return {"data": str(path)}


def standardised(folder: Path, X, y) -> dict[str, str]:
    """Split a table in three quarters and one, scale it by its training part, and write it."""
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)
    scaler = StandardScaler().fit(X_train)
    return written(folder, scaler.transform(X_train), y_train, scaler.transform(X_test), y_test)
