#!/usr/bin/env python3
"""Checks an ONNX file and writes its graph for readers without onnx: FOLDER/nodes.json and FOLDER/weights.npz.

    onnx_graph.py FILE.onnx FOLDER
"""

import json
import pathlib
import sys

import numpy as np
import onnx
from onnx import numpy_helper


def plain(attribute):
    value = onnx.helper.get_attribute_value(attribute)
    return value.decode() if isinstance(value, bytes) else list(value) if hasattr(value, "__len__") else value


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    model = onnx.load(sys.argv[1])
    onnx.checker.check_model(model, full_check=True)
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    graph = model.graph

    def shape(port):
        return [dim.dim_value for dim in port.type.tensor_type.shape.dim][1:]

    nodes = [{"operator": node.op_type, "inputs": list(node.input), "output": node.output[0],
              "attributes": {each.name: plain(each) for each in node.attribute}} for node in graph.node]
    facts = {"nodes": nodes, "inputs": [port.name for port in graph.input],
             "outputs": [port.name for port in graph.output], "input_shapes": [shape(port) for port in graph.input],
             "output_shapes": [shape(port) for port in graph.output]}
    (folder / "nodes.json").write_text(json.dumps(facts), encoding="utf-8")
    np.savez(folder / "weights.npz", **{tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer})


if __name__ == "__main__":
    main()
