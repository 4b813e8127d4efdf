"""A PyTorch module that computes the graph in a folder: nodes.json and weights.npz, as onnx_graph.py writes them."""

import json

import numpy as np
import torch
import torch.nn.functional as F


class TorchGraph(torch.nn.Module):
    def __init__(self, folder, trainable=False):
        super().__init__()
        with open(f"{folder}/nodes.json", encoding="utf-8") as file:
            graph = json.load(file)
        self.nodes, self.inputs, self.outputs = graph["nodes"], graph["inputs"], graph["outputs"]
        weights = np.load(f"{folder}/weights.npz")
        self.weight_names = {}
        for index, name in enumerate(weights.files):
            self.weight_names[name] = f"weight_{index}"
            values = torch.from_numpy(weights[name])
            if trainable:
                setattr(self, f"weight_{index}", torch.nn.Parameter(values))
            else:
                self.register_buffer(f"weight_{index}", values)

    def forward(self, *inputs):
        values = dict(zip(self.inputs, inputs))
        for name, buffer in self.weight_names.items():
            values[name] = getattr(self, buffer)
        for node in self.nodes:
            arguments = [values[name] for name in node["inputs"] if name]
            values[node["output"]] = compute(node["operator"], arguments, node["attributes"])
        return tuple(values[name] for name in self.outputs)


def symmetric(pads):
    """Padding of both sides at once, and what the ends need beyond it."""
    top, left, bottom, right = pads
    return (top, left), (bottom - top, right - left)


def compute(operator, arguments, attributes):
    """One ONNX operation."""
    first = arguments[0]
    if operator == "Conv":
        bias = arguments[2] if len(arguments) > 2 else None
        return F.conv2d(first, arguments[1], bias, attributes["strides"], symmetric(attributes["pads"])[0],
                        attributes["dilations"], attributes["group"])
    if operator == "ConvTranspose":
        bias = arguments[2] if len(arguments) > 2 else None
        return F.conv_transpose2d(first, arguments[1], bias, attributes["strides"], symmetric(attributes["pads"])[0],
                                  attributes["output_padding"])
    if operator in ("MaxPool", "AveragePool"):
        padding, more = symmetric(attributes["pads"])
        ceil = any(extra > 0 for extra in more)
        if operator == "MaxPool":
            return F.max_pool2d(first, attributes["kernel_shape"], attributes["strides"], padding, ceil_mode=ceil)
        return F.avg_pool2d(first, attributes["kernel_shape"], attributes["strides"], padding, ceil_mode=ceil,
                            count_include_pad=False)
    if operator == "BatchNormalization":
        return F.batch_norm(first, arguments[3], arguments[4], arguments[1], arguments[2], False, 0.0,
                            attributes["epsilon"])
    if operator == "Resize":
        mode = "bilinear" if attributes["mode"] == "linear" else "nearest"
        size = [int(first.shape[-2] * arguments[1][2]), int(first.shape[-1] * arguments[1][3])]
        return F.interpolate(first, size, mode=mode, **({"align_corners": False} if mode == "bilinear" else {}))
    return {
        "Relu": lambda: F.relu(first),
        "LeakyRelu": lambda: F.leaky_relu(first, attributes["alpha"]),
        "PRelu": lambda: F.prelu(first, arguments[1].reshape(-1)),
        "Sigmoid": lambda: torch.sigmoid(first),
        "HardSwish": lambda: F.hardswish(first),
        "Softmax": lambda: F.softmax(first, 1),
        "GlobalAveragePool": lambda: F.adaptive_avg_pool2d(first, 1),
        "Concat": lambda: torch.cat(arguments, 1),
        "Add": lambda: first + arguments[1],
        "Sum": lambda: sum(arguments[1:], first),
        "Mul": lambda: first * arguments[1],
        "Identity": lambda: first,
    }[operator]()
