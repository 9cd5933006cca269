"""ONNX Runtime's and PyTorch's side of the inference benchmark: one picture through a network in f32.

    python inference.py     serve: one request a line on stdin, one JSON line a request on stdout

A request is `ENGINE THREADS RUNS MODEL NETWORK`: `onnxruntime` or `torch`, a safetensors file, and a description such as
assets/networks/efficientnet-lite0.toml (what it uses of the format). The reply is {"ms": [..], "output": ..}, a time a run and
the largest output for x[i] = sin(0.1 i), or {"error": ..}. Batch normalisation is folded for both; PyTorch has channels-last
convolutions. Not timed: three runs of each request. Needs numpy, and onnx and onnxruntime, or torch.
"""

import json
import struct
import sys
import time
import tomllib
from functools import cache

import numpy as np


def tensors(path):
    data = open(path, "rb").read()
    end = 8 + struct.unpack("<Q", data[:8])[0]
    header = {k: v for k, v in json.loads(data[8:end]).items() if k != "__metadata__" and v["dtype"] == "F32"}
    cut = lambda at: np.frombuffer(data[end + at[0] : end + at[1]], "<f4")  # noqa: E731
    return {k: cut(v["data_offsets"]).reshape(v["shape"]) for k, v in header.items()}


def folded(layers, values):
    out = []
    for layer in layers:
        layer, name = dict(layer), layer.get("name")
        if layer["kind"] == "batch-norm":
            gamma, beta, mean, variance = (
                values[f"{name}.{k}"] for k in ("weight", "bias", "running_mean", "running_var")
            )
            scale = gamma / np.sqrt(variance + np.float32(layer["eps"]))
            out[-1]["weight"] = out[-1]["weight"] * scale[:, None, None, None]
            out[-1]["bias"] = beta - mean * scale
            continue
        if layer["kind"] in ("convolution", "linear"):
            layer |= {k: values[f"{name}.{k}"] for k in ("weight", "bias") if f"{name}.{k}" in values}
        if "body" in layer:
            layer["body"] = folded(layer["body"], values)
        out.append(layer)
    return out


def onnxruntime_engine(layers, threads, shape):
    import onnx
    import onnxruntime
    from onnx import helper, numpy_helper

    nodes, constants = [], []

    def constant(value):
        constants.append(numpy_helper.from_array(np.ascontiguousarray(value), f"c{len(constants)}"))
        return constants[-1].name

    def node(kind, *inputs, **options):
        nodes.append(helper.make_node(kind, inputs, [f"t{len(nodes)}"], **options))
        return nodes[-1].output[0]

    low, high = constant(np.float32(0)), constant(np.float32(6))

    def through(layers, x):
        for layer in layers:
            match layer["kind"]:
                case "convolution":
                    stride, weight = layer.get("stride", 1), layer["weight"]
                    x = node(
                        "Conv",
                        x,
                        constant(weight),
                        constant(layer["bias"]),
                        kernel_shape=weight.shape[2:],
                        strides=[stride, stride],
                        group=layer.get("groups", 1),
                        auto_pad="SAME_UPPER",
                    )
                case "relu6":
                    x = node("Clip", x, low, high)
                case "residual":
                    x = node("Add", through(layer["body"], x), x)
                case "global-average-pool":
                    x = node("Flatten", node("GlobalAveragePool", x))
                case "linear":
                    x = node("Gemm", x, constant(layer["weight"]), constant(layer["bias"]), transB=1)
        return x

    last = through(layers, "x")
    value = lambda name, shape: helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)  # noqa: E731
    graph = helper.make_graph(nodes, "network", [value("x", [1, *shape])], [value(last, [1, 1000])], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda x: session.run(None, {"x": x})[0]


def torch_engine(layers, threads, shape):
    import torch
    import torch.nn.functional as F

    def tensor(value):
        value = torch.tensor(value)
        return value.contiguous(memory_format=torch.channels_last) if value.dim() == 4 else value

    def ready(layers):
        made = [{k: tensor(v) if isinstance(v, np.ndarray) else v for k, v in layer.items()} for layer in layers]
        return [layer | {"body": ready(layer["body"])} if "body" in layer else layer for layer in made]

    def through(layers, x):
        for layer in layers:
            match layer["kind"]:
                case "convolution":
                    stride, k, size = layer.get("stride", 1), layer["kernel"], x.shape[-1]
                    total = max((-(-size // stride) - 1) * stride + k - size, 0)
                    if total % 2:
                        x = F.pad(x, (total // 2, total - total // 2) * 2)
                    padding = 0 if total % 2 else total // 2
                    x = F.conv2d(x, layer["weight"], layer["bias"], stride, padding, 1, layer.get("groups", 1))
                case "relu6":
                    x = F.relu6(x, inplace=True)
                case "residual":
                    x = through(layer["body"], x) + x
                case "global-average-pool":
                    x = x.mean((2, 3))
                case "linear":
                    x = F.linear(x, layer["weight"], layer["bias"])
        return x

    layers = ready(layers)

    def run(x):
        torch.set_num_threads(threads)
        with torch.inference_mode():
            x = torch.from_numpy(x).contiguous(memory_format=torch.channels_last)
            return through(layers, x).numpy()

    return run


@cache
def engine(kind, threads, model, network):
    network = tomllib.load(open(network, "rb"))
    make = {"onnxruntime": onnxruntime_engine, "torch": torch_engine}[kind]
    shape = network["picture"]
    inputs = np.sin(0.1 * np.arange(np.prod(shape))).astype(np.float32).reshape(1, *shape)
    return make(folded(network["layers"], tensors(model)), threads, shape), inputs


def main():
    for line in iter(sys.stdin.readline, ""):
        try:
            kind, threads, runs, model, network = line.split()
            run, inputs = engine(kind, int(threads), model, network)
            times = []
            for _ in range(3 + int(runs)):
                started = time.perf_counter()
                outputs = run(inputs)
                times.append(1e3 * (time.perf_counter() - started))
            reply = {"ms": times[3:], "output": float(outputs.max())}
        except (ImportError, KeyError, OSError, RuntimeError, ValueError) as error:
            reply = {"error": f"request {line.strip()!r}: {error!r}"}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
