"""An LSTM over windows of a series."""

from benchmarks.workloads._series import forecasting

WORKLOAD = forecasting("lstm", "LSTM of 64 units", {"darts": 1.9, "neuralforecast": 1.9})
