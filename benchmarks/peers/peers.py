#!/usr/bin/env python3
"""Runs networks on this library and on other runtimes, side by side, and prints one table.

Same weights (fp32) for all, from our model file in PyTorch and from ONNX elsewhere; outputs are compared first. Every
runtime is a process that stays; blocks go round them in turn, so that what else the machine does falls on all. The
ratio is peer / ours, the median over blocks of the medians within each. run installs what it needs: Debian packages,
and the versions of requirements.txt in build/peers/.

Columns: t x r, threads of a request and requests at a time (each runtime's faster way is shown); ratio, peer's time
over ours; MB, what the process grew by with the model, and the ratio of that; ready ms, from the file to the first run;
differs, the largest difference of an output over its largest value; then the ratio block by block, and "(asked N)"
where it is below what the project asks of itself. In the cases paper-avx2 our oneDNN is held to AVX2, as on a processor
without AVX-512, and the others keep their choice. training: a step of RMSprop on a batch of 8. All cases take some 10
minutes on two cores.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
TOLERANCE = 1e-4      # of an output's largest value
MEASURED_S = 0.5      # of each runtime in each block, at least; and no fewer than 3 runs
IMAGES = 4            # different ones in turn
DEBIAN_PYTHON = "/usr/bin/python3"


class Case:
    """A network at a size and batch. ways: (threads, requests) to run it in; each runtime's fastest counts. isa: the
    instruction set that our oneDNN is held to, in its own words. training: a run is a training step."""

    def __init__(self, name, network, size, batch, ways, runtimes, goals=None, isa=None, training=False):
        self.name, self.network, self.size, self.batch = name, network, size, batch
        self.ways, self.runtimes, self.goals, self.isa = ways, runtimes, goals or {}, isa
        self.training = training


ALL = ["onnxruntime", "openvino", "torch", "torch_channels_last", "opencv", "ncnn"]
GOALS = {"onnxruntime": 1.25, "openvino": 1.0, "torch": 2.0, "torch_channels_last": 2.0, "opencv": 2.5, "ncnn": 1.5}


def all_cases():
    paper = ("scaling-dilation", (368, 368))
    cases = [
        Case("paper-1", *paper, 1, [(1, 1)], ALL, GOALS),
        Case("paper-2", *paper, 1, [(2, 1)], ALL, GOALS),
        Case("paper-batch-8", *paper, 8, [(1, 2), (2, 1)], ["onnxruntime", "openvino"], GOALS),
        Case("paper-avx2-1", *paper, 1, [(1, 1)], ["onnxruntime", "openvino"], isa="AVX2"),
        Case("paper-avx2-2", *paper, 1, [(2, 1)], ["onnxruntime", "openvino"], isa="AVX2"),
        Case("cpm-3", "cpm-3", (368, 368), 1, [(2, 1)], ["onnxruntime", "openvino"]),
        Case("hourglass-1", "stacked-hourglass-small", (128, 128), 1, [(1, 1)], ["onnxruntime", "openvino"]),
        Case("hourglass-2", "stacked-hourglass-small", (128, 128), 1, [(2, 1)], ["onnxruntime", "openvino"]),
        Case("separable-1", "separable-residual", (128, 128), 1, [(1, 1)], ["onnxruntime", "openvino"]),
        Case("separable-2", "separable-residual", (128, 128), 1, [(2, 1)], ["onnxruntime", "openvino"]),
        Case("small-1", "scaling-dilation-small", (128, 128), 1, [(1, 1)], ["onnxruntime", "openvino"]),
    ]
    cases.append(Case("training", "scaling-dilation", (256, 256), 8, [(2, 1)], ["torch", "torch_channels_last"],
                      {"torch": 2.0, "torch_channels_last": 1.7}, training=True))
    return cases + [Case(f"random-{seed}", f"random-{seed}", None, 1, [(2, 1)], ["onnxruntime", "openvino"])
                    for seed in range(1, 21)]


class Worker:
    """A runtime's process."""

    def __init__(self, name, threads, requests, command, isa=None):
        self.name, self.threads, self.requests = name, threads, requests
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads),
                           PYTHONPATH=str(HERE))
        if isa:
            environment["ONEDNN_MAX_CPU_ISA"] = isa
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=environment, cwd=HERE)

    def ask(self, command, **request):
        try:
            self.process.stdin.write(json.dumps({"command": command, **request}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with status {self.process.wait()} after the request {command}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def interpreter(runtime):
    """PyTorch is Debian's, the others are in this environment."""
    return DEBIAN_PYTHON if runtime.startswith("torch") else sys.executable


def make_case(case, folder, ours):
    """Model, ONNX file and images of a case in a folder; what load needs to know."""
    folder.mkdir(parents=True, exist_ok=True)
    size = [str(extent) for extent in case.size] if case.size else []
    facts = json.loads(subprocess.run([ours, "make", case.network, *size], cwd=folder, check=True, text=True,
                                      stdout=subprocess.PIPE).stdout)
    base = folder / case.network
    ports = folder / f"{case.network}.ports.json"
    subprocess.run([sys.executable, str(HERE / "onnx_ports.py"), f"{base}.onnx", str(ports)], check=True)
    plain = json.loads(ports.read_text(encoding="utf-8"))
    import numpy as np  # not needed for --help and --list
    random = np.random.default_rng(1)
    images = []
    for turn in range(IMAGES):
        images.append([])
        for index, shape in enumerate(plain["input_shapes"]):
            file = folder / f"images_{turn}_{index}.f32"
            random.uniform(-0.5, 0.5, [case.batch, *shape]).astype(np.float32).tofile(file)
            images[-1].append(str(file))
    request = {"model": f"{base}.safetensors", "onnx": f"{base}.onnx", "ncnn": str(base),
               "height": facts["height"], "width": facts["width"], "batch": case.batch, "images": images,
               "training": case.training,
               "input_shapes": plain["input_shapes"], "input_names": plain["inputs"], "output_names": plain["outputs"]}
    return request, facts, plain


def convert_for_ncnn(request, plain):
    """pnnx beside this interpreter writes what ncnn reads."""
    shapes = ",".join(str([1, *shape]).replace(" ", "") for shape in plain["input_shapes"])
    base = request["ncnn"]
    command = [str(pathlib.Path(sys.executable).parent / "pnnx"), request["onnx"], f"inputshape={shapes}", "fp16=0",
               f"ncnnparam={base}.param", f"ncnnbin={base}.bin"]
    done = subprocess.run(command, cwd=pathlib.Path(base).parent, capture_output=True, text=True, check=False)
    if not pathlib.Path(f"{base}.param").is_file():
        raise RuntimeError(f"pnnx does not convert {request['onnx']}:\n{done.stdout[-800:]}{done.stderr[-800:]}")


def largest_difference(ours, theirs, plain, case):
    """Over the outputs, or the losses of a training: the largest difference as a part of the output's largest value."""
    import numpy as np
    worst, begin = 0.0, 0
    counts = [case.batch * channels * height * width for channels, height, width in plain["output_shapes"]]
    for count in [1, 1, 1] if case.training else counts:
        a, b = ours[begin:begin + count], theirs[begin:begin + count]
        worst = max(worst, float(np.abs(a - b).max() / max(np.abs(a).max(), 1e-30)))
        begin += count
    if begin != len(ours) or begin != len(theirs):
        raise RuntimeError(f"outputs have {len(ours)} and {len(theirs)} numbers, expected {begin}")
    return worst


def start_workers(case, request, plain, arguments):
    workers = []
    for name in ["ours"] + [name for name in case.runtimes if name in arguments.runtimes]:
        # Ours finds its way by itself: it is told how many threads there are.
        ways = case.ways if name in ("onnxruntime", "openvino") else case.ways[-1:]
        try:
            if name == "ncnn":
                convert_for_ncnn(request, plain)
            for threads, requests in ways:
                command = [arguments.ours, "serve"] if name == "ours" else [interpreter(name), "worker.py", name]
                worker = Worker(name, threads, requests, command, case.isa if name == "ours" else None)
                answer = worker.ask("load", threads=threads, requests=requests, **request)
                worker.ready_s, worker.isa = answer["ready_s"], answer.get("isa")
                if name == "ours" and case.isa and worker.isa != case.isa:
                    raise RuntimeError(f"{case.name}: ours was to use {case.isa}, and oneDNN says {worker.isa}")
                workers.append(worker)
        except RuntimeError as error:
            if name == "ours":
                raise
            print(f"  {name} is left out: {error}", file=sys.stderr)
    return workers


def check_outputs(workers, plain, case, folder):
    import numpy as np
    file = folder / "outputs.f32"
    reference = None
    for worker in list(workers):
        worker.ask("outputs", file=str(file))
        values = np.fromfile(file, np.float32)
        if reference is None:
            reference = values
        worker.difference = largest_difference(reference, values, plain, case)
        if worker.difference > TOLERANCE:
            raise RuntimeError(f"{case.name}: {worker.name} differs from ours by {worker.difference:.1e} of an "
                               f"output's largest value, more than {TOLERANCE:.0e}")


def measure(workers, blocks, log):
    """Medians of every block, in seconds a batch."""
    for worker in workers:
        worker.blocks, worker.used = [], []
        first = worker.ask("run", count=2)["seconds"][-1]
        worker.count = max(3, int(MEASURED_S / first) + 1)
    for block in range(blocks):
        order = workers[block % len(workers):] + workers[:block % len(workers)]
        for worker in order:
            time.sleep(0.02)  # threads of the one before stop spinning
            answer = worker.ask("run", count=worker.count)
            worker.blocks.append(statistics.median(answer["seconds"]))
            worker.used.append(answer["cpu_per_wall"])
        log(f"block {block + 1} of {blocks}")


def summarise(case, facts, workers):
    """One row for each runtime: its fastest way against our fastest."""
    rows = []
    passes = 3 if case.training else 1  # forward, the gradient of src, the gradient of weights
    by_name = {}
    for worker in workers:
        by_name.setdefault(worker.name, []).append(worker)
    best = {name: min(ways, key=lambda worker: statistics.median(worker.blocks)) for name, ways in by_name.items()}
    ours = best["ours"]
    for name, worker in best.items():
        ratios = [theirs / mine for theirs, mine in zip(worker.blocks, ours.blocks)]
        memory = worker.ask("memory")
        rows.append({
            "case": case.name, "network": case.network, "size": [facts["height"], facts["width"]],
            "batch": case.batch, "runtime": name, "threads": worker.threads, "requests": worker.requests,
            "ms_per_image": 1e3 * statistics.median(worker.blocks) / case.batch,
            "ratio": statistics.median(ratios), "ratios": ratios, "goal": case.goals.get(name),
            "memory_bytes": memory["now"] - memory["before"], "ready_ms": 1e3 * worker.ready_s,
            "isa": worker.isa if case.isa else None,
            "cpu_per_wall": statistics.median(worker.used), "difference": worker.difference,
            "gflops": 2e-9 * facts["macs"] * passes * case.batch / statistics.median(worker.blocks)})
    mine = rows[0]["memory_bytes"]
    for row in rows:
        row["memory_ratio"] = row["memory_bytes"] / mine if mine > 0 else float("nan")
        threads = row["threads"] * row["requests"]
        row["threads_kept"] = row["cpu_per_wall"] <= threads + 0.15
    return rows


def print_rows(rows):
    for row in rows:
        goal = f"  (asked {row['goal']:g})" if row["goal"] and row["ratio"] < row["goal"] else ""
        threads = "" if row["threads_kept"] else f"  ({row['cpu_per_wall']:.1f} processors used)"
        ours = f"({row['isa']})" if row["isa"] else ""
        blocks = ours if row["runtime"] == "ours" else " ".join(f"{ratio:.2f}" for ratio in row["ratios"])
        print(f"{row['case']:14} {row['runtime']:20} {row['threads']} x {row['requests']} "
              f"{row['ms_per_image']:9.2f} {row['gflops']:7.0f} {row['ratio']:6.2f} {row['memory_bytes'] / 1e6:8.1f} "
              f"{row['memory_ratio']:6.2f} {row['ready_ms']:8.0f} {row['difference']:9.1e}  {blocks}{goal}{threads}",
              flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="3 blocks instead of 9, and 4 random networks")
    parser.add_argument("--only", action="append", metavar="NAME",
                        help="cases whose name begins so, or runtimes; may be given several times")
    parser.add_argument("--json", action="store_true", help="one JSON array instead of the table")
    parser.add_argument("--list", action="store_true", help="the cases and runtimes there are")
    parser.add_argument("--ours", default="./ours", help=argparse.SUPPRESS)
    parser.add_argument("--folder", default="peers", type=pathlib.Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    cases = all_cases()
    if arguments.list:
        print("cases:    " + " ".join(case.name for case in cases) + "\nruntimes: " + " ".join(ALL))
        return
    arguments.runtimes = ALL
    only = arguments.only or []
    runtimes = [name for name in only if name in ALL]
    prefixes = [name for name in only if name not in ALL]
    for prefix in prefixes:
        if not any(case.name.startswith(prefix) for case in cases):
            parser.error(f"--only {prefix}: expected the beginning of a case or a runtime; see --list")
    if runtimes:
        arguments.runtimes = runtimes
    if prefixes:
        cases = [case for case in cases if any(case.name.startswith(prefix) for prefix in prefixes)]
    if arguments.quick and not prefixes:
        cases = [case for case in cases if not case.name.startswith("random-") or int(case.name[7:]) <= 4]

    if not arguments.json:
        print(f"{'case':14} {'runtime':20} {'t x r':5} {'ms/image':>9} {'GFLOP/s':>7} {'ratio':>6} {'MB':>8} "
              f"{'ratio':>6} {'ready ms':>8} {'differs':>9}  ratio, block by block")
    everything = []
    others = {}
    for case in cases:
        def log(text, name=case.name):
            if sys.stderr.isatty():
                print(f"\r{name}: {text}    ", end="\r", file=sys.stderr, flush=True)

        folder = arguments.folder / case.name
        request, facts, plain = make_case(case, folder, arguments.ours)
        workers = start_workers(case, request, plain, arguments)
        check_outputs(workers, plain, case, folder)
        measure(workers, 3 if arguments.quick else 9, log)
        rows = summarise(case, facts, workers)
        for worker in workers:
            worker.close()
        everything += rows
        for row in rows[1:]:
            if not case.name.startswith(("paper", "training")):
                others.setdefault(row["runtime"], []).append(row["ratio"])
        if not arguments.json:
            print_rows(rows)
    if arguments.json:
        print(json.dumps(everything))
        return
    for runtime, ratios in others.items():
        print(f"{runtime}: geometric mean of the {len(ratios)} cases besides the paper's "
              f"{statistics.geometric_mean(ratios):.2f}, least {min(ratios):.2f}")


if __name__ == "__main__":
    main()
