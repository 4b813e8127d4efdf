#!/usr/bin/env python3
"""Reads what write_events wrote with TensorBoard's own package: its accumulator, and its server with both loaders."""

import argparse
import io
import json
import logging
import pathlib
import shutil
import sys
import time
import urllib.parse
import urllib.request

import numpy
import PIL.Image
from tensorboard import program
from tensorboard.backend.event_processing import event_accumulator

LOSS, POSE = "loss/stage 1", "validation/pose"
SECONDS = 60  # a server may take so long to read the folder

# Losses and pictures by run: step and value. The resumed run forgot its steps after 5 and did 6 and 7 anew.
LOSSES = {
    "plain": [(step, 1 / step) for step in range(1, 9)],
    "resumed": [(step, (1 if step <= 5 else 100) / step) for step in range(1, 8)],
}
PICTURES = {"plain": [2, 4, 6, 8], "resumed": [2, 4, 6]}

problems = []


def expect(what, got, expected):
    if got != expected:
        problems.append(f"{what}: expected {expected}, got {got}")


def as_floats(points):
    return [(step, float(numpy.float32(value))) for step, value in points]


def check_png(what, png, step):
    with PIL.Image.open(io.BytesIO(png)) as picture:
        expect(f"{what}: format, mode and size", (picture.format, picture.mode, picture.size), ("PNG", "RGB", (37, 21)))
        pixels = numpy.asarray(picture.convert("RGB"))
    y, x = numpy.mgrid[0:21, 0:37]
    expect(f"{what}: pixels", bool((pixels == numpy.stack([x, y, numpy.full_like(x, step)], axis=2)).all()), True)


def accumulator(path, **options):
    # 0: keep every event.
    loaded = event_accumulator.EventAccumulator(
        str(path), size_guidance={event_accumulator.SCALARS: 0, event_accumulator.IMAGES: 0}, **options)
    loaded.Reload()
    return loaded


def scalars(loaded, tag):
    return [(event.step, event.value) for event in loaded.Scalars(tag)]


def check_accumulator(folder):
    """Everything of both runs, and that nothing was forgotten without being asked."""
    for run in ("plain", "resumed"):
        loaded = accumulator(folder / run)
        expect(f"{run}: file version", loaded.file_version, 2.0)
        expect(f"{run}: losses", scalars(loaded, LOSS), as_floats(LOSSES[run]))
        expect(f"{run}: steps of pictures", [event.step for event in loaded.Images(POSE)], PICTURES[run])
        for event in loaded.Images(POSE):
            what = f"{run}: picture of step {event.step}"
            expect(f"{what}: size", (event.width, event.height), (37, 21))
            check_png(what, event.encoded_image_string, event.step)
            expect(f"{what}: written within the hour", 0 <= time.time() - event.wall_time < 3600, True)
    expect("plain: far step", scalars(accumulator(folder / "plain"), "far"), [(2**40, -2.5)])
    expect("resumed: a tag that did not come again", scalars(accumulator(folder / "resumed"), "orphan"), [(5, 5.0)])
    kept = accumulator(folder / "resumed", purge_orphaned_data=False)
    expect("resumed: everything ever written", len(kept.Scalars(LOSS)), 8 + 2)


def check_torn(folder):
    """A file cut within its last event gives all others, and the run goes on in another file."""
    torn = folder / "torn"
    shutil.copytree(folder / "resumed", torn)
    first = min(torn.iterdir())
    first.write_bytes(first.read_bytes()[:-3])  # of orphan, step 7
    with open(max(torn.iterdir()), "ab") as last:
        last.write(first.read_bytes()[:50])  # the beginning of another event
    expect("torn: losses", scalars(accumulator(torn), LOSS), as_floats(LOSSES["resumed"]))
    alone = accumulator(first)
    expect("torn: the first file's losses", scalars(alone, LOSS), as_floats(LOSSES["plain"]))
    expect("torn: what stands before the cut", scalars(alone, "orphan"), [(5, 5.0)])


def get(url, **query):
    with urllib.request.urlopen(url + "?" + urllib.parse.urlencode(query), timeout=SECONDS) as answer:
        return answer.read()


def check_server(folder, load_fast):
    """What a browser is told. The fast loader forgets a tag's later steps when the tag comes again, not before."""
    board = program.TensorBoard()
    board.configure(argv=["check", "--logdir", str(folder), "--host", "127.0.0.1", "--port", "0",
                          "--load_fast", load_fast])
    url = board.launch().rstrip("/")
    end = time.monotonic() + SECONDS
    runs = ["plain", "resumed", "torn"]
    while sorted(json.loads(get(f"{url}/data/plugin/images/tags"))) != runs and time.monotonic() < end:
        time.sleep(0.2)
    where = f"server, load_fast={load_fast}"
    expect(f"{where}: runs", sorted(json.loads(get(f"{url}/data/plugin/scalars/tags"))), runs)
    for run in runs:
        same = "resumed" if run == "torn" else run
        points = json.loads(get(f"{url}/data/plugin/scalars/scalars", run=run, tag=LOSS))
        expect(f"{where}: {run}: losses", [(step, value) for _, step, value in points], as_floats(LOSSES[same]))
        pictures = json.loads(get(f"{url}/data/plugin/images/images", run=run, tag=POSE, sample=0))
        expect(f"{where}: {run}: steps of pictures", [entry["step"] for entry in pictures], PICTURES[same])
        for entry in pictures:
            what = f"{where}: {run}: picture of step {entry['step']}"
            query = dict(urllib.parse.parse_qsl(entry["query"]))
            check_png(what, get(f"{url}/data/plugin/images/individualImage", **query), entry["step"])


    orphan = json.loads(get(f"{url}/data/plugin/scalars/scalars", run="resumed", tag="orphan"))
    expect(f"{where}: resumed: a tag that did not come again", [step for _, step, _ in orphan],
           [5, 7] if load_fast == "true" else [5])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path, help="where write_events wrote")
    folder = parser.parse_args().folder.resolve()
    logging.getLogger("tensorboard").setLevel(logging.ERROR)  # it warns of what it forgets: that is what is checked
    check_accumulator(folder)
    check_torn(folder)
    for load_fast in ("false", "true"):
        check_server(folder, load_fast)
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"TensorBoard: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
