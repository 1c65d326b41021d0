"""ONNX Runtime on a graph of Gemm, Relu and Softmax, two threads."""

import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from benchmarks.contenders.harness import contend_to_predict


def graph(arrays, n_layers):
    """Return the model as bytes."""
    nodes, weights, last = [], [], "X"
    for i in range(n_layers):
        weights += [numpy_helper.from_array(arrays[f"{kind}{i}"], f"{kind}{i}") for kind in "Wb"]
        nodes.append(helper.make_node("Gemm", [last, f"W{i}", f"b{i}"], [f"s{i}"]))
        last = f"s{i}"
        if i < n_layers - 1:
            nodes.append(helper.make_node("Relu", [last], [f"h{i}"]))
            last = f"h{i}"
    nodes.append(helper.make_node("Softmax", [last], ["probabilities"], axis=1))
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width])
        for name, width in (("X", 784), ("probabilities", 10))
    ]
    made = helper.make_graph(nodes, "mlp", ends[:1], ends[1:], weights)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def prepare(job, arrays):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(
        graph(arrays, len(job.hidden) + 1), options, providers=["CPUExecutionProvider"]
    )
    return lambda rows: session.run(None, {"X": rows})[0]


if __name__ == "__main__":
    contend_to_predict(prepare, ["onnxruntime", "onnx", "numpy"])
