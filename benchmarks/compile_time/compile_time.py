#!/usr/bin/env python3
"""Prints what the library costs a compiler: seconds and memory of typical programs, beside the stored baseline.

Every case in cases/ is compiled with -O2, header-only and as programs that link posemachine::compiled are, several times
in turn with the others; medians are printed. "library" is posemachine::compiled itself, a unit per folder: seconds of
all, memory of the largest. Seconds are the processor's. They depend on the machine, so each is also given as a multiple of
standard_library.cpp, which holds nothing of ours. "// limit:" in a case's first line is what it should stay below on the
machine of the baseline, header-only. --steps asks Clang how many of its steps of constant evaluation, 1,048,576 by default,
the largest network takes.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
INCLUDE = HERE.parent.parent / "include"
MEASURE = "standard_library"
LIBRARY = "library"
COMPILED = " (compiled)"
FLAGS = {"": [], COMPILED: ["-DPOSEMACHINE_COMPILED"]}
DEFAULT_STEPS = 1 << 20


def compile_once(compiler, source, flags):
    """Seconds of processor time and peak bytes of one compilation. Errors: exits with the compiler's message."""
    with tempfile.TemporaryDirectory() as folder:
        command = [compiler, "-std=c++20", "-O2", *flags, f"-I{INCLUDE}", "-c", str(source), "-o", f"{folder}/case.o"]
        with open(f"{folder}/messages", "w+b") as messages:
            process = subprocess.Popen(command, stderr=messages)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                messages.seek(0)
                sys.exit(f"{compiler} does not compile {source.name}:\n{messages.read().decode(errors='replace')[:4000]}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def compile_library(compiler):
    """Seconds of all units of posemachine::compiled and the peak bytes of the largest. Errors: as compile_once."""
    units = {}
    for path in sorted((INCLUDE / "posemachine").rglob("*.ipp")):
        if path.stem != "pose_estimator":  # posemachine::estimate compiles it
            name = path.relative_to(INCLUDE)
            units.setdefault(name.parts[1], []).append(f"#include <{name.as_posix()}>\n")
    taken = []
    with tempfile.TemporaryDirectory() as folder:
        for unit, lines in units.items():
            source = pathlib.Path(folder) / f"{unit}.cpp"
            source.write_text("".join(lines), encoding="utf-8")
            taken.append(compile_once(compiler, source, FLAGS[COMPILED]))
    return sum(seconds for seconds, _ in taken), max(size for _, size in taken)


def limit_of(source):
    """{"seconds": 6.0, "bytes": 7e8} from "// limit: 6 s, 700 MB"."""
    first = source.read_text(encoding="utf-8").splitlines()[0]
    found = re.fullmatch(r"// limit: ([0-9.]+) s(?:, ([0-9]+) MB)?", first)
    if not found:
        return {}
    return {"seconds": float(found[1]), **({"bytes": int(found[2]) * 1e6} if found[2] else {})}


def measure(compiler, repeats, only):
    """Medians of every case, taken in turn."""
    cases = sorted(path for path in (HERE / "cases").glob("*.cpp") if not only or path.stem in only + [MEASURE])
    runs = {}
    for _ in range(repeats):
        for case in cases:
            for mode, flags in FLAGS.items():
                if case.stem != MEASURE or not flags:
                    runs.setdefault(case.stem + mode, []).append(compile_once(compiler, case, flags))
        if not only or LIBRARY in only:
            runs.setdefault(LIBRARY, []).append(compile_library(compiler))
    result = {}
    for name, taken in runs.items():
        result[name] = {
            "seconds": round(statistics.median(seconds for seconds, _ in taken), 2),
            "megabytes": round(statistics.median(size for _, size in taken) / 1e6),
        }
    for figures in result.values():
        figures["times_standard_library"] = round(figures["seconds"] / result[MEASURE]["seconds"], 2)
    return result


def constexpr_steps(compiler, source):
    """The fewest steps, to a part in a hundred, with which Clang takes the case."""
    def fits(steps):
        command = [compiler, "-std=c++20", "-fsyntax-only", f"-fconstexpr-steps={steps}", f"-I{INCLUDE}", str(source)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    low, high = 0, DEFAULT_STEPS
    if not fits(high):
        sys.exit(f"{compiler} does not compile {source.name} with its default limit of {DEFAULT_STEPS} steps")
    while high - low > DEFAULT_STEPS // 100:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def version_of(compiler):
    return subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]


def print_table(result, baseline):
    known = baseline["cases"]
    print(f"{'case':26} {'s':>7} {'MB':>6} {'x std':>6}   {'baseline s':>10} {'MB':>6} {'x std':>6}   limit")
    for name, figures in result.items():
        before = known.get(name, {})
        source = HERE / "cases" / f"{name}.cpp"
        limit = limit_of(source) if source.is_file() else {}
        text = f"{limit['seconds']:g} s" if "seconds" in limit else ""
        text += f", {limit['bytes'] / 1e6:g} MB" if "bytes" in limit else ""
        over = figures["seconds"] > limit.get("seconds", 1e9) or figures["megabytes"] * 1e6 > limit.get("bytes", 1e18)
        print(f"{name:26} {figures['seconds']:7.2f} {figures['megabytes']:6d} {figures['times_standard_library']:6.2f}   "
              f"{before.get('seconds', float('nan')):10.2f} {before.get('megabytes', 0):6d} "
              f"{before.get('times_standard_library', float('nan')):6.2f}   {text}{'  (over)' if over else ''}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--clang", default="clang++-14", help="for --steps")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", action="append", help="a case by its name; may be given several times")
    parser.add_argument("--steps", action="store_true", help="how near large_network comes to Clang's limit")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--store", action="store_true", help="keep the figures as the new baseline")
    arguments = parser.parse_args()
    if arguments.repeats < 1:
        parser.error("--repeats: at least 1")
    for name in arguments.only or []:
        known = sorted([LIBRARY] + [path.stem for path in (HERE / "cases").glob("*.cpp")])
        if name not in known:
            parser.error(f"--only: no case {name}; there are {', '.join(known)}")
    if arguments.store and (arguments.only or not arguments.steps):
        parser.error("--store: needs all cases and --steps")
    baseline_file = HERE / "baseline.json"
    baseline = json.loads(baseline_file.read_text(encoding="utf-8")) if baseline_file.is_file() else {"cases": {}}
    result = {"compiler": version_of(arguments.compiler),
              "cases": measure(arguments.compiler, arguments.repeats, arguments.only)}
    if arguments.steps:
        result["clang"] = version_of(arguments.clang)
        result["constexpr_steps"] = constexpr_steps(arguments.clang, HERE / "cases" / "large_network.cpp")
    if arguments.store:
        baseline_file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    if arguments.json:
        print(json.dumps(result))
        return
    print(f"{result['compiler']}; baseline: {baseline.get('compiler', 'none')}")
    print_table(result["cases"], baseline)
    if arguments.steps:
        print(f"large_network takes {result['constexpr_steps']:,} of {DEFAULT_STEPS:,} steps "
              f"(baseline {baseline.get('constexpr_steps', 0):,}), {result['clang']}")


if __name__ == "__main__":
    main()
