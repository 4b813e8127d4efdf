#!/usr/bin/env python3
"""A trained network begun again with more channels: it computes what the narrow one does, and goes on learning.

    posemachine summary --description WIDE.json >wide_graph.json
    widen.py NARROW.safetensors wide_graph.json wide.safetensors
    posemachine train WIDE.json --init wide.safetensors ...

Both have the same operations in the same order; the wide one has more channels. Channels that the narrow one has keep
their weights and read nothing of the new ones; new ones begin at random, as the network says (Chen et al. 2016, Net2Net).
Maps stay as they are. Needs torch and numpy, for posemachine_torch.
"""

import argparse
import json

import numpy as np
import posemachine_torch as pt


def channel_counts(graph):
    """Channels of every value; value i is what node i computes."""
    counts = []
    for node in graph["nodes"]:
        inputs = [counts[value] for value in node["inputs"]]
        fixed = {"input": "channels", "convolution": "out", "transposed_convolution": "out"}.get(node["op"])
        counts.append(node["options"][fixed] if fixed else sum(inputs) if node["op"] == "concat" else inputs[0])
    return counts


class ChannelMaps:
    """Which channel of the narrow network each channel of the wide one is; -1: a new one. Values that are added to, or
    computed cell by cell from, each other have one map."""

    def __init__(self, narrow, wide):
        self.nodes = wide["nodes"]
        self.narrow, self.wide = channel_counts(narrow), channel_counts(wide)
        self.root = list(range(len(self.nodes)))
        self.concats = [number for number, node in enumerate(self.nodes) if node["op"] == "concat"]
        for number, node in enumerate(self.nodes):
            if node["op"] not in ("input", "convolution", "transposed_convolution", "concat"):
                for value in node["inputs"]:
                    self.root[self._find(value)] = self._find(number)
        self.maps = {}
        for number in self.concats:
            self.of(number)

    def of(self, value):
        root = self._find(value)
        if root not in self.maps:
            self._decide(root, value)
        return self.maps[root]

    def _find(self, value):
        while self.root[value] != value:
            value = self.root[value]
        return value

    def _decide(self, root, value):
        concats = [number for number in self.concats if self._find(number) == root]
        if not concats:
            self.maps[root] = [*range(self.narrow[value]), *[-1] * (self.wide[value] - self.narrow[value])]
            return
        # The concat whose parts are decided by others says where the old channels are; the others follow.
        free = {self._find(number) for number in range(len(self.nodes))} - {self._find(each) for each in self.concats}
        concats.sort(key=lambda number: sum(self._find(part) in free for part in self.nodes[number]["inputs"]))
        whole, first = [], 0
        for part in self.nodes[concats[0]]["inputs"]:
            whole += [channel + first if channel >= 0 else -1 for channel in self.of(part)]
            first += self.narrow[part]
        self.maps[root] = whole
        for number in concats[1:]:
            first = begin = 0
            for part in self.nodes[number]["inputs"]:
                own = [channel - first if channel >= 0 else -1 for channel in whole[begin:begin + self.wide[part]]]
                if sorted(each for each in own if each >= 0) != list(range(self.narrow[part])) or (
                        self.maps.setdefault(self._find(part), own) != own):
                    raise SystemExit(f"widen: nodes {concats[0]} and {number} cannot have their channels in one order")
                first += self.narrow[part]
                begin += self.wide[part]


def first_values(parameter, random):
    shape, fan_in = parameter["shape"], parameter["fan_in"]
    constants = {"zeros": 0.0, "ones": 1.0, "quarters": 0.25}
    if parameter["init"] in constants:
        return np.full(shape, constants[parameter["init"]], np.float32)
    if parameter["init"] == "fan_in_uniform":
        return (random.uniform(-1, 1, shape) / np.sqrt(fan_in)).astype(np.float32)
    deviation = {"he_normal": np.sqrt(2 / fan_in), "lecun_normal": np.sqrt(1 / fan_in), "near_zero": 0.001}
    return random.normal(0, deviation[parameter["init"]], shape).astype(np.float32)


def widen(metadata, tensors, wide):
    """The tensors of the wide graph, by name, in its order."""
    narrow = json.loads(metadata["posemachine.graph"])
    if [(node["op"], node["inputs"]) for node in narrow["nodes"]] != [
            (node["op"], node["inputs"]) for node in wide["nodes"]]:
        raise SystemExit("widen: expected a network of the same operations in the same order")
    maps, random, widened = ChannelMaps(narrow, wide), np.random.default_rng(1), {}
    for number, node in enumerate(wide["nodes"]):
        outs = np.array(maps.of(number))
        for which in node["parameters"]:
            parameter = wide["parameters"][which]
            old, values = tensors[parameter["name"]], first_values(parameter, random)
            if values.ndim == 1:
                values[outs >= 0] = old[outs[outs >= 0]]
            elif node["options"].get("groups", 1) == 1:
                ins = np.array(maps.of(node["inputs"][0]))
                values[outs >= 0] = 0  # old channels read nothing of new ones
                values[np.ix_(outs >= 0, ins >= 0)] = old[np.ix_(outs[outs >= 0], ins[ins >= 0])]
            else:
                raise SystemExit(f"widen: node {number} is a convolution in groups, which is not done yet")
            widened[parameter["name"]] = values
    return {each["name"]: widened[each["name"]] for each in wide["parameters"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("narrow", help="a model file")
    parser.add_argument("wide", help="what summary --description says of the wide network")
    parser.add_argument("out", help="the model file to write")
    arguments = parser.parse_args()
    metadata, tensors = pt.read_safetensors(arguments.narrow)
    with open(arguments.wide, encoding="utf-8") as file:
        description = json.load(file)
    widened = widen(metadata, tensors, description["graph"])
    metadata["posemachine.graph"] = pt.dump_json(description["graph"])
    metadata["posemachine.network"] = description["network"]
    pt.write_safetensors(arguments.out, widened, metadata)


if __name__ == "__main__":
    main()
