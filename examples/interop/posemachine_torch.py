"""posemachine's model files in PyTorch: load a file as a torch.nn.Module, train or change it, save it as a model file.

    import posemachine_torch as pt

    module = pt.load("model.safetensors")
    heatmaps = module(images)[-1]        # images (N, channels, H, W), normalised as module.meaning says
    pt.save(module, "changed.safetensors")

The module is built from the graph in the file, so any network will do. Its state_dict has posemachine's names, such as
"PreStage_1.ConvReLU_1.Conv_1.weights". A file that is loaded and saved unchanged keeps its bytes.
Format of the file: docs/reference/model_file.md. Needs torch and numpy.
"""

import json
import os
import struct

import numpy as np
import torch
import torch.nn.functional as F

FORMAT = "1"  # of model files that this reads and writes


# ---- safetensors ----


class F32:
    widen = staticmethod(lambda content: np.frombuffer(content, "<f4").copy())
    narrow = staticmethod(lambda values: values.tobytes())


class F16:
    widen = staticmethod(lambda content: np.frombuffer(content, "<f2").astype("<f4"))

    @staticmethod
    def narrow(values):
        with np.errstate(over="ignore"):
            return values.astype("<f2").tobytes()


class BF16:
    """The upper half of a float32; narrow() cuts the lower one off."""
    widen = staticmethod(lambda content: (np.frombuffer(content, "<u2").astype("<u4") << 16).view("<f4"))
    narrow = staticmethod(lambda values: (values.reshape(-1).view("<u4") >> 16).astype("<u2").tobytes())


DTYPES = {"F32": F32, "F16": F16, "BF16": BF16}


def read_safetensors(path):
    """(metadata, tensors): strings by key, float32 arrays by name in the order of their bytes. BF16 and F16 become
    float32, exactly."""
    with open(path, "rb") as file:
        content = file.read()
    if len(content) < 8 or struct.unpack("<Q", content[:8])[0] > len(content) - 8:
        raise ValueError(f"{path}: expected a safetensors file, got one that is cut off or of another kind")
    begin = 8 + struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:begin])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        if entry["dtype"] not in DTYPES:
            raise ValueError(f"{path}: {name}.dtype: expected F32, BF16 or F16, got {entry['dtype']}")
        first, last = entry["data_offsets"]
        values = DTYPES[entry["dtype"]].widen(content[begin + first:begin + last])
        tensors[name] = values.reshape(entry["shape"])
    return metadata, tensors


def read_dtypes(path):
    """How each tensor of a file is stored: "F32", "BF16" or "F16" by name."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    return {name: entry["dtype"] for name, entry in header.items() if name != "__metadata__"}


def write_safetensors(path, tensors, metadata=None, dtypes=None):
    """Writes float32 arrays in their order, whole or not at all; the bytes are those posemachine writes. `dtypes`: how
    each tensor was stored, by name; one that such numbers can hold is stored so again, others as F32."""
    header, at, data = {"__metadata__": dict(sorted(metadata.items()))} if metadata else {}, 0, []
    for name, values in tensors.items():
        values, dtype = np.ascontiguousarray(values, "<f4"), (dtypes or {}).get(name, "F32")
        content = DTYPES[dtype].narrow(values)
        if DTYPES[dtype].widen(content).tobytes() != values.tobytes():
            dtype, content = "F32", values.tobytes()
        header[name] = {"dtype": dtype, "shape": list(values.shape), "data_offsets": [at, at + len(content)]}
        at += len(content)
        data.append(content)
    text = dump_json(header).encode()
    text += b" " * (-len(text) % 8)  # data begins at a multiple of 8
    with open(f"{path}.part", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for content in data:
            file.write(content)
    os.replace(f"{path}.part", path)


def dump_json(value):
    """JSON as posemachine writes it: keys in their order, no spaces, UTF-8."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


# ---- The operations ----
#
# Each is a function (module, options, srcs, parameters) -> dst on maps (N, C, H, W).


def convolution(module, o, srcs, parameters):
    weights, *bias = parameters  # weights (out, in / groups, k, k)
    return F.conv2d(srcs[0], weights, *(bias or [None]), o["stride"], o["padding"], o["dilation"], o.get("groups", 1))


def transposed_convolution(module, o, srcs, parameters):
    weights, *bias = parameters  # weights (out, in, k, k); PyTorch has (in, out, k, k)
    return F.conv_transpose2d(srcs[0], weights.transpose(0, 1), *(bias or [None]), o["stride"], o["padding"],
                              o["output_padding"])


def pad_to_windows(src, o, value):
    """The map with all the padding that windows reach: PyTorch's pools take at most half a window themselves."""
    ends = []
    for extent in (src.shape[3], src.shape[2]):
        span = extent + 2 * o["padding"] - o["window"]
        cells = (span + (o["stride"] - 1 if o["ceil"] else 0)) // o["stride"] + 1
        if o["ceil"] and (cells - 1) * o["stride"] >= extent + o["padding"]:
            cells -= 1  # the last window must start inside the map
        ends += [o["padding"], max(0, (cells - 1) * o["stride"] + o["window"] - extent - o["padding"])]
    return F.pad(src, ends, value=value)


def max_pool(module, o, srcs, parameters):
    if 2 * o["padding"] > o["window"]:
        return F.max_pool2d(pad_to_windows(srcs[0], o, float("-inf")), o["window"], o["stride"])
    return F.max_pool2d(srcs[0], o["window"], o["stride"], o["padding"], ceil_mode=bool(o["ceil"]))


def average_pool(module, o, srcs, parameters):  # padding is not part of a mean
    if 2 * o["padding"] > o["window"]:
        sums = F.avg_pool2d(pad_to_windows(srcs[0], o, 0.0), o["window"], o["stride"])
        return sums / F.avg_pool2d(pad_to_windows(torch.ones_like(srcs[0]), o, 0.0), o["window"], o["stride"])
    return F.avg_pool2d(srcs[0], o["window"], o["stride"], o["padding"], ceil_mode=bool(o["ceil"]),
                        count_include_pad=False)


def batch_norm(module, o, srcs, parameters):
    scale, shift, mean, variance = parameters  # mean and variance are the running statistics
    epsilon, momentum = o["epsilon_billionths"] * 1e-9, o["momentum_permille"] * 1e-3
    if not module.training or not scale.requires_grad:  # frozen: the running statistics are used, and stay
        return F.batch_norm(srcs[0], mean, variance, scale, shift, False, 0.0, epsilon)
    # Slice after slice, each with statistics of its own; the running ones move after each.
    slices = srcs[0].split(module.slice or srcs[0].shape[0])
    return torch.cat([F.batch_norm(part, mean, variance, scale, shift, True, momentum, epsilon) for part in slices])


def resize(mode):
    options = {} if mode == "nearest" else {"align_corners": False}
    return lambda module, o, srcs, parameters: F.interpolate(srcs[0], scale_factor=o["scale"], mode=mode, **options)


def spatial_softmax(module, o, srcs, parameters):
    """scale_percent / 100 times the softmax over the cells of each map."""
    return o.get("scale_percent", 100) / 100 * F.softmax(srcs[0].flatten(2), 2).view_as(srcs[0])


def elementwise(function):
    return lambda module, o, srcs, parameters: function(srcs[0])


# Add to this table to load networks with operations of your own.
OPERATIONS = {
    "convolution": convolution,
    "transposed_convolution": transposed_convolution,
    "batch_norm": batch_norm,
    "max_pool": max_pool,
    "average_pool": average_pool,
    "global_average_pool": elementwise(lambda src: src.mean((2, 3), keepdim=True)),
    "relu": elementwise(F.relu),
    "leaky_relu": lambda module, o, srcs, parameters: F.leaky_relu(srcs[0], o["slope_millionths"] * 1e-6),
    "prelu": lambda module, o, srcs, parameters: F.prelu(srcs[0], parameters[0]),
    "sigmoid": elementwise(torch.sigmoid),
    "silu": elementwise(F.silu),
    "hard_swish": elementwise(F.hardswish),
    "softmax": elementwise(lambda src: F.softmax(src, 1)),
    "spatial_softmax": spatial_softmax,
    "resize_nearest": resize("nearest"),
    "resize_bilinear": resize("bilinear"),
    "concat": lambda module, o, srcs, parameters: torch.cat(srcs, 1),
    "add": lambda module, o, srcs, parameters: sum(srcs[1:], srcs[0]),
    "channel_scale": lambda module, o, srcs, parameters: srcs[0] * srcs[1],
    "dropout": lambda module, o, srcs, parameters: F.dropout(srcs[0], o["percent"] / 100,
                                                             module.training and module.dropout),
}


# ---- The network ----


class PoseNetwork(torch.nn.Module):
    """The network of a model file. forward(image, ...) takes the graph's inputs in order and returns a tuple: the
    outputs, first stage first."""

    def __init__(self, metadata, tensors, where="model"):
        super().__init__()
        if metadata.get("posemachine.format") != FORMAT:
            raise ValueError(f"{where}: expected a model file of posemachine, format {FORMAT}, got "
                             f"{metadata.get('posemachine.format', 'none')}")
        self.metadata = dict(metadata)
        graph = json.loads(metadata["posemachine.graph"])
        self.meaning = json.loads(metadata["posemachine.meaning"])
        self.nodes, self.parameter_names = graph["nodes"], [each["name"] for each in graph["parameters"]]
        self.input_values = {port["name"]: port["value"] for port in graph["inputs"]}
        self.output_values = [port["value"] for port in graph["outputs"]]
        for number, node in enumerate(self.nodes):
            own = "dst" in node  # an operation that is not the library's: whoever adds it knows its versions
            if node["op"] != "input" and (node["op"] not in OPERATIONS or (node["version"] != 1 and not own)):
                raise ValueError(f"{where}: nodes[{number}].op: expected one of {', '.join(OPERATIONS)}, got "
                                 f"{node['op']} version {node['version']}; add it to posemachine_torch.OPERATIONS")
        self.dropout = True          # False: none in training either, for comparisons
        self.slice = 0               # images that share batch norm's statistics in training; 0: the whole batch
        self.before_softmax = False  # outputs are the maps in front of a last spatial_softmax, for its cross-entropy
        self._leaves = []            # by parameter number: the block that holds it, and its name there
        statistics = {number for node in self.nodes if node["op"] == "batch_norm" for number in node["parameters"][2:]}
        for number, parameter in enumerate(graph["parameters"]):
            name = parameter["name"]
            if name not in tensors or list(tensors[name].shape) != parameter["shape"]:
                raise ValueError(f"{where}: expected tensor {name} {parameter['shape']}, got "
                                 f"{list(tensors[name].shape) if name in tensors else 'none'}")
            values = torch.from_numpy(np.array(tensors[name], np.float32))
            *path, leaf = name.split(".")
            block = self
            for part in path:
                if part not in block._modules:
                    block.add_module(part, torch.nn.Module())
                block = block._modules[part]
            self._leaves.append((block, leaf))
            if number in statistics:
                block.register_buffer(leaf, values)
            else:
                block.register_parameter(leaf, torch.nn.Parameter(values, requires_grad=parameter["trainable"]))

    def tensors(self):
        """Parameters and statistics by name, in the file's order. Live: changing one changes the module."""
        return {name: getattr(block, leaf) for name, (block, leaf) in zip(self.parameter_names, self._leaves)}

    def forward(self, *inputs):
        if len(inputs) != len(self.input_values):
            raise ValueError(f"expected {len(self.input_values)} inputs ({', '.join(self.input_values)}), got "
                             f"{len(inputs)}")
        parameters = list(self.tensors().values())
        values = dict(zip(self.input_values.values(), inputs))
        for number, node in enumerate(self.nodes):
            if number not in values:
                values[number] = OPERATIONS[node["op"]](self, node["options"], [values[src] for src in node["inputs"]],
                                                        [parameters[each] for each in node["parameters"]])
        return tuple(values[self._seen_value(value)] for value in self.output_values)

    def _seen_value(self, value):
        node = self.nodes[value]
        return node["inputs"][0] if self.before_softmax and node["op"] == "spatial_softmax" else value


def load(path):
    """The module of a model file, in training mode as every new module. Errors: ValueError naming file and place."""
    module = PoseNetwork(*read_safetensors(path), where=str(path))
    module.dtypes = read_dtypes(path)
    return module


def save(module, path, tensors=None):
    """Writes the module as a model file: graph and metadata as they were loaded, module.meaning and the weights as they
    are now; or `tensors` by name in place of its own, such as averages of them. Weights that were stored in 16 bits are
    again, unless they have changed."""
    metadata = dict(module.metadata)
    if module.meaning != json.loads(metadata["posemachine.meaning"]):
        metadata["posemachine.meaning"] = dump_json(module.meaning)
    tensors = module.tensors() if tensors is None else {name: tensors[name] for name in module.parameter_names}
    write_safetensors(path, {name: each.detach().cpu().numpy() for name, each in tensors.items()}, metadata,
                      getattr(module, "dtypes", None))


# ---- Losses ----
#
# Of one stage; stages are summed. Shapes: maps, targets (N, C, h, w); weights (N, C), 0 for maps that say nothing.


def squared_error(maps, targets, weights):
    """Sum over images, maps and cells of weight * (map - target)^2 / (2 N): heatmap_loss of the library."""
    return ((maps - targets) ** 2).sum((2, 3)).mul(weights).sum() / (2 * maps.shape[0])


def cross_entropy(maps, targets, weights):
    """Sum over images and maps of weight * (- the sum over cells of t log p) / N: t is the target with a sum of 1, p
    the softmax over the cells of the map. Maps with an empty target say nothing.
    A network that ends in spatial_softmax needs before_softmax."""
    sums = targets.sum((2, 3))
    weights = weights / sums.where(sums > 0, torch.full_like(sums, float("inf")))
    return -(targets.flatten(2) * F.log_softmax(maps.flatten(2), 2)).sum(2).mul(weights).sum() / maps.shape[0]


LOSSES = {"squared_error": squared_error, "cross_entropy": cross_entropy}


# ---- What a network is fed and compared with ----


def cell_centres(cells, stride, device=None):
    """Input coordinates of cells' centres, in pixels: cell 0 of stride 8 is at 3.5."""
    return (stride - 1) / 2 + stride * torch.arange(cells, device=device, dtype=torch.float64)


def gaussians(points, height, width, stride, sigma_px):
    """exp(-d^2 / (2 sigma^2)) around points (..., 2) in input pixels, 0 below 1 %. Shapes: (..., height, width)."""
    across = cell_centres(width, stride, points.device) - points[..., 0, None].double()
    down = cell_centres(height, stride, points.device) - points[..., 1, None].double()
    maps = torch.exp((across[..., None, :] ** 2 + down[..., :, None] ** 2) / (-2 * sigma_px ** 2))
    return maps.where(maps >= 0.01, torch.zeros_like(maps)).float()


def inputs_for(module, images):
    """The module's inputs in order, for normalised images (N, channels, H, W), of several frames one after another: a
    second input is the person's centre (CPM)."""
    count, _, height, width = images.shape
    inputs = []
    for name in module.input_values:
        meaning = next(each for each in module.meaning["inputs"] if each["name"] == name)
        if meaning["role"] == "image":
            inputs.append(images)
            continue
        middle = torch.tensor([(width - 1) / 2, (height - 1) / 2], device=images.device)
        centre = gaussians(middle, height, width, 1, meaning["sigma_px"])
        inputs.append(centre.to(images.dtype).expand(count, 1, height, width))
    return inputs
