#!/usr/bin/env python3
"""Writes oks_cases.json: made-up people and estimates, and what pycocotools 2.0.8 makes of them.

    python3 -m venv env && env/bin/pip install pycocotools==2.0.8 numpy==1.26.4
    env/bin/python make_oks_cases.py oks_cases.json
"""
import contextlib
import io
import json
import random
import sys

import numpy
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

FIGURES = ["AP", "AP50", "AP75", "AP_medium", "AP_large", "AR", "AR50", "AR75", "AR_medium", "AR_large"]


def person(stream, image, ident, joint_count):
    """An annotation whose box holds its joints; some joints, or all, are unlabelled."""
    side = stream.choice([12, 40, 90, 180])
    x, y = stream.uniform(0, 400), stream.uniform(0, 300)
    none = stream.random() < 0.08
    keypoints = []
    for _ in range(joint_count):
        if none or stream.random() < 0.25:
            keypoints += [0, 0, 0]
        else:
            at = [round(stream.uniform(x, x + side), 2), round(stream.uniform(y, y + 1.5 * side), 2)]
            keypoints += at + [stream.choice([1, 2])]
    return {"id": ident, "image_id": image, "category_id": 1, "keypoints": keypoints,
            "num_keypoints": sum(v > 0 for v in keypoints[2::3]), "bbox": [round(x, 2), round(y, 2), side, 1.5 * side],
            "area": round(side * side * stream.uniform(0.5, 1.2), 2), "iscrowd": int(stream.random() < 0.06)}


def estimate(stream, truth, joint_count, wrong):
    """Somebody's keypoints, moved; of nobody in particular where `wrong`."""
    spread = (truth["area"] ** 0.5) * stream.choice([0.02, 0.05, 0.1, 0.2])
    keypoints = []
    for j in range(joint_count):
        x, y, v = truth["keypoints"][3 * j:3 * j + 3]
        if wrong or v == 0:
            x, y = stream.uniform(0, 500), stream.uniform(0, 400)
        keypoints += [round(x + stream.gauss(0, spread), 2), round(y + stream.gauss(0, spread), 2), 1]
    # Few digits, so that there are equal scores.
    return {"image_id": truth["image_id"], "category_id": 1, "keypoints": keypoints,
            "score": round(stream.random(), 1)}


def case(seed, images, joint_count, most_people, extra):
    """One data set with its estimates, and pycocotools' figures."""
    stream = random.Random(seed)
    sigmas = [round(stream.uniform(0.025, 0.11), 3) for _ in range(joint_count)]
    truths, estimates = [], []
    for image in range(1, images + 1):
        here = [person(stream, image, 1000 * image + i, joint_count) for i in range(stream.randint(most_people // 2, most_people))]
        truths += here
        for truth in here:
            for _ in range(stream.choice([0, 1, 1, 1, 2])):
                estimates.append(estimate(stream, truth, joint_count, wrong=False))
            if stream.random() < extra:
                estimates.append(estimate(stream, truth, joint_count, wrong=True))
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {"images": [{"id": i} for i in range(1, images + 1)], "annotations": truths,
                        "categories": [{"id": 1, "keypoints": [str(j) for j in range(joint_count)]}]}
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes([dict(e) for e in estimates]), "keypoints")
        evaluation.params.kpt_oks_sigmas = numpy.array(sigmas)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    expected = {name: None if value < 0 else float(value) for name, value in zip(FIGURES, evaluation.stats)}
    for truth in truths:
        for key in ("id", "category_id", "num_keypoints", "ignore"):
            truth.pop(key, None)
    for each in estimates:
        each.pop("category_id")
        del each["keypoints"][2::3]
    return {"sigmas": sigmas, "truths": truths, "estimates": estimates, "expected": expected}


def main():
    # The second has more estimates of one image than are looked at, the last nobody of a large area.
    cases = [case(1, 12, 5, 4, 0.4), case(2, 1, 3, 40, 0.2), case(3, 20, 17, 2, 0.1), case(5, 3, 2, 2, 0.0)]
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(cases, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
