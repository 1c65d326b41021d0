"""One row at a time: what a request to a server costs."""

from benchmarks.workloads._predict import prediction

WORKLOAD = prediction(rows=1, calls=3000, targets={"scikit-learn": 1.0}, limits=("onnxruntime", "torch eager, bf16"))
