#!/usr/bin/env python3
"""Compares posemachine with its twin in PyTorch, then trains the twin for a few steps on drawn people.

    check.py --programs FOLDER [--only NETWORK] [--folder FOLDER]

Every named network, one with the remaining operations and one of grey pictures: first weights from the library, statistics and biases drawn
anew; outputs in inference and in training, losses, gradients and running statistics are compared. Both sides compute in
float32; the batch has two slices.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import torch
from PIL import Image, ImageDraw

HERE = pathlib.Path(__file__).resolve().parent
INTEROP = HERE.parent.parent / "examples" / "interop"
sys.path.insert(0, str(INTEROP))

import pack_crops  # noqa: E402
import posemachine_torch as pt  # noqa: E402
import train_twin  # noqa: E402

# Largest differences, as parts of a tensor's largest value.
BOUNDS = {"inference": 1e-4, "training": 1e-4, "losses": 1e-4, "running": 1e-4, "gradients": 1e-3}
BATCH, SLICE, SIZE = 6, 3, 64  # images, images that share statistics, pixels
SEEDS, SEEDS_WITHOUT_NORM = 24, 6
KINKS = {"relu": [0], "leaky_relu": [0], "prelu": [0], "hard_swish": [-3, 3]}  # where gradients jump


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def count_norms(module):
    return sum(node["op"] == "batch_norm" for node in module.nodes)


def draw_parameters(module, seed):
    """Biases, scales, shifts and statistics that say something; the weights stay."""
    random = np.random.default_rng(seed)
    ranges = {"scale": (0.4, 0.6), "variance": (0.5, 1.5)}
    with torch.no_grad():
        for name, tensor in module.tensors().items():
            kind = name.rsplit(".", 1)[1]
            if kind == "weights":
                continue
            values = random.uniform(*ranges.get(kind, (-0.2, 0.2)), tensor.shape)
            if kind == "shift" and count_norms(module) > 10:
                # ReLUs behind batch norms amplify rounding where half of their arguments are negative: shifts of two
                # deviations leave few, and networks of 50 layers remain comparable.
                values = values + 1
            tensor.copy_(torch.from_numpy(values))


def image_channels(module):
    name = next(each["name"] for each in module.meaning["inputs"] if each["role"] == "image")
    return module.nodes[module.input_values[name]]["options"]["channels"]


def make_batch(module, seed):
    """Noise, Gaussians at random places, some maps empty; weights of 0, 1 and between."""
    random = np.random.default_rng(seed)
    image = random.uniform(-0.5, 0.5, (BATCH, image_channels(module), SIZE, SIZE)).astype(np.float32)
    with torch.no_grad():
        maps = module.eval()(*pt.inputs_for(module, torch.from_numpy(image)))[-1]
    _, count, height, width = maps.shape
    points = torch.from_numpy(random.uniform(-0.2 * SIZE, 1.2 * SIZE, (BATCH, count, 2)))
    targets = pt.gaussians(points, height, width, SIZE / width, module.meaning["sigma_px"]).numpy()
    weights = np.round(random.uniform(-0.3, 1.3, (BATCH, count)).clip(0, 1) * 4).astype(np.float32) / 4
    return {"image": image, "targets": targets, "weights": weights}


def margin(module, image):
    """How near to a kink an activation's argument comes, or the two highest values of a pool's window to each other, in
    deviations of the map. One that is nearer than float32 can tell passes a gradient on one side and stops it on the
    other."""
    nearest = [float("inf")]

    def watched(kinks, operation):
        def compute_and_watch(network, options, srcs, parameters):
            for kink in kinks:
                nearest[0] = min(nearest[0], float((srcs[0] - kink).abs().min() / srcs[0].std()))
            return operation(network, options, srcs, parameters)
        return compute_and_watch

    kept = dict(pt.OPERATIONS)

    def watch_pool(network, options, srcs, parameters):
        window, stride = options["window"], options["stride"] or options["window"]
        windows = srcs[0].unfold(2, window, stride).unfold(3, window, stride).flatten(4)
        highest = windows.topk(2, dim=4).values
        gaps = highest[..., 0] - highest[..., 1]  # zeros behind a ReLU tie, and pass nothing whichever is taken
        if (gaps > 0).any():
            nearest[0] = min(nearest[0], float(gaps[gaps > 0].min() / srcs[0].std()))
        return kept["max_pool"](network, options, srcs, parameters)

    pt.OPERATIONS.update({name: watched(kinks, kept[name]) for name, kinks in KINKS.items()})
    pt.OPERATIONS["max_pool"] = watch_pool
    module.train()
    with torch.no_grad():
        module(*pt.inputs_for(module, torch.from_numpy(image)))
    pt.OPERATIONS.update(kept)
    return nearest[0]


def make_case(programs, network, folder):
    """A model file and a batch: of some seeds the one whose gradients depend least on rounding."""
    first, second, model = (folder / name for name in ("first.safetensors", "second.safetensors", "model.safetensors"))
    run(programs / "new_model", network, first)
    module = pt.load(first)
    pt.save(module, second)
    if first.read_bytes() != second.read_bytes():
        sys.exit(f"{network}: a file that was loaded and saved has other bytes")
    margins = {}
    for seed in range(SEEDS if count_norms(module) > 0 else SEEDS_WITHOUT_NORM):
        draw_parameters(module, seed)
        module.dropout, module.slice = False, SLICE
        margins[seed] = margin(module, make_batch(module, seed)["image"])
    seed = max(margins, key=margins.get)
    draw_parameters(module, seed)
    batch = make_batch(module, seed)
    pt.save(module, model)
    pt.write_safetensors(folder / "batch.safetensors", batch)
    return model, batch


def compute(module, batch, loss):
    """What dump_gradients writes, computed here."""
    dump = {}
    inputs = pt.inputs_for(module, torch.from_numpy(batch["image"]))
    targets, weights = torch.from_numpy(batch["targets"]), torch.from_numpy(batch["weights"])
    module.dropout, module.slice = False, SLICE
    module.eval()
    with torch.no_grad():
        for stage, maps in enumerate(module(*inputs)):
            dump[f"inference/{stage}"] = maps.numpy()
    module.train()
    module.before_softmax = loss == "cross_entropy"
    outputs = module(*inputs)
    losses = [pt.LOSSES[loss](maps, targets, weights) for maps in outputs]
    sum(losses).backward()
    for stage, maps in enumerate(outputs):
        dump[f"training/{stage}"] = maps.detach().numpy()
    dump["losses"] = np.array([each.item() for each in losses])
    for name, tensor in module.tensors().items():
        if isinstance(tensor, torch.nn.Parameter):
            if tensor.requires_grad:
                dump[f"gradients/{name}"] = tensor.grad.numpy()
            else:
                dump[f"running/{name}"] = tensor.detach().numpy()
        else:
            dump[f"running/{name}"] = tensor.numpy()
    return dump


def differences(ours, theirs):
    """By kind: the worst tensor's largest difference as a part of its largest value, but of no less than a twentieth of
    the largest in its block; and the tensor's name."""
    if sorted(ours) != sorted(theirs):
        sys.exit(f"other tensors: {sorted(set(ours) ^ set(theirs))[:6]}")
    largest, of_block = {}, {}
    for name, values in theirs.items():
        block = name.rpartition(".")[0] or name
        largest[name] = np.abs(values).max()
        of_block[block] = max(of_block.get(block, 0), largest[name])
    worst = {}
    for name in ours:
        # Sums that cancel, as the gradient of a shift in front of another batch norm, keep the rounding of their terms.
        kind, block = name.split("/")[0], name.rpartition(".")[0] or name
        scale = max(largest[name], 0.05 * of_block[block], 1e-30)
        difference = np.abs(ours[name].astype(np.float64) - theirs[name]).max() / scale
        if not difference <= worst.get(kind, (-1, ""))[0]:  # a NaN is the worst
            worst[kind] = (difference, name)
    return worst


def check_network(programs, network, losses, folder):
    name = pathlib.Path(network).stem
    folder = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    model, batch = make_case(programs, network, folder)
    fine = True
    for loss in losses:
        run(programs / "dump_gradients", model, folder / "batch.safetensors", folder / "dump.safetensors", loss, SLICE)
        ours = pt.read_safetensors(folder / "dump.safetensors")[1]
        worst = differences(ours, compute(pt.load(model), batch, loss))
        print(f"{name:24} {loss:14}" + "".join(f" {worst.get(kind, (0, ''))[0]:10.1e}" for kind in BOUNDS), flush=True)
        for kind, (difference, tensor) in worst.items():
            if not difference <= BOUNDS[kind]:
                print(f"  {tensor}: differs by {difference:.1e} of its largest value, more than {BOUNDS[kind]:.0e}")
                fine = False
    return fine


def check_networks(arguments):
    programs = arguments.programs
    losses = [loss for loss in run(programs / "dump_gradients").split() if loss in pt.LOSSES]
    networks = run(programs / "new_model").split() + [str(HERE / name) for name in ("every_operation.json", "grey.json")]
    print(f"{'network':24} {'loss':14}" + "".join(f" {kind:>10}" for kind in BOUNDS))
    chosen = [each for each in networks if arguments.only in (None, pathlib.Path(each).stem)]
    return all([check_network(programs, network, losses, arguments.folder) for network in chosen])


def check_stored_types(programs, folder):
    """Weights in 16 bits are read as NumPy rounds them, and written as they were; those that have changed as F32."""
    folder = folder / "stored_types"
    folder.mkdir(parents=True, exist_ok=True)
    full, narrow, again = (folder / f"{name}.safetensors" for name in ("full", "narrow", "again"))
    run(programs / "new_model", "scaling-dilation-small", full)
    exact = pt.read_safetensors(full)[1]

    def nearest_bf16(values):
        bits = values.view(np.uint32).astype(np.uint64)
        return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16 << 16).astype(np.uint32).view(np.float32)

    for dtype, rounded in ("F16", lambda values: values.astype(np.float16).astype(np.float32)), ("BF16", nearest_bf16):
        run(programs / "new_model", "scaling-dilation-small", narrow, 1, dtype.lower())
        tensors, dtypes = pt.read_safetensors(narrow)[1], pt.read_dtypes(narrow)
        for name, values in exact.items():
            stored = dtype if values.ndim > 1 else "F32"
            if dtypes[name] != stored or not np.array_equal(tensors[name], rounded(values) if values.ndim > 1 else values):
                print(f"{dtype}: {name} is {dtypes[name]}, and not {stored} of the rounded values")
                return False
        module = pt.load(narrow)
        pt.save(module, again)
        if again.read_bytes() != narrow.read_bytes():
            print(f"{dtype}: a file that was loaded and saved has other bytes")
            return False
        changed = next(name for name, each in dtypes.items() if each == dtype)
        with torch.no_grad():
            module.tensors()[changed].mul_(1 / 3)
        pt.save(module, again)
        if pt.read_dtypes(again) != {**dtypes, changed: "F32"}:
            print(f"{dtype}: {changed} has changed, and is not stored as F32")
            return False
    return True


def check_rates(programs):
    """Every schedule, with a warm-up, in every step of a run."""
    options = {"rate": 2e-3, "warmup_steps": 5, "final_fraction": 0.01, "epochs": 9, "cooldown_epochs": 3,
               "rate_step_epochs": 4, "rate_step_factor": 0.3}
    steps_per_epoch = 7
    lines = run(programs / "dump_rates", *(options[key] for key in ("rate", "warmup_steps", "final_fraction")),
                steps_per_epoch, *(options[key] for key in
                                   ("epochs", "cooldown_epochs", "rate_step_epochs", "rate_step_factor"))).splitlines()
    ours = {line.split()[0]: np.array(line.split()[1:], float) for line in lines}
    if sorted(ours) != sorted(train_twin.SCHEDULES):
        print(f"schedules: {sorted(ours)}, the twin has {sorted(train_twin.SCHEDULES)}")
        return False
    for name, rates in ours.items():
        theirs = [train_twin.rate_at({**options, "schedule": name}, step, steps_per_epoch)
                  for step in range(options["epochs"] * steps_per_epoch)]
        if not np.allclose(rates, theirs, rtol=1e-12, atol=0):
            print(f"{name}: the rates differ first in step {np.flatnonzero(~np.isclose(rates, theirs, rtol=1e-12))[0]}")
            return False
    return True


# ---- Training ----


def draw_people(count, joint_set):
    """Stick figures on noise: photographs cut around them and larger ones, some joints unknown, some outside."""
    random = np.random.default_rng(1)
    stand = np.array([[-9, 40], [-8, 22], [-6, 2], [6, 2], [8, 22], [9, 40], [-22, 4], [-18, -12], [-10, -28],
                      [10, -28], [18, -12], [22, 4], [0, -30], [0, -44]])  # LSP's joints of a person 84 pixels tall
    people = []
    for number in range(count):
        whole = number % 3 == 0
        size = (120, 110) if whole else (240, 200)
        joints = stand * random.uniform(0.8, 1.1) + random.uniform(-4, 4, stand.shape) + np.array(size) / 2
        weights = random.choice([0, 0.5, 1], len(joints), p=[0.1, 0.2, 0.7])
        if number % 5 == 0:
            joints[0] = (size[0] + 5, size[1] - 5)  # beyond the photograph
        picture = Image.fromarray(random.integers(90, 166, (size[1], size[0], 3), np.uint8))
        pen = ImageDraw.Draw(picture)
        for limb in joint_set["limbs"]:
            ends = [tuple(joints[joint_set["joints"].index(limb[end])]) for end in ("from", "to")]
            pen.line(ends, tuple(limb["rgb"]), 4)
        labels = np.column_stack([joints, weights])
        people.append((np.asarray(picture), labels, None if whole else labels))
    return people


def train(model, data, run_folder, *options):
    return run(sys.executable, INTEROP / "train_twin.py", "--model", model, "--data", data, "--run", run_folder,
               "--device", "cpu", "--batch", 16, "--warmup-steps", 2, "--average-decay", 0.999, "--log-steps", 1,
               *options)


def check_training(programs, folder):
    """Three steps at once and as one and two: the same bytes, and a file that posemachine reads and agrees on."""
    folder = folder / "training"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    start, data = folder / "start.safetensors", folder / "people.npz"
    run(programs / "new_model", "scaling-dilation-small", start)
    pack_crops.pack(draw_people(40, pt.load(start).meaning["joint_set"]), data)
    for loss in pt.LOSSES:
        whole, parts = folder / f"{loss}_whole", folder / f"{loss}_parts"
        print(train(start, data, whole, "--steps", 3, "--loss", loss), end="")
        train(start, data, parts, "--steps", 1, "--loss", loss)
        train(start, data, parts, "--steps", 3, "--loss", loss)
        trained = whole / "model.safetensors"
        if trained.read_bytes() != (parts / "model.safetensors").read_bytes():
            print(f"{loss}: a run that was stopped and one that was not differ")
            return False
        if trained.read_bytes() == start.read_bytes():
            print(f"{loss}: training changed nothing")
            return False
        module = pt.load(trained)
        batch = make_batch(module, seed=0)
        pt.write_safetensors(folder / "batch.safetensors", batch)
        run(programs / "dump_gradients", trained, folder / "batch.safetensors", folder / "dump.safetensors")
        ours = pt.read_safetensors(folder / "dump.safetensors")[1]
        for stage, maps in enumerate(module.eval()(*pt.inputs_for(module, torch.from_numpy(batch["image"])))):
            theirs = maps.detach().numpy()
            if not np.abs(ours[f"inference/{stage}"] - theirs).max() <= BOUNDS["inference"] * np.abs(theirs).max():
                print(f"{loss}: posemachine reads another network from {trained}")
                return False
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=pathlib.Path, required=True, help="where new_model and dump_gradients are")
    parser.add_argument("--only", help="one network, and no training")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("twin"), help="for the files made here")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if not check_networks(arguments):
        sys.exit("posemachine and its twin disagree")
    print("posemachine and its twin agree", flush=True)
    if arguments.only is None and not check_stored_types(arguments.programs, arguments.folder):
        sys.exit("posemachine and its twin store weights otherwise")
    if arguments.only is None and not check_rates(arguments.programs):
        sys.exit("posemachine and its twin have other learning rates")
    if arguments.only is None and not check_training(arguments.programs, arguments.folder):
        sys.exit("the twin does not train as it should")


if __name__ == "__main__":
    main()
