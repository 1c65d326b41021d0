"""Batches of 1,024 rows: what scoring a file costs."""

from benchmarks.workloads._predict import prediction

WORKLOAD = prediction(rows=1024, calls=300, targets={"onnxruntime": 1.0}, limits=("torch eager, bf16",))
