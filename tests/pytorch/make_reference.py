#!/usr/bin/env python3
"""Writes what PyTorch computes for the library's networks: the files that pytorch_test.cpp checks ours against.

    python3 tests/pytorch/make_reference.py              rewrites all
    python3 tests/pytorch/make_reference.py --only cpm_3 rewrites cpm_3.safetensors
    python3 tests/pytorch/make_reference.py --margins N  how far each of N salts keeps ReLUs from 0 (see below)

Needs PyTorch and NumPy (Debian: python3-torch). Weights, images, targets and masks are not in the files: formula.hpp
and this script make the same ones from integers, without rounding. PyTorch computes in float64, so that the files hold
the true values and the test measures the rounding of one side only; how far PyTorch's float32 is from them is printed.

A ReLU whose argument is nearer to 0 than float32 can tell passes a gradient on one machine and stops it on another, and
one such unit changes its gradient by more than the test allows. Among 900,000 arguments some come that near in most
draws, so the salts below were chosen from many: the ones whose nearest argument is farthest away.
"""
import argparse
import json
import os
import struct

import numpy as np
import torch
import torch.nn.functional as F

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
SALT = {"scaling_dilation": 24, "scaling_dilation_small": 33, "cpm_3": 1, "cpm_6": 2,
        "stacked_hourglass_small": 3, "separable_residual": 4}
PARAMETERS, IMAGES, TARGETS, MAP_WEIGHTS, POSITIONS, SIGNS, CENTRES = range(1, 8)  # kinds of streams
SAMPLES = 24
STEPS = 20
SIZE = 64  # pixels, height and width
MAPS = 15


# ---- The formula: streams of core/random.hpp ----


def mix_bits(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def bits(salt, kind, index, count):
    """The first `count` draws of RandomStream(salt, Purpose::test, kind, index)."""
    state = 0
    for word in (salt, 5, kind, index, 0):
        state = mix_bits((state + GOLDEN + word) & MASK)
    with np.errstate(over="ignore"):
        z = np.uint64(state) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(GOLDEN)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def centred(draws):
    """-1 to 1, multiples of 2^-15."""
    return ((draws >> np.uint64(48)).astype(np.int64) - 32768).astype(np.float64) / 32768


def parameter_values(salt, index, name, shape, fan_in=None):
    values = centred(bits(salt, PARAMETERS, index, int(np.prod(shape)))).reshape(shape)
    kind = name.rsplit(".", 1)[1]
    if kind == "weights":  # a power of two near the sqrt(6 / fan-in) of He's uniform draw
        fan_in, k = fan_in or int(np.prod(shape[1:])), 0
        while 12 * 4**k <= fan_in:
            k += 1
        return values / 2**k
    if kind == "bias":
        return values / 8
    # Batch norms with a ReLU behind them amplify rounding 1.2 times a layer where half of the arguments are negative;
    # means of two deviations leave few negative, and 50 layers remain comparable.
    return {"scale": 0.5 + values / 8, "shift": 1 + values / 4, "mean": values / 4, "variance": 1 + values / 2}[kind]


def batch(salt, step, count, maps_size, size=SIZE):
    """images (N, 3, size, size), targets (N, 15, maps_size, maps_size) from 0 to 1, map weights (N, 15): 0 for about one
    in eight."""
    images = centred(bits(salt, IMAGES, step, count * 3 * size * size)).reshape(count, 3, size, size)
    targets = (bits(salt, TARGETS, step, count * MAPS * maps_size**2) >> np.uint64(48)).astype(np.float64) / 65536
    weights = (bits(salt, MAP_WEIGHTS, step, count * MAPS) % np.uint64(8) != 0).astype(np.float64)
    return images, targets.reshape(count, MAPS, maps_size, maps_size), weights.reshape(count, MAPS)


def centre_maps(salt, step, count, size):
    """(N, 1, size, size), 0 to 1."""
    draws = bits(salt, CENTRES, step, count * size * size) >> np.uint64(48)
    return draws.astype(np.float64).reshape(count, 1, size, size) / 65536


# ---- The networks of networks/*.hpp, with parameters in the order and by the names of our graph ----


class Network:
    def __init__(self, salt, dtype, norm=False):
        self.salt, self.dtype, self.norm = salt, dtype, norm
        self.training = True
        self.parameters = {}  # by name, in order of creation; filled by the first forward
        self.margin = None    # while measured: the nearest a ReLU's argument comes to 0, in its layer's deviations
        self._path, self._seen = [], {}

    # Names: the path of blocks, each with its ordinal among siblings of its name.
    def block(self, name):
        network = self

        class Block:
            def __enter__(self):
                parent = ".".join(network._path)
                key = (parent, name)
                network._seen[key] = network._seen.get(key, 0) + 1
                network._path.append(f"{name}_{network._seen[key]}")

            def __exit__(self, *_):
                network._path.pop()

        return Block()

    def parameter(self, name, shape, fan_in=None):
        full = ".".join(self._path + [name])
        if full not in self.parameters:
            values = parameter_values(self.salt, len(self.parameters), full, shape, fan_in)
            tensor = torch.tensor(values, dtype=self.dtype)
            tensor.requires_grad_(name not in ("mean", "variance"))
            self.parameters[full] = tensor
        return self.parameters[full]

    # Ops.
    def conv(self, src, out, kernel=1, stride=1, dilation=1, bias=True, groups=1):
        with self.block("Conv"):
            weights = self.parameter("weights", (out, src.shape[1] // groups, kernel, kernel))
            shift = self.parameter("bias", (out,)) if bias else None
            return F.conv2d(src, weights, shift, stride, dilation * (kernel - 1) // 2, dilation, groups)

    def batch_norm(self, src):
        with self.block("BatchNorm"):
            scale, shift, mean, variance = (
                self.parameter(name, (src.shape[1],)) for name in ("scale", "shift", "mean", "variance"))
            return F.batch_norm(src, mean, variance, scale, shift, self.training, 0.1, 1e-5)

    def relu(self, src):
        if self.margin is not None:
            self.margin = min(self.margin, float(src.abs().min() / src.std()))
        return F.relu(src)

    def conv_relu(self, src, out, **options):
        dst = self.conv(src, out, bias=not self.norm, **options)
        return self.relu(self.batch_norm(dst) if self.norm else dst)

    def max_pool(self, src):
        if self.margin is not None:  # the two largest of a window must not be near each other, unless both are 0
            n, c, h, w = src.shape
            windows = src.reshape(n, c, h // 2, 2, w // 2, 2).transpose(3, 4).reshape(n, c, h // 2, w // 2, 4)
            top = windows.topk(2, dim=-1).values
            gaps = (top[..., 0] - top[..., 1])[top[..., 0] > 0]
            self.margin = min(self.margin, float(gaps.min() / src.std()))
        return F.max_pool2d(src, 2)

    # Modules.
    def conv_norm(self, src, out, **options):
        return self.batch_norm(self.conv(src, out, bias=False, **options))

    def bottleneck(self, src, out, reduction):
        with self.block("Bottleneck"):
            hidden = self.conv_relu(self.conv_relu(src, out // reduction), out // reduction, kernel=3)
            learnt = self.conv_norm(hidden, out)
            return self.relu(learnt + (src if src.shape[1] == out else self.conv_norm(src, out)))

    def inverted_residual(self, src, out, stride=1, expansion=6):
        with self.block("InvertedResidual"):
            inner = src.shape[1] * expansion
            hidden = self.conv_relu(src, inner) if expansion > 1 else src
            hidden = self.conv_relu(hidden, inner, kernel=3, stride=stride, groups=inner)
            learnt = self.conv_norm(hidden, out)
            return learnt + src if src.shape[1] == out and stride == 1 else learnt

    def pyramid_stack(self, src):
        with self.block("PyramidStack"):
            return torch.cat([self.max_pool(src), self.conv_relu(src, src.shape[1], kernel=3, stride=2)], 1)

    def se_gate(self, src, reduction):
        with self.block("SEGate"):
            hidden = self.relu(self.conv(src.mean((2, 3), keepdim=True), src.shape[1] // reduction))
            return src * torch.sigmoid(self.conv(hidden, src.shape[1]))

    def fire(self, src):
        with self.block("Fire"):
            squeezed = self.conv_relu(src, 32)
            return torch.cat([self.conv_relu(squeezed, 32), self.conv_relu(squeezed, 32, kernel=3)], 1)

    def fire_module(self, src):
        with self.block("FireModule"):
            first = self.fire(src)
            return torch.cat([first, self.fire(first)], 1)

    def dilation_module(self, src):
        with self.block("DilationModule"):
            return torch.cat([src] + [self.conv_relu(src, 32, kernel=3, dilation=rate) for rate in (1, 2, 3, 4)], 1)

    def stage(self, name, src, high, low_gated):
        with self.block(name):
            for _ in range(3):
                src = self.fire_module(src)
            src = torch.cat([src, self.se_gate(high, self.high_reduction)], 1)
            src = torch.cat([self.fire_module(src), low_gated], 1)
            return self.conv(self.conv_relu(self.dilation_module(src), 128), MAPS)

    def __call__(self, *inputs):
        self._seen = {}
        return self.outputs(*inputs)


class ScalingDilation(Network):
    def __init__(self, salt, dtype, low, stages, high_reduction, norm):
        super().__init__(salt, dtype, norm)
        self.low, self.stages, self.high_reduction = low, stages, high_reduction

    def outputs(self, images):
        with self.block("PreStage"):
            low = high = self.conv_relu(images, self.low, kernel=3)
            for _ in range(3):
                high = self.pyramid_stack(high)
            low_gated = self.se_gate(F.avg_pool2d(low, 8), 4)
        outputs = [self.stage("FirstStage", high, high, low_gated)]
        for _ in range(self.stages - 1):
            outputs.append(self.stage("NextStage", torch.cat([high, outputs[-1]], 1), high, low_gated))
        return outputs


class CPM(Network):
    """Without dropout: off where networks are compared."""

    def __init__(self, salt, dtype, stages):
        super().__init__(salt, dtype)
        self.stages = stages

    def trunk(self, src):
        with self.block("CPMTrunk"):
            for _ in range(3):
                src = F.max_pool2d(self.conv_relu(src, 128, kernel=9), 3, 2, ceil_mode=True)
            return src

    def refinement(self, features, maps, centre):
        with self.block("CPMRefinement"):
            src = torch.cat([self.conv_relu(features, 32, kernel=5), maps, centre], 1)
            for _ in range(3):
                src = self.conv_relu(src, 128, kernel=11)
            return self.conv(self.conv_relu(src, 128), MAPS)

    def outputs(self, images, centres):
        centre = F.avg_pool2d(centres, 9, 8, ceil_mode=True, count_include_pad=False)
        with self.block("CPMFirstStage"):
            src = self.conv_relu(self.trunk(images), 32, kernel=5)
            src = self.conv_relu(self.conv_relu(src, 512, kernel=9), 512)
            maps = [self.conv(src, MAPS)]
        with self.block("CPMSecondStage"):
            features = self.trunk(images)
            maps.append(self.refinement(features, maps[-1], centre))
        for _ in range(self.stages - 2):
            with self.block("CPMNextStage"):
                maps.append(self.refinement(features, maps[-1], centre))
        return maps


class StackedHourglass(Network):
    def __init__(self, salt, dtype, width=64, depth=3, stacks=2):
        super().__init__(salt, dtype, norm=True)
        self.width, self.depth, self.stacks = width, depth, stacks

    def hourglass(self, src, depth):
        with self.block("Hourglass"):
            beside = self.bottleneck(src, self.width, 2)
            value = self.bottleneck(self.max_pool(src), self.width, 2)
            value = self.hourglass(value, depth - 1) if depth > 1 else self.bottleneck(value, self.width, 2)
            value = self.bottleneck(value, self.width, 2)
            return beside + F.interpolate(value, scale_factor=2, mode="nearest")

    def stack(self, src):
        with self.block("HourglassStack"):
            body = self.bottleneck(self.hourglass(src, self.depth), self.width, 2)
            body = self.conv_relu(body, self.width)
            return body, self.conv(body, MAPS)

    def outputs(self, images):
        with self.block("HourglassStem"):
            features = self.relu(self.conv_norm(images, self.width // 4, kernel=7, stride=2))
            features = self.max_pool(self.bottleneck(features, self.width // 2, 2))
            features = self.bottleneck(self.bottleneck(features, self.width // 2, 2), self.width, 2)
        body, maps = self.stack(features)
        found = [maps]
        for _ in range(self.stacks - 1):
            with self.block("NextHourglassStack"):
                features = features + self.conv(body, self.width) + self.conv(maps, self.width)
                body, maps = self.stack(features)
                found.append(maps)
        return found


class SeparableResidual(Network):
    def __init__(self, salt, dtype):
        super().__init__(salt, dtype, norm=True)

    def enlarge(self, src, out):
        with self.block("Enlarge"):
            with self.block("TransposedConv"):
                weights = self.parameter("weights", (out, src.shape[1], 4, 4), fan_in=src.shape[1] * 4)
            src = F.conv_transpose2d(src, weights.transpose(0, 1), None, 2, 1)
            return self.relu(self.batch_norm(src))

    def outputs(self, images):
        with self.block("SeparableTrunk"):
            src = self.relu(self.conv_norm(images, 16, kernel=3, stride=2))
            for out, stride, expansion, times in ((16, 1, 1, 1), (24, 2, 6, 1), (24, 1, 6, 1), (32, 2, 6, 1),
                                                  (32, 1, 6, 2), (64, 2, 6, 1), (64, 1, 6, 3), (96, 1, 6, 1)):
                for _ in range(times):
                    src = self.inverted_residual(src, out, stride, expansion)
        return [self.conv(self.enlarge(self.enlarge(src, 48), 48), MAPS)]


def make(name, dtype, salt=None):
    salt = SALT[name] if salt is None else salt
    if name == "scaling_dilation":
        return ScalingDilation(salt, dtype, low=32, stages=4, high_reduction=16, norm=False)
    if name == "scaling_dilation_small":
        return ScalingDilation(salt, dtype, low=16, stages=3, high_reduction=8, norm=True)
    if name == "stacked_hourglass_small":
        return StackedHourglass(salt, dtype)
    if name == "separable_residual":
        return SeparableResidual(salt, dtype)
    return CPM(salt, dtype, stages={"cpm_3": 3, "cpm_6": 6}[name])


def loss_of(network, step, count):
    drawn = batch(network.salt, step, count, SIZE // 8)
    images, targets, weights = (torch.tensor(values, dtype=network.dtype) for values in drawn)
    outputs = network(images)
    loss = sum((weights[:, :, None, None] * (maps - targets) ** 2).sum() for maps in outputs) / (2 * count)
    return loss, outputs


# ---- What is kept of tensors too large to keep ----


def positions(salt, index, size):
    """First, last and 22 others, repeated where a tensor is small."""
    drawn = (bits(salt, POSITIONS, index, SAMPLES - 2) % np.uint64(size)).astype(np.int64)
    return np.concatenate([[0, size - 1], drawn])


def samples(salt, tensors):
    """A row for each of the tensors, by parameter index."""
    return np.stack([t.reshape(-1)[positions(salt, p, t.size)] for p, t in tensors.items()])


def signed_sums(salt, index, values, count):
    """Sum of the values with random signs, for `count` draws of all signs: sign k is bit k of the element's draw."""
    drawn = bits(salt, SIGNS, index, values.size)
    flat = values.reshape(-1).astype(np.float64)
    sums = []
    for k in range(count):
        negative = ((drawn >> np.uint64(k)) & np.uint64(1)).astype(bool)
        sums.append(flat.sum() - 2 * flat[negative].sum())
    return np.array(sums)


def write(path, metadata, tensors):
    header, data = {"__metadata__": metadata}, b""
    for name, values in tensors.items():
        raw = np.ascontiguousarray(values, dtype="<f4").tobytes()
        offsets = [len(data), len(data) + len(raw)]
        header[name] = {"dtype": "F32", "shape": list(np.shape(values)), "data_offsets": offsets}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
    print(f"{path}: {os.path.getsize(path)} bytes")


def arrays(network):
    return [t.detach().numpy().astype(np.float64) for t in network.parameters.values()]


def gradient_arrays(network):
    """By index, of what is trained."""
    tensors = enumerate(network.parameters.values())
    return {p: t.grad.numpy().astype(np.float64) for p, t in tensors if t.requires_grad}


def gradients_of(name, dtype, count):
    network = make(name, dtype)
    loss, outputs = loss_of(network, 0, count)
    loss.backward()
    return network, float(loss), [o.detach().numpy() for o in outputs], gradient_arrays(network)


def largest_error(grads, grads32):
    return max(np.abs(g - grads32[p]).max() / np.abs(g).max() for p, g in grads.items())


def gradient_tensors(salt, grads):
    return {
        "gradient.largest": np.array([np.abs(g).max() for g in grads.values()]),
        "gradient.norm": np.array([np.linalg.norm(g) for g in grads.values()]),
        "gradient.samples": samples(salt, grads),
        "gradient.signed_sums": np.stack([signed_sums(salt, p, g, 32) for p, g in grads.items()]),
    }


def rmsprop(parameters, momentum):
    return torch.optim.RMSprop(parameters, lr=1e-6, alpha=0.99, eps=1e-8, weight_decay=5e-4, momentum=momentum)


# The rates keep 20 steps comparable in float32. RMSprop's first step is 10 rates long whatever the gradient, so that a
# gradient near 0 decides a sign; ten times these rates, and a ReLU that one side passes and the other stops leads to
# others, until the differences are a hundredth of the movement between PyTorch's own float32 and float64.
# AdamW and SGD decay far more than anyone trains with: beside these gradients a usual decay could be left out.
# RMSprop shows its own in the units that no gradient reaches.
OPTIMIZERS = {
    "rmsprop": lambda p: rmsprop(p, momentum=0),
    "rmsprop_momentum": lambda p: rmsprop(p, momentum=0.9),
    "adamw": lambda p: torch.optim.AdamW(p, lr=1e-5, betas=(0.9, 0.999), eps=1e-8, weight_decay=4),
    "sgd_momentum": lambda p: torch.optim.SGD(p, lr=1e-7, momentum=0.9, weight_decay=8),
}


def trained(kind, dtype, count):
    """The parameters before and after 20 steps, each on a batch of its own, and the losses on the way."""
    network = make("scaling_dilation", dtype)
    with torch.no_grad():
        loss_of(network, 0, count)
    before = arrays(network)
    optimizer = OPTIMIZERS[kind](list(network.parameters.values()))
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        loss, _ = loss_of(network, step, count)
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    return before, arrays(network), losses


def relative(a, b, scale):
    return np.sqrt(sum(((x - y) ** 2).sum() for x, y in zip(a, b))) / scale


def write_scaling_dilation(folder, count=2):
    name = "scaling_dilation"
    salt = SALT[name]
    network, loss, outputs, grads = gradients_of(name, torch.float64, count)
    _, _, outputs32, grads32 = gradients_of(name, torch.float32, count)
    print("outputs: deviation", [float(o.std()) for o in outputs], "float32 error",
          max(np.abs(a - b).max() for a, b in zip(outputs, outputs32)))
    print("gradients: float32 error / largest",
          largest_error(grads, grads32))
    tensors = {f"output_{i + 1}": o for i, o in enumerate(outputs)}
    tensors["loss"] = np.array([loss])
    tensors.update(gradient_tensors(salt, grads))
    for kind in OPTIMIZERS:
        before, after, losses = trained(kind, torch.float64, count)
        moved = [b - a for a, b in zip(before, after)]
        norm = np.sqrt(sum((m**2).sum() for m in moved))
        _, after32, _ = trained(kind, torch.float32, count)
        weight_norm = np.sqrt(sum((w**2).sum() for w in before))
        print(f"{kind}: losses {losses[0]:.4g} to {losses[-1]:.4g}, movement / weights {norm / weight_norm:.3g}, "
              f"float32 difference / movement {relative(after, after32, norm):.3g}")
        tensors[f"{kind}.losses"] = np.array(losses)
        tensors[f"{kind}.movement"] = np.array([norm])
        tensors[f"{kind}.movement_norm"] = np.array([np.linalg.norm(m) for m in moved])
        tensors[f"{kind}.movement_samples"] = samples(salt, dict(enumerate(moved)))
        tensors[f"{kind}.signed_sums"] = sum(signed_sums(salt, p, m, 64) for p, m in enumerate(moved))
    metadata = {"salt": str(salt), "parameters": "\n".join(network.parameters), "torch": torch.__version__}
    write(os.path.join(folder, name + ".safetensors"), metadata, tensors)


def write_small(folder, count=4):
    name = "scaling_dilation_small"
    salt = SALT[name]
    evaluated = make(name, torch.float64)
    evaluated.training = False
    with torch.no_grad():
        tensors = {f"inference.output_{i + 1}": o.numpy() for i, o in enumerate(loss_of(evaluated, 0, count)[1])}
    network, loss, outputs, grads = gradients_of(name, torch.float64, count)
    _, _, outputs32, grads32 = gradients_of(name, torch.float32, count)
    print("small outputs: float32 error", max(np.abs(a - b).max() for a, b in zip(outputs, outputs32)),
          "gradients: float32 error / largest", largest_error(grads, grads32))
    tensors.update({f"output_{i + 1}": o for i, o in enumerate(outputs)})
    tensors["loss"] = np.array([loss])
    tensors.update(gradient_tensors(salt, grads))
    buffers = {p: t.numpy() for p, t in enumerate(network.parameters.values()) if not t.requires_grad}
    tensors["statistics.samples"] = samples(salt, buffers)
    metadata = {"salt": str(salt), "parameters": "\n".join(network.parameters), "torch": torch.__version__}
    write(os.path.join(folder, name + ".safetensors"), metadata, tensors)


def tensors_of(network, arrays_):
    return [torch.tensor(values, dtype=network.dtype) for values in arrays_]


def inputs_of(network, count, size):
    """The inputs, and what a loss needs besides."""
    images, targets, weights = batch(network.salt, 0, count, size // 8, size)
    inputs = [images]
    if isinstance(network, CPM):
        inputs.append(centre_maps(network.salt, 0, count, size))
    return tensors_of(network, inputs), tensors_of(network, (targets, weights))


def write_outputs(folder, name, size, gradients=False):
    """One image through a network; with `gradients` also those of CPM's loss."""
    networks = [make(name, dtype) for dtype in (torch.float64, torch.float32)]
    results, losses = [], []
    for network in networks:
        network.training = False  # batch norms use their running statistics
        inputs, (targets, weights) = inputs_of(network, 1, size)
        outputs = network(*inputs)
        results.append([o.detach().numpy().astype(np.float64) for o in outputs])
        if gradients:
            loss = sum((weights[:, :, None, None] * (maps - targets) ** 2).sum() for maps in outputs) / 2
            loss.backward()
            losses.append(float(loss))
    print(name, "outputs: largest", [float(np.abs(o).max()) for o in results[0]], "float32 error",
          max(np.abs(a - b).max() for a, b in zip(*results)))
    tensors = {f"output_{i + 1}": o for i, o in enumerate(results[0])}
    if gradients:
        grads, grads32 = (gradient_arrays(network) for network in networks)
        print("gradients: float32 error / largest", largest_error(grads, grads32))
        tensors["loss"] = np.array(losses[:1])
        tensors.update(gradient_tensors(networks[0].salt, grads))
    metadata = {"salt": str(networks[0].salt), "parameters": "\n".join(networks[0].parameters), "size": str(size),
                "torch": torch.__version__}
    write(os.path.join(folder, name + ".safetensors"), metadata, tensors)


FILES = {
    "scaling_dilation": write_scaling_dilation,
    "scaling_dilation_small": write_small,
    "cpm_3": lambda folder: write_outputs(folder, "cpm_3", 104, gradients=True),
    "cpm_6": lambda folder: write_outputs(folder, "cpm_6", 104),
    "stacked_hourglass_small": lambda folder: write_outputs(folder, "stacked_hourglass_small", 96),
    "separable_residual": lambda folder: write_outputs(folder, "separable_residual", 96),
}


def print_margins(count):
    for name, images in (("scaling_dilation", 2), ("scaling_dilation_small", 4)):
        found = []
        for salt in range(1, count + 1):
            network = make(name, torch.float64, salt)
            network.margin = float("inf")
            with torch.no_grad():
                network(torch.tensor(batch(salt, 0, images, SIZE // 8)[0]))
            found.append((network.margin, salt))
        print(name, "best salts (margin, salt):", sorted(found, reverse=True)[:5])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", default=os.path.dirname(os.path.abspath(__file__)), help="where the files go")
    parser.add_argument("--margins", type=int, metavar="N", help="only compare the salts 1 to N")
    parser.add_argument("--only", choices=FILES, help="one file")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.margins:
        print_margins(arguments.margins)
        return
    for name, write_file in FILES.items():
        if arguments.only in (None, name):
            write_file(arguments.folder)


if __name__ == "__main__":
    main()
