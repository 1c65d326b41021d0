"""An LSTM over windows of a series."""

from benchmarks.workloads._series import forecasting

WORKLOAD = forecasting("lstm", "LSTM of 32 units", {"darts": 1.9, "neuralforecast": 1.9})
