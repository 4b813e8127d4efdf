#!/usr/bin/env python3
"""Checks an ONNX file and writes its inputs and outputs, with their shapes, for readers without onnx.

    onnx_ports.py FILE.onnx FILE.json
"""

import json
import pathlib
import sys

import onnx


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    model = onnx.load(sys.argv[1])
    onnx.checker.check_model(model, full_check=True)

    def shape(port):
        return [dim.dim_value for dim in port.type.tensor_type.shape.dim][1:]

    graph = model.graph
    facts = {"inputs": [port.name for port in graph.input], "outputs": [port.name for port in graph.output],
             "input_shapes": [shape(port) for port in graph.input],
             "output_shapes": [shape(port) for port in graph.output]}
    pathlib.Path(sys.argv[2]).write_text(json.dumps(facts), encoding="utf-8")


if __name__ == "__main__":
    main()
