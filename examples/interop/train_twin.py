#!/usr/bin/env python3
"""Trains a posemachine network in PyTorch, on a GPU where there is one, by the rules of posemachine train.

    train_twin.py --model START.safetensors --data PACKED.npz --run FOLDER [--minutes 9] [OPTIONS]

START is a model file, such as interop/new_model writes; PACKED is what pack_crops.py writes. The run saves everything
in FOLDER/state.pt (weights, optimiser, average, step) at the end of every epoch and when it stops; the same command
again goes on, to the numbers of a run that was never stopped. FOLDER/model.safetensors is the model so far, of averaged
weights where they are kept, for posemachine evaluate.

As in the library: targets, their weights, distributions of augmentation, AdamW and what decays, warm-up and cosine,
moving average, batch norm's statistics by slices. Not as there: the draws themselves, and crops of which the training
square is 1 / 1.43, in place of the photographs. Needs torch, numpy and Pillow (it decodes the crops).
"""

import argparse
import io
import json
import math
import os
import pathlib
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

import posemachine_torch as pt

# Names and defaults of posemachine train; what they are: docs/how_to/train_on_lsp.md.
OPTIONS = {
    "seed": 1, "epochs": 30, "batch": 32, "slice": 8, "rate": 2e-3, "schedule": "cosine", "warmup_steps": 200,
    "final_fraction": 0.01, "cooldown_epochs": 0, "rate_step_epochs": 10, "rate_step_factor": 0.1,
    "weight_decay": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "average_decay": 0.0,
    "rotation_deg": 40.0, "scale_min": 0.7, "scale_max": 1.3, "flip": 0.5, "shift": 0.05, "brightness": 0.1,
    "contrast": 0.2, "colour": 0.1, "turn": 0.0, "close_up": 0.0, "cutout": 0.0,
}


class People:
    """The packed crops. On a GPU all of them stay decoded in its memory (0.8 GiB for LSP and LSPET)."""

    def __init__(self, path, device):
        file = np.load(path)
        self.jpeg, self.ends = file["jpeg"], file["ends"]
        self.joints, self.weights, self.outside = file["joints"], file["weights"], file["outside"]
        self.photograph = file["photograph"]
        self.size, self.context = int(file["size"]), float(file["context"])
        self.device = device
        self.resident = None
        if device.type == "cuda":
            self.resident = self._decode(range(len(self))).to(device)

    def __len__(self):
        return len(self.ends)

    def _decode(self, chosen):
        begins = [int(self.ends[i - 1]) if i else 0 for i in chosen]
        pixels = [np.asarray(Image.open(io.BytesIO(self.jpeg[begin:self.ends[i]].tobytes())))
                  for i, begin in zip(chosen, begins)]
        return torch.from_numpy(np.stack(pixels).transpose(0, 3, 1, 2))

    def crops(self, chosen):
        """(N, 3, size, size), 0 to 255."""
        if self.resident is not None:
            return self.resident[torch.as_tensor(chosen, device=self.device)].float()
        return self._decode(chosen).float()


# ---- Batches ----


def draw_augmentation(options, count, width, height, random):
    """draw_augmentation() of data/augment.hpp for `count` people. Affine maps (N, 2, 3) from input pixels to pixels of
    the training square at the input's scale, mirrored (N), gain and bias (N, 3), the joint that a close-up is drawn
    around, as a share of them (N; NaN: the whole person is seen), cut-outs (N, 4): left, top, right, bottom."""
    def uniform(low, high, *shape):
        return random.uniform(low, high, (count, *shape))

    angle = uniform(-options["rotation_deg"], options["rotation_deg"])
    zoom = uniform(options["scale_min"], options["scale_max"])
    shift = uniform(-options["shift"], options["shift"], 2) * (width, height)
    mirrored = uniform(0, 1) < options["flip"]
    brightness = 255 * uniform(-options["brightness"], options["brightness"], 1)
    contrast = uniform(1 - options["contrast"], 1 + options["contrast"], 1)
    gain = contrast * uniform(1 - options["colour"], 1 + options["colour"], 3)
    bias = np.broadcast_to(128 * (1 - contrast) + brightness, gain.shape)
    angle = np.deg2rad(np.where(uniform(0, 1) < options["turn"], uniform(-180, 180), angle))
    close_ups = np.where(uniform(0, 1) < options["close_up"], uniform(0, 1), np.nan)
    half = uniform(0.15, 0.4, 2) * (width, height) / 2 * (uniform(0, 1, 1) < options["cutout"])
    at = uniform(0, 1, 2) * (width, height)
    cutouts = np.concatenate([at - half, at + half], 1)
    c, s, middle = np.cos(angle) / zoom, np.sin(angle) / zoom, np.array([(width - 1) / 2, (height - 1) / 2])
    turn = np.stack([np.stack([c, -s], 1), np.stack([s, c], 1)], 1)
    turn[mirrored, :, 0] *= -1  # x -> W - 1 - x comes first
    maps = np.concatenate([turn, (middle + shift - turn @ middle)[:, :, None]], 2)
    return maps, mirrored, gain, bias, close_ups, cutouts


def close_up_square(joints, seen, side, which):
    """close_up_square() of data/augment.hpp: the centre (2) and the side, of joints (J, 2), those labelled within the
    photograph; None where they are too few."""
    joints = joints[seen]
    if len(joints) < 4:
        return None
    chosen = joints[int(which * len(joints))]
    nearest = joints[np.argsort(np.hypot(*(joints - chosen).T), kind="stable")[:(len(joints) + 1) // 2]]
    low, high = nearest.min(0), nearest.max(0)
    return (low + high) / 2, min(max(1.5 * (high - low).max(), 0.4 * side), side)


def sample_crops(crops, maps, photograph, height, width):
    """Bilinear samples of crops (N, 3, S, S) through maps (N, 2, 3) from input to crop pixels: pixels (N, 3, H, W), and
    how much of each lies in the photograph. Where a map shrinks, 2 x 2 samples are averaged, as warp() does."""
    size = crops.shape[-1]
    shrinks = (maps[:, :, :2] ** 2).sum(1).amax(1).sqrt() > 1 + 1e-6
    y, x = torch.meshgrid(torch.arange(height, device=crops.device), torch.arange(width, device=crops.device),
                          indexing="ij")
    grid = torch.stack([x, y, torch.ones_like(x)], 2).to(maps.dtype)          # (H, W, 3)
    at = torch.einsum("nij,hwj->nhwi", maps, grid)                            # (N, H, W, 2): x, y
    edges = torch.cat([photograph[:, :2].clamp(min=-0.5), photograph[:, 2:].clamp(max=size - 0.5)], 1)[:, None, None]
    pixels, covered = 0, 0
    for u, v in ((-0.25, -0.25), (0.25, -0.25), (-0.25, 0.25), (0.25, 0.25)):
        offset = (maps[:, :, 0] * u + maps[:, :, 1] * v) * shrinks[:, None]
        point = at + offset[:, None, None]
        pixels = pixels + F.grid_sample(crops, 2 * point / (size - 1) - 1, "bilinear", "border", align_corners=True)
        inside = (point - edges[..., :2] + 0.5).clamp(0, 1) * (edges[..., 2:] - point + 0.5).clamp(0, 1)
        covered = covered + inside.prod(3)
    return pixels / 4, (covered / 4)[:, None]


def make_targets(module, points, weights, outside, height, width, stride, maps):
    """render_targets() of pose/targets.hpp with masked unlabelled joints: maps (N, maps, h, w), weights (N, maps)."""
    targets = pt.gaussians(points, height, width, stride, module.meaning["sigma_px"])
    targets = targets * ((weights > 0) & ~outside)[:, :, None, None]
    if maps == points.shape[1] + 1:  # the background: what the joints leave of 1
        targets = torch.cat([targets, 1 - targets.amax(1, keepdim=True)], 1)
        weights = torch.cat([weights, weights.amin(1, keepdim=True)], 1)
    return targets, weights


class Batches:
    """Batches as a function of the step alone, so that a run can go on anywhere."""

    def __init__(self, module, people, options, device):
        meaning = module.meaning
        self.module, self.people, self.options, self.device = module, people, options, device
        self.height, self.width = meaning["input_height"], meaning["input_width"]
        joints = meaning["joint_set"]["joints"]
        if len(joints) != people.joints.shape[1]:
            sys.exit(f"people: expected {len(joints)} joints, as the model has, got {people.joints.shape[1]}")
        self.partner = list(range(len(joints)))
        for left, right in meaning["joint_set"]["pairs"]:
            left, right = joints.index(left), joints.index(right)
            self.partner[left], self.partner[right] = right, left

    def steps_per_epoch(self):
        return len(self.people) // self.options["batch"]

    def __call__(self, step):
        """Normalised images (N, 3, H, W), joints (N, J, 2) in input pixels, weights and outside (N, J)."""
        epoch, within = divmod(step, self.steps_per_epoch())
        count, people = self.options["batch"], self.people
        order = np.random.default_rng((self.options["seed"], 2, epoch)).permutation(len(people))
        chosen = order[within * count:(within + 1) * count]
        random = np.random.default_rng((self.options["seed"], 3, step))
        maps, mirrored, gain, bias, close_ups, cutouts = draw_augmentation(self.options, count, self.width,
                                                                           self.height, random)
        middle = np.array([(self.width - 1) / 2, (self.height - 1) / 2])
        for i, which in enumerate(close_ups):
            centre, side = np.full(2, (people.size - 1) / 2), people.size / people.context
            if np.isfinite(which):
                seen = (people.weights[chosen[i]] > 0) & ~people.outside[chosen[i]].astype(bool)
                centre, side = close_up_square(people.joints[chosen[i]], seen, side, which) or (centre, side)
            step = side / min(self.height, self.width)
            maps[i] *= step
            maps[i, :, 2] += centre - step * middle

        points = np.linalg.solve(maps[:, None, :, :2], (people.joints[chosen] - maps[:, None, :, 2])[..., None])[..., 0]
        weights, outside = people.weights[chosen].copy(), people.outside[chosen].copy()
        for each in (points, weights, outside):
            each[mirrored] = each[mirrored][:, self.partner]

        def tensor(array):
            return torch.as_tensor(np.ascontiguousarray(array, np.float32), device=self.device)

        pixels, covered = sample_crops(people.crops(chosen), tensor(maps), tensor(people.photograph[chosen]),
                                       self.height, self.width)
        pixels = (pixels * tensor(gain)[:, :, None, None] + tensor(bias)[:, :, None, None]).clamp(0, 255)
        if self.module.meaning["colour_order"] == "bgr":
            pixels = pixels.flip(1)
        normalisation = self.module.meaning["normalisation"]
        mean, scale = (tensor(normalisation[key])[:, None, None] for key in ("mean", "scale"))
        x, y = torch.arange(self.width, device=self.device) + 0.5, torch.arange(self.height, device=self.device) + 0.5
        left, top, right, bottom = tensor(cutouts).T[:, :, None]
        hidden = ((y >= top) & (y < bottom))[:, :, None] & ((x >= left) & (x < right))[:, None, :]
        covered = covered * ~hidden[:, None]
        return (covered * (pixels - mean) * scale, tensor(points), tensor(weights),
                torch.as_tensor(outside, device=self.device))


# ---- Training ----


def cosine(options, position, step, steps_per_epoch):
    return falling_from_one(options, 0.5 * (1 + math.cos(math.pi * position)))


def polynomial(options, position, step, steps_per_epoch):
    return falling_from_one(options, (1 - position) ** 0.9)


def constant(options, position, step, steps_per_epoch):
    """Falls linearly over the last cooldown_epochs."""
    if options["cooldown_epochs"] == 0:
        return 1
    left = (options["epochs"] - step / steps_per_epoch) / options["cooldown_epochs"]
    return falling_from_one(options, min(max(left, 0), 1))


def step_down(options, position, step, steps_per_epoch):
    return options["rate_step_factor"] ** (step // (options["rate_step_epochs"] * steps_per_epoch))


def falling_from_one(options, part):
    """1 where part is 1, final_fraction where it is 0."""
    return options["final_fraction"] + (1 - options["final_fraction"]) * part


# RateSchedules of training/schedules/, without the one that needs validation.
SCHEDULES = {"constant": constant, "cosine": cosine, "polynomial": polynomial, "step": step_down}


def rate_at(options, step, steps_per_epoch):
    """rate_at() of training/learning_rate.hpp: a linear warm-up times a schedule of what follows."""
    warmup, total = options["warmup_steps"], options["epochs"] * steps_per_epoch
    position = min(max((step - warmup) / max(1, total - warmup), 0), 1)
    rate = options["rate"] * SCHEDULES[options["schedule"]](options, position, step, steps_per_epoch)
    return rate * (step + 1) / warmup if step < warmup else rate


class Run:
    """Everything that a step changes."""

    def __init__(self, arguments, device):
        self.device, self.options, self.loss = device, {key: getattr(arguments, key) for key in OPTIONS}, arguments.loss
        self.module = pt.load(arguments.model).to(device).train()
        frames = self.module.meaning.get("frames", [0])
        if frames != [0]:
            raise SystemExit("train_twin: expected a model of one frame, which pack_crops.py packs, got frames "
                             f"{frames}; train it with posemachine train")
        self.module.slice = self.options["slice"]
        self.module.before_softmax = self.loss == "cross_entropy"
        if self.options["flip"] > 0:  # the answer for the mirrored image is as good, as after posemachine train
            self.module.meaning["decoder"]["flip_average"] = True
        self.people = People(arguments.data, device)
        self.batches = Batches(self.module, self.people, self.options, device)
        if self.batches.steps_per_epoch() < 1:
            sys.exit(f"{arguments.data}: expected at least a batch of {self.options['batch']} people, got "
                     f"{len(self.people)}")
        trained = [each for each in self.module.parameters() if each.requires_grad]
        # Biases and batch norm's scale and shift do not decay: Optimizer with decay_vectors off.
        decay = self.options["weight_decay"]
        groups = [{"params": [each for each in trained if each.dim() > 1], "weight_decay": decay},
                  {"params": [each for each in trained if each.dim() <= 1], "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=self.options["rate"], eps=self.options["epsilon"],
                                           betas=(self.options["beta1"], self.options["beta2"]))
        self.average = None
        if self.options["average_decay"] > 0:
            self.average = {name: each.detach().clone() for name, each in self.module.tensors().items()}
        self.step, self.total = 0, self.batches.steps_per_epoch() * self.options["epochs"]

    def rate_at(self, step):
        return rate_at(self.options, step, self.batches.steps_per_epoch())

    def train_step(self):
        """Losses by stage."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate_at(self.step)
        torch.manual_seed(self.options["seed"] * 1_000_003 + self.step)  # dropout's draws, too, are the step's
        images, points, weights, outside = self.batches(self.step)
        outputs = self.module(*pt.inputs_for(self.module, images))
        _, maps, height, width = outputs[-1].shape
        targets, weights = make_targets(self.module, points, weights, outside, height, width,
                                        images.shape[3] / width, maps)
        losses = torch.stack([pt.LOSSES[self.loss](each, targets, weights) for each in outputs])
        self.optimizer.zero_grad(set_to_none=True)
        losses.sum().backward()
        self.optimizer.step()
        self.update_average()
        self.step += 1
        return losses.detach()

    @torch.no_grad()
    def update_average(self):
        """WeightAverage of training/weight_average.hpp: batch norm's statistics are averaged, too."""
        if self.average is None:
            return
        decay = min(self.options["average_decay"], (2 + self.step) / (11 + self.step))
        for name, tensor in self.module.tensors().items():
            self.average[name].lerp_(tensor.detach(), 1 - decay)

    def facts(self):
        """What must be the same for a run to go on."""
        return {"options": self.options, "loss": self.loss, "people": len(self.people),
                "graph": self.module.metadata["posemachine.graph"]}

    def save(self, folder):
        state = {"facts": self.facts(), "step": self.step, "weights": self.module.state_dict(),
                 "optimizer": self.optimizer.state_dict(), "average": self.average}
        torch.save(state, folder / "state.pt.part")
        os.replace(folder / "state.pt.part", folder / "state.pt")
        pt.save(self.module, folder / "model.safetensors", self.average)

    def restore(self, folder):
        state = torch.load(folder / "state.pt", map_location=self.device)
        state["facts"]["options"] = {**OPTIONS, **state["facts"]["options"]}  # an older run's lack newer options
        for key, value in self.facts().items():
            if state["facts"][key] != value:
                sys.exit(f"{folder}: expected {key} of the run, got others; leave them as they were, or give another "
                         f"--run\n  run: {str(state['facts'][key])[:300]}\n  now: {str(value)[:300]}")
        self.step, self.average = state["step"], state["average"]
        self.module.load_state_dict(state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="the model file that the run begins with")
    parser.add_argument("--data", required=True, help="people, packed by pack_crops.py")
    parser.add_argument("--run", required=True, type=pathlib.Path, help="the run's folder; one that is there goes on")
    parser.add_argument("--loss", choices=sorted(pt.LOSSES), default="squared_error")
    parser.add_argument("--minutes", type=float, default=math.inf, help="save and stop after so long")
    parser.add_argument("--steps", type=int, default=None, help="save and stop after this step of the run")
    parser.add_argument("--log-steps", type=int, default=50, help="steps between lines (default: 50)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=1, help="of PyTorch on the processor (default: 1)")
    for key, value in OPTIONS.items():
        parser.add_argument("--" + key.replace("_", "-"), type=type(value), default=value, help=f"default: {value}",
                            choices=sorted(SCHEDULES) if key == "schedule" else None)
    arguments = parser.parse_args()
    if arguments.cooldown_epochs and arguments.schedule != "constant":
        parser.error(f"--cooldown-epochs: expected 0 with the schedule {arguments.schedule}, got "
                     f"{arguments.cooldown_epochs}; only constant cools down")
    return arguments


def main():
    begun = time.monotonic()
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    run = Run(arguments, torch.device(arguments.device))
    arguments.run.mkdir(parents=True, exist_ok=True)
    if (arguments.run / "state.pt").is_file():
        run.restore(arguments.run)
    last = run.total if arguments.steps is None else min(run.total, arguments.steps)
    print(f"{'goes on' if run.step else 'begins'} at step {run.step} of {run.total}, {len(run.people)} people, "
          f"{arguments.device}", flush=True)
    losses, shown, since = 0, run.step, time.monotonic()
    while run.step < last and time.monotonic() - begun < 60 * arguments.minutes:
        losses = losses + run.train_step()
        if run.step % run.batches.steps_per_epoch() == 0:
            run.save(arguments.run)
        if run.step % arguments.log_steps and run.step != last:
            continue
        mean = [round(each, 4) for each in (losses / (run.step - shown)).tolist()]
        speed = (run.step - shown) * run.options["batch"] / (time.monotonic() - since)
        print(json.dumps({"step": run.step, "losses": mean, "images_per_second": round(speed, 1),
                          "rate": run.rate_at(run.step - 1)}), flush=True)
        if not all(math.isfinite(each) for each in mean):
            sys.exit(f"step {run.step}: expected finite losses; the last state that was saved is kept")
        losses, shown, since = 0, run.step, time.monotonic()
    run.save(arguments.run)
    print(f"saved after step {run.step} of {run.total}: {arguments.run / 'model.safetensors'}", flush=True)


if __name__ == "__main__":
    main()
