#!/usr/bin/env python3
"""Packs LSP 1-900 and LSPET as small crops in one .npz file, for train_twin.py on another machine.

    pack_crops.py --lsp DIR --lspet DIR [--lsp-labels FILE.mat] [--lspet-labels FILE.mat] OUT.npz

A crop is the training square of include/posemachine/data/loader.hpp, 1.43 times as wide: augmentation makes people as
small as 0.7, and then sees that much. FILE.mat holds other labels, 14 x 3 x images: x, y (pixels from 1) and a weight
from 0 to 1; FILE.mat:NAME takes its array NAME instead of "suggested".
The data sets are for research: keep OUT.npz to yourself, as you keep them. Needs numpy and Pillow.

    jpeg (bytes), ends (people): the crops, one after another, and where each one ends
    joints (people, 14, 2): x, y in pixels of the crop; weights (people, 14): 0 where nothing is known
    outside (people, 14): labelled, but beyond the photograph
    photograph (people, 4): left, top, right, bottom edges of the photograph in the crop
    size, context: pixels of a crop's side; the side in training squares
"""

import argparse
import io
import pathlib
import struct
import sys
import zlib

import numpy as np
from PIL import Image

CONTEXT = 1.43               # of a crop's side, in training squares: 1 / 0.7
LABELLED_BOX_CONTEXT = 1.33  # LoaderOptions::labelled_box_context
MIB = 1 << 20


# ---- MATLAB files, version 5: arrays of numbers ----

MAT_TYPES = {1: "i1", 2: "u1", 3: "<i2", 4: "<u2", 5: "<i4", 6: "<u4", 7: "<f4", 9: "<f8", 12: "<i8", 13: "<u8"}


def mat_elements(data):
    """(type, content) of each element."""
    at = 0
    while at + 8 <= len(data):
        kind, size = struct.unpack_from("<II", data, at)
        if kind >> 16:  # a small one: size and type in one word, the content in the next
            yield kind & 0xFFFF, data[at + 4:at + 4 + (kind >> 16)]
            at += 8
        else:
            yield kind, data[at + 8:at + 8 + size]
            at += 8 + (size if kind == 15 else (size + 7) // 8 * 8)


def read_mat(path, name):
    """The array of that name, as doubles."""
    names = []
    for kind, content in mat_elements(pathlib.Path(path).read_bytes()[128:]):
        if kind == 15:
            kind, content = next(mat_elements(zlib.decompress(content)))
        if kind != 14:
            continue
        _, (_, extents), (_, label), *values = mat_elements(content)
        names.append(label.decode())
        if names[-1] == name and values and values[0][0] in MAT_TYPES:
            numbers = np.frombuffer(values[0][1], MAT_TYPES[values[0][0]]).astype(np.float64)
            return numbers.reshape(np.frombuffer(extents, "<i4"), order="F")
    sys.exit(f"{path}: expected an array {name}, got {', '.join(names) or 'none'}")


# ---- Data sets ----


def read_labels(text):
    """FILE.mat or FILE.mat:NAME: (people, 14, 3), x and y in pixels from 0, weight."""
    path, _, name = text.partition(":")
    labels = read_mat(path, name or "suggested").transpose(2, 0, 1).copy()
    labels[..., :2] -= 1
    return clean(labels)


def clean(labels):
    labels[~np.isfinite(labels).all(2)] = 0
    labels[labels[..., 2] <= 0] = 0
    return labels


def read_lsp(folder, labels=None, last=900):
    """(path, labels (14, 3), None) of LSP's training people: the photograph is cut around its person."""
    joints = read_mat(folder / "joints.mat", "joints").transpose(2, 1, 0).copy()  # the flag says occluded, not unknown
    joints[..., :2] -= 1
    joints[..., 2] = 1
    joints = clean(joints) if labels is None else read_labels(labels)
    return [(folder / "images" / f"im{i + 1:04d}.jpg", joints[i], None) for i in range(last)]


def read_lspet(folder, labels=None):
    """(path, labels (14, 3), labels that the square is around): those of joints.mat, so that crops are the same for any
    labels."""
    joints = read_mat(folder / "joints.mat", "joints").transpose(2, 0, 1).copy()
    joints[..., :2] -= 1
    joints = clean(joints)
    used = joints if labels is None else read_labels(labels)
    return [(folder / "images" / f"im{i + 1:05d}.jpg", used[i], joints[i]) for i in range(len(joints))]


# ---- Crops ----


def beyond(labels, width, height):
    """Whether joints are labelled, but outside the photograph."""
    x, y = labels[:, 0], labels[:, 1]
    return (labels[:, 2] > 0) & ~((x >= -0.5) & (x < width - 0.5) & (y >= -0.5) & (y < height - 0.5))


def training_square(framed, width, height, image_scale):
    """Centre and side, in pixels whose centres are whole numbers: training_square() of data/loader.hpp."""
    if framed is not None:
        seen = framed[(framed[:, 2] > 0) & ~beyond(framed, width, height), :2]
        box = seen.max(0) - seen.min(0) if len(seen) else np.zeros(2)
        if box.max() >= 2:
            return (seen.max(0) + seen.min(0)) / 2, LABELLED_BOX_CONTEXT * image_scale * box.max()
    return (np.array([width, height]) - 1) / 2, image_scale * max(width, height)


def cut(image, centre, side, size):
    """The square of the photograph, its last pixels going on beyond its edges."""
    left, top = np.floor(centre - side / 2).astype(int) - 2
    right, bottom = np.ceil(centre + side / 2).astype(int) + 3
    rows = np.arange(top, bottom).clip(0, image.shape[0] - 1)
    columns = np.arange(left, right).clip(0, image.shape[1] - 1)
    edge = centre - side / 2 + 0.5 - (left, top)  # of the square, in what is cut; Pillow counts from edges
    return Image.fromarray(image[rows[:, None], columns]).resize((size, size), Image.BILINEAR,
                                                                 box=(*edge, *(edge + side)))


def crop_person(image, labels, framed, size, image_scale):
    """The crop, joints (14, 2) in it, weights, outside, and the photograph's edges in it."""
    height, width = image.shape[:2]
    centre, side = training_square(framed, width, height, image_scale)
    side *= CONTEXT
    scale = size / side

    def to_crop(point):
        return (np.asarray(point) - centre) * scale + (size - 1) / 2

    edges = np.concatenate([to_crop((-0.5, -0.5)), to_crop((width - 0.5, height - 0.5))])
    return (cut(image, centre, side, size), to_crop(labels[:, :2]), labels[:, 2], beyond(labels, width, height), edges)


def encode(picture, quality):
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=quality)
    return data.getvalue()


def crop_of(person, size, image_scale):
    photo, labels, framed = person
    pixels = photo if isinstance(photo, np.ndarray) else np.asarray(Image.open(photo).convert("RGB"))
    return crop_person(pixels, labels, framed, size, image_scale)


def pack(people, out, size=160, image_scale=1.0, most_mib=50, progress=None):
    """`people`: (path or pixels (h, w, 3), labels (14, 3), labels that the square is around; None: the whole
    photograph). Returns the JPEG quality and the file's bytes; the quality is the best one that keeps the file small
    enough, found on every 25th person."""
    some = [crop_of(person, size, image_scale)[0] for person in people[::25]]
    room = most_mib * MIB - 400 * len(people) - MIB // 10  # less the labels
    for quality in range(96, 30, -2):
        if 1.02 * np.mean([len(encode(picture, quality)) for picture in some]) * len(people) < room:
            break
    jpegs, facts = [], []
    for number, person in enumerate(people):
        picture, *rest = crop_of(person, size, image_scale)
        jpegs.append(encode(picture, quality))
        facts.append(rest)
        if progress and number % 1000 == 999:
            progress(f"{number + 1} of {len(people)} people")
    joints, weights, outside, photograph = (np.stack(each) for each in zip(*facts))
    with open(out, "wb") as file:
        np.savez(file, jpeg=np.frombuffer(b"".join(jpegs), np.uint8), ends=np.cumsum([len(each) for each in jpegs]),
                 joints=joints.astype(np.float32), weights=weights.astype(np.float32), outside=outside,
                 photograph=photograph.astype(np.float32), size=size, context=CONTEXT)
    return quality, pathlib.Path(out).stat().st_size


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lsp", type=pathlib.Path, help="the folder with joints.mat and images/")
    parser.add_argument("--lspet", type=pathlib.Path)
    parser.add_argument("--lsp-labels")
    parser.add_argument("--lspet-labels")
    parser.add_argument("--size", type=int, default=160, help="pixels of a crop's side (default: 160)")
    parser.add_argument("--image-scale", type=float, default=1.0, help="crop.image_scale of the model (default: 1)")
    parser.add_argument("--mib", type=float, default=50, help="most MiB of the file (default: 50)")
    parser.add_argument("out")
    arguments = parser.parse_args()
    people = []
    if arguments.lsp:
        people += read_lsp(arguments.lsp, arguments.lsp_labels)
    if arguments.lspet:
        people += read_lspet(arguments.lspet, arguments.lspet_labels)
    if not people:
        sys.exit("expected --lsp DIR or --lspet DIR, got neither")
    quality, size = pack(people, arguments.out, arguments.size, arguments.image_scale, arguments.mib, print)
    print(f"{arguments.out}: {len(people)} people, {size / MIB:.1f} MiB, JPEG quality {quality}")


if __name__ == "__main__":
    main()
