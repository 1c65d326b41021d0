"""DLinear: a step is so little work that all around it counts."""

from benchmarks.workloads._series import forecasting

WORKLOAD = forecasting("linear", "DLinear, moving average 25", {"darts": 6.0, "neuralforecast": 6.0})
