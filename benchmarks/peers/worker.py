#!/usr/bin/env python3
"""One runtime in a process of its own: answers requests on stdin, a line of JSON each, with a line on stdout.

    worker.py onnxruntime|openvino|ncnn|opencv|torch|torch_channels_last

load {model, onnx, threads, batch, requests, images, training}, run {count}, outputs {file}, memory {}. `requests` is
how many requests are under way at a time; each has its share of the batch. Inputs and outputs are raw float32,
(N, C, H, W). training: a run is a step, and the losses of the first three are what is written.
"""

import concurrent.futures
import json
import pathlib
import resource
import sys
import time

import numpy as np

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "examples" / "interop"))  # posemachine_torch


def resident(which):
    """Bytes: "VmRSS" now, "VmHWM" at most."""
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith(which + ":"):
                return 1024 * int(line.split()[1])
    return 0


class Runtime:
    """What each runtime below does: load once, then run one request's images."""

    def prepare(self):
        """Imports, so that they are not counted as the model's memory."""

    def load(self, request):
        """Loads the model for request["share"] images a request."""

    def infer(self, which, inputs):
        """A list of outputs; `which` numbers requests that are under way at the same time."""


class OnnxRuntime(Runtime):
    def prepare(self):
        import onnxruntime
        self.onnxruntime = onnxruntime

    def load(self, request):
        options = self.onnxruntime.SessionOptions()
        options.intra_op_num_threads = request["threads"]
        options.inter_op_num_threads = 1
        options.graph_optimization_level = self.onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        # A session with one thread runs in the caller's; requests share it and its weights.
        self.session = self.onnxruntime.InferenceSession(request["onnx"], options, providers=["CPUExecutionProvider"])
        self.names = [port.name for port in self.session.get_inputs()]

    def infer(self, which, inputs):
        return self.session.run(None, dict(zip(self.names, inputs)))


class OpenVino(Runtime):
    def prepare(self):
        import openvino
        self.openvino = openvino

    def load(self, request):
        core = self.openvino.Core()
        model = core.read_model(request["onnx"])
        shapes = {port: [request["share"], *[dim.get_length() for dim in list(port.partial_shape)[1:]]]
                  for port in model.inputs}
        model.reshape(shapes)
        throughput = request["requests"] > 1
        config = {"PERFORMANCE_HINT": "THROUGHPUT" if throughput else "LATENCY",
                  "INFERENCE_NUM_THREADS": request["threads"] * request["requests"],
                  "INFERENCE_PRECISION_HINT": "f32"}
        if throughput:
            config["PERFORMANCE_HINT_NUM_REQUESTS"] = request["requests"]
        self.compiled = core.compile_model(model, "CPU", config)
        self.infer_requests = [self.compiled.create_infer_request() for _ in range(request["requests"])]

    def infer(self, which, inputs):
        done = self.infer_requests[which].infer(inputs, share_inputs=True, share_outputs=True)
        return [done[port] for port in self.compiled.outputs]


class OpenCv(Runtime):
    def prepare(self):
        import cv2
        self.cv2 = cv2

    def load(self, request):
        self.cv2.setNumThreads(request["threads"])
        self.net = self.cv2.dnn.readNetFromONNX(request["onnx"])
        self.net.setPreferableBackend(self.cv2.dnn.DNN_BACKEND_OPENCV)
        self.inputs = request["input_names"]
        self.outputs = request["output_names"]

    def infer(self, which, inputs):
        for name, values in zip(self.inputs, inputs):
            self.net.setInput(values, name)
        return self.net.forward(self.outputs)


class Ncnn(Runtime):
    """One image at a time: ncnn has no batches."""

    def prepare(self):
        import ncnn
        self.ncnn = ncnn

    def load(self, request):
        self.net = self.ncnn.Net()
        self.net.opt.num_threads = request["threads"]
        self.net.opt.use_fp16_packed = self.net.opt.use_fp16_storage = self.net.opt.use_fp16_arithmetic = False
        self.net.opt.use_bf16_storage = False
        if self.net.load_param(request["ncnn"] + ".param") or self.net.load_model(request["ncnn"] + ".bin"):
            sys.exit("ncnn does not load the model")
        self.inputs = request["input_names"]
        self.outputs = request["output_names"]

    def infer(self, which, inputs):
        images = []
        for image in range(inputs[0].shape[0]):
            extractor = self.net.create_extractor()
            for index, values in enumerate(inputs):
                extractor.input(f"in{index}", self.ncnn.Mat(values[image]))
            images.append([np.array(extractor.extract(f"out{k}")[1]) for k in range(len(self.outputs))])
        return [np.stack(maps) for maps in zip(*images)]


class Torch(Runtime):
    """The graph node by node, traced and optimised for inference (TorchScript)."""

    channels_last = False

    def prepare(self):
        import torch
        self.torch = torch

    def load(self, request):
        import posemachine_torch
        torch = self.torch
        torch.set_num_threads(request["threads"])
        torch.set_grad_enabled(False)
        module = posemachine_torch.load(request["model"]).eval()
        example = [torch.from_numpy(values[:request["share"]].copy()) for values in request["example"]]
        if self.channels_last:
            module = module.to(memory_format=torch.channels_last)
            example = [values.contiguous(memory_format=torch.channels_last) for values in example]
            self.module = torch.jit.freeze(torch.jit.trace(module, example))
        else:
            self.module = torch.jit.optimize_for_inference(torch.jit.trace(module, example))
        for _ in range(4):  # the profiling executor compiles during the first calls
            self.module(*example)

    def infer(self, which, inputs):
        torch = self.torch
        values = [torch.from_numpy(array) for array in inputs]
        if self.channels_last:
            values = [value.contiguous(memory_format=torch.channels_last) for value in values]
        outputs = self.module(*values)
        return [output.numpy() for output in (outputs if isinstance(outputs, tuple) else (outputs,))]


class TorchChannelsLast(Torch):
    channels_last = True


RUNTIMES = {"onnxruntime": OnnxRuntime, "openvino": OpenVino, "opencv": OpenCv, "ncnn": Ncnn, "torch": Torch,
            "torch_channels_last": TorchChannelsLast}


class TorchTraining(Runtime):
    """Steps of RMSprop on the heatmap loss against empty maps."""

    def __init__(self, channels_last):
        self.channels_last = channels_last

    def prepare(self):
        import torch
        self.torch = torch

    def load(self, request):
        import posemachine_torch
        torch = self.torch
        torch.set_num_threads(request["threads"])
        self.module = posemachine_torch.load(request["model"])
        if self.channels_last:
            self.module = self.module.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.RMSprop(self.module.parameters(), lr=1e-5, alpha=0.99, eps=1e-8)

    def infer(self, which, inputs):
        torch = self.torch
        image = torch.from_numpy(inputs[0])
        if self.channels_last:
            image = image.contiguous(memory_format=torch.channels_last)
        self.optimizer.zero_grad(set_to_none=True)
        loss = sum((maps * maps).sum() for maps in self.module(image)) / (2 * image.shape[0])
        loss.backward()
        self.optimizer.step()
        return [np.array([loss.item()], np.float32)]


class Server:
    def __init__(self, runtime):
        self.runtime = runtime
        self.images = []
        self.turn = 0
        self.pool = None

    def load(self, request):
        self.requests = request["requests"]
        self.training = request["training"]
        request["share"] = request["batch"] // self.requests
        for files in request["images"]:
            self.images.append([np.fromfile(name, np.float32).reshape([request["batch"], *shape])
                                for name, shape in zip(files, request["input_shapes"])])
        request["example"] = self.images[0]
        self.before = resident("VmRSS")  # with imports and images, without a model
        begin = time.monotonic()
        self.runtime.load(request)
        ready = time.monotonic() - begin
        self.pool = concurrent.futures.ThreadPoolExecutor(self.requests) if self.requests > 1 else None
        self.share = request["share"]
        return {"ready_s": ready}

    def once(self, images):
        if self.pool is None:
            return self.runtime.infer(0, images)
        parts = [[values[r * self.share:(r + 1) * self.share] for values in images] for r in range(self.requests)]
        futures = [self.pool.submit(self.runtime.infer, r, part) for r, part in enumerate(parts)]
        results = [[np.array(values) for values in future.result()] for future in futures]
        return [np.concatenate(maps) for maps in zip(*results)]

    def run(self, count):
        seconds = []
        used = resource.getrusage(resource.RUSAGE_SELF)
        begin = time.monotonic()
        for _ in range(count):
            start = time.monotonic()
            self.once(self.images[self.turn])
            seconds.append(time.monotonic() - start)
            self.turn = (self.turn + 1) % len(self.images)
        wall = time.monotonic() - begin
        after = resource.getrusage(resource.RUSAGE_SELF)
        cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
        return {"seconds": seconds, "cpu_per_wall": cpu / wall}


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in RUNTIMES:
        sys.exit(__doc__)
    runtime = RUNTIMES[sys.argv[1]]()
    runtime.prepare()
    server = Server(runtime)
    for line in sys.stdin:
        request = json.loads(line)
        command = request["command"]
        answer = {}
        if command == "load":
            if request["training"]:
                server.runtime = TorchTraining(runtime.channels_last)
                server.runtime.prepare()
            answer = server.load(request)
        elif command == "run":
            answer = server.run(request["count"])
        elif command == "outputs":
            with open(request["file"], "wb") as file:
                for _ in range(3 if server.training else 1):
                    for values in server.once(server.images[0]):
                        file.write(np.ascontiguousarray(values, np.float32).tobytes())
        elif command == "memory":
            answer = {"before": server.before, "now": resident("VmRSS"), "peak": resident("VmHWM")}
        else:
            sys.exit(f"unknown command {command}")
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
