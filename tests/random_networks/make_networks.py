#!/usr/bin/env python3
"""Writes a header of random networks, each as C++ types and as the JSON of a network file: a function of the seeds.

Channels and strides are kept while a network grows, so that every rule of the library holds.
"""

import argparse
import json
import random


class Grower:
    """One network. Layers are pairs: the text of a type, and what the file says."""

    def __init__(self, seed):
        self.draw = random.Random(seed)
        self.seed = seed
        self.channels = 3
        self.stride = 1
        self.structs = []   # text of the blocks' types, in order
        self.blocks = {}    # of the file
        self.tags = []      # (name, channels, stride)
        self.shared = 0

    def chance(self, percent):
        return self.draw.randrange(100) < percent

    def norm(self):
        batch = self.chance(50)
        return ("Norm::batch", "batch") if batch else ("Norm::none", "none")

    def out(self):
        return self.draw.choice([4, 6, 8, 12, 16])

    def reduced(self):
        return self.draw.choice([d for d in (1, 2, 3, 4) if self.channels % d == 0])

    # Layers that keep channels and stride: any may stand beside src in a sum.
    def same(self):
        c = self.channels
        cpp, norm = self.norm()
        return self.draw.choice([
            ("ReLU", "ReLU"), ("Sigmoid", "Sigmoid"), ("SiLU", {"SiLU": {}}), ("HardSwish", "HardSwish"),
            ("PReLU", "PReLU"), ("Softmax", "Softmax"), ("BatchNorm<>", "BatchNorm"),
            ("LeakyReLU<LeakyReluOptions{.slope_millionths = 70000}>", {"LeakyReLU": 70000}),
            ("Dropout<Percent{30}>", {"Dropout": {"percent": 30}}),
            (f"Conv<{c}, 3>", {"Conv": {"out": c, "kernel": 3}}),
            (f"Conv<{c}, 3, ConvolutionOptions{{.dilation = 2, .bias = false}}>",
             {"Conv": {"out": c, "kernel": 3, "dilation": 2, "bias": False}}),
            ("DepthwiseConv<5>", {"DepthwiseConv": 5}),
            (f"SEGate<{(r := self.reduced())}>", {"SEGate": r}),
            (f"ResidualBlock<{c}, ResidualOptions{{.norm = {cpp}}}>", {"ResidualBlock": {"out": c, "norm": norm}}),
            (f"InvertedResidual<{c}, SeparableOptions{{.expansion = 2, .norm = {cpp}}}>",
             {"InvertedResidual": {"out": c, "expansion": 2, "norm": norm}}),
            (f"Bottleneck<{c}, ResidualOptions{{.reduction = {r}}}>", {"Bottleneck": {"out": c, "reduction": r}}),
        ])

    def other(self):
        """A layer with other channels or another stride."""
        cpp, norm = self.norm()
        out = self.out()
        kind = self.draw.randrange(11)
        if kind == 0 and self.stride < 8:
            self.stride *= 2
            return "MaxPool<2>", {"MaxPool": 2}
        if kind == 1 and self.stride < 8:
            self.stride *= 2
            self.channels *= 2
            return f"PyramidStack<PyramidOptions{{.norm = {cpp}}}>", {"PyramidStack": {"norm": norm}}
        if kind == 2 and self.stride > 1:
            self.stride //= 2
            return self.draw.choice([("Upsample<2>", "Upsample"), ("UpsampleBilinear<2>", {"UpsampleBilinear": 2})])
        if kind == 3 and self.stride > 1:
            self.stride //= 2
            self.channels = out
            return f"TransposedConv<{out}, 4>", {"TransposedConv": {"out": out, "kernel": 4}}
        if kind == 4 and self.stride < 8:
            self.stride *= 2
            self.channels = out
            return (f"SeparableConv<{out}, SeparableOptions{{.stride = 2, .norm = {cpp}}}>",
                    {"SeparableConv": {"out": out, "stride": 2, "norm": norm}})
        if kind == 5 and self.channels <= 64:
            rates = self.draw.choice([[1, 2], [1, 3, 4], [2]])
            self.channels += 5 * len(rates)
            return (f"DilationModule<{', '.join(map(str, rates))}, Width{{5, {cpp}}}>",
                    {"DilationModule": {"rates": rates, "width": 5, "norm": norm}})
        if kind == 6:
            expand = self.draw.choice([3, 8])
            self.channels = 4 * expand
            return (f"FireModule<FireOptions{{.squeeze = 7, .expand = {expand}, .norm = {cpp}}}>",
                    {"FireModule": {"squeeze": 7, "expand": expand, "norm": norm}})
        if kind == 7:
            groups = self.reduced()
            self.channels = groups * self.draw.choice([2, 5])
            return (f"Conv<{self.channels}, 1, ConvolutionOptions{{.init = Init::lecun_normal, .groups = {groups}}}>",
                    {"Conv": {"out": self.channels, "kernel": 1, "init": "lecun_normal", "groups": groups}})
        self.channels = out
        return f"ConvReLU<{out}, 3, {cpp}>", {"ConvReLU": {"out": out, "kernel": 3, "norm": norm}}

    def nested(self, depth):
        """A layer made of layers."""
        before = (self.channels, self.stride)
        kind = self.draw.randrange(10)
        if kind == 0:
            cpp, said = self.same()
            times = self.draw.randrange(4)
            return f"Repeat<{times}, {cpp}>", {"Repeat": {"times": times, "layers": [said]}}
        if kind == 1:
            cpp, said = self.sequence(depth)
            name = f"part{self.draw.randrange(3)}"
            return f'Named<"{name}", {cpp}>', {"Named": {"name": name, "layers": said}}
        if kind == 2:
            cpp, said = self.same()
            self.shared += 1
            name = f"shared{self.shared}"
            use = f'Shared<"{name}", {cpp}>'
            return f"Sequential<{use}, ReLU, {use}>", [{"Shared": {"name": name, "layers": said}}, "ReLU",
                                                       {"Shared": {"name": name, "layers": [said]}}]
        if kind == 3:
            cpp, said = self.sequence(depth)
            return f"Frozen<{cpp}>", {"Frozen": said}
        if kind == 4:
            cpp, said = self.same()
            return f"Residual<{cpp}>", {"Residual": said if isinstance(said, str) else {"body": said}}
        if kind == 5 and self.stride <= 4:
            cpp, said = self.same()
            levels = self.draw.randrange(1, 4)
            return f"Hourglass<{levels}, {cpp}>", {"Hourglass": {"depth": levels, "block": said}}
        if kind == 6:
            branches = [("Identity", "Identity"), self.same(), self.same()]
            self.draw.shuffle(branches)
            return f"Add<{', '.join(cpp for cpp, _ in branches)}>", {"Add": [said for _, said in branches]}
        if kind == 7 and self.channels <= 48:
            self.channels *= 2
            cpp, said = ("Identity", "Identity")
            self.channels //= 2
            other_cpp, other_said = self.same()
            self.channels *= 2
            return f"Concat<{cpp}, {other_cpp}>", {"Concat": [said, [other_said]]}
        if kind == 8 and self.tags:
            name, channels, stride = self.draw.choice(self.tags)
            if stride == self.stride:
                self.channels += channels
                return f'Concat<Identity, From<"{name}">>', {"Concat": ["Identity", {"From": name}]}
            self.channels, self.stride = channels, stride
            return f'From<"{name}">', {"From": {"name": name}}
        self.channels, self.stride = before
        cpp, said = self.sequence(depth)
        name = f"Block{self.seed}_{len(self.structs)}"
        self.structs.append(f"struct {name} : {cpp} {{}};")
        self.blocks[name] = said
        return name, name if self.chance(50) else {name: {}}

    def layer(self, depth):
        if depth > 0 and self.chance(35):
            return self.nested(depth - 1)
        return self.same() if self.chance(50) else self.other()

    def sequence(self, depth):
        layers = [self.layer(depth) for _ in range(self.draw.randrange(1, 4))]
        return f"Sequential<{', '.join(cpp for cpp, _ in layers)}>", [said for _, said in layers]

    def network(self):
        cpp = ['Input<"image", 3>']
        said = [{"Input": {"name": "image", "channels": 3}}]
        for step in range(self.draw.randrange(6, 14)):
            layer = self.layer(2)
            cpp.append(layer[0])
            said.append(layer[1])
            if self.chance(25):
                name = f"tag{step}"
                self.tags.append((name, self.channels, self.stride))
                cpp.append(f'Tag<"{name}">')
                said.append({"Tag": name})
            if self.chance(15):
                cpp.append('Sequential<Retag<"here">, Conv<15, 1>, Output<"heatmaps">, From<"here">>')
                said.append([{"Retag": "here"}, {"Conv": {"out": 15, "kernel": 1}}, {"Output": "heatmaps"},
                             {"From": "here"}])
        cpp += ["Conv<15, 1>", 'Output<"heatmaps">']
        said += [{"Conv": {"out": 15, "kernel": 1}}, {"Output": {"name": "heatmaps"}}]
        name = f"Random{self.seed}"
        self.structs.append(f"struct {name} : Network<{', '.join(cpp)}> {{}};")
        file = {"network": name, "blocks": self.blocks, "layers": said,
                "meaning": {"input_height": 128, "input_width": 192}}
        return name, "\n".join(self.structs), file


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("output")
    arguments = parser.parse_args()
    text = ("// Made by make_networks.py.\n#pragma once\n\n#include <posemachine/compose.hpp>\n\n#include <array>\n\n"
            "namespace random_networks {\n\nusing namespace posemachine;\n\n")
    entries = []
    for seed in range(1, arguments.count + 1):
        name, types, file = Grower(seed).network()
        text += types + "\n\n"
        entries.append(f'    Pair{{"{name}", [] {{ return graph_of<{name}>(); }}, parameter_count<{name}>, R"json({json.dumps(file)})json"}},')
    text += ("struct Pair {\n  const char* name;\n  Graph (*type)();\n  long long parameters;  // counted at compile time\n"
             "  const char* file;\n};\n\ninline constexpr std::array pairs{\n" + "\n".join(entries) + "\n};\n\n"
             "}  // namespace random_networks\n")
    with open(arguments.output, "w", encoding="utf-8") as output:
        output.write(text)


if __name__ == "__main__":
    main()
