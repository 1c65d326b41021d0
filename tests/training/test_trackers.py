"""What TensorBoard and MLflow were told is what the history holds."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from ganglion.algorithms.mlp import MLPRegressor
from ganglion.errors import MissingExtra
from ganglion.training.trackers import MLflow, TensorBoard

X = np.linspace(-1, 1, 40)[:, None]
Y = X[:, 0] ** 2


@pytest.mark.filterwarnings("ignore")  # theirs, not ours
def test_tensorboard_holds_every_loss(tmp_path):
    model = MLPRegressor(hidden=(4,), epochs=5, random_state=0).fit(X, Y, callbacks=[TensorBoard(tmp_path)])
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path))
    events.Reload()
    seen = [(event.step, event.value) for event in events.Scalars("loss")]
    assert seen == [(row["step"], pytest.approx(row["loss"], rel=1e-6)) for row in model.history_.rows]


@pytest.mark.filterwarnings("ignore")
def test_mlflow_holds_every_loss(tmp_path, monkeypatch):
    import mlflow

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri(f"file://{tmp_path}")
    mlflow.set_experiment("losses")
    try:
        model = MLPRegressor(hidden=(4,), epochs=5, random_state=0).fit(X, Y, callbacks=[MLflow(purpose="test")])
        run = mlflow.active_run().info.run_id
        seen = mlflow.MlflowClient().get_metric_history(run, "loss")
        assert [each.value for each in seen] == model.history_["loss"]
    finally:
        mlflow.end_run()


@pytest.mark.parametrize(("tracker", "package"), [(lambda: TensorBoard("x"), "tensorboard"), (MLflow, "mlflow")])
def test_a_missing_library_is_named_with_the_line_that_installs_it(tracker, package, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=rf'{package}.*pip install "ganglion\[track\]"'):
        tracker()
