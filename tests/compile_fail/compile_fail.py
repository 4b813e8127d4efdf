#!/usr/bin/env python3
"""Checks that a program is refused by the compiler with the text it names, and that its twin is accepted.

The leading comment lines of NAME.cpp say what must appear in the compiler's output:
  // expect: TEXT        on every compiler (several lines: all of them)
  // expect-gcc: TEXT    on GCC only
  // expect-clang: TEXT  on Clang only
  // within: N           all of it within the first N lines of output (default: anywhere); not counted are the
                         lines that say through which headers a file was included, as they grow with the umbrellas
Compiled with -DTWIN, the same file must compile. Exit status 0: both hold for every file and compiler.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

INCLUDE_STACK = re.compile(r"^(In file included from|\s+from) \S+:\d+[:,]")
DIRECTIVE = re.compile(r"^//\s*(expect|expect-gcc|expect-clang|within):\s*(.*?)\s*$")


def read_case(path):
    """The directives of one file: expectations by compiler family, and the number of lines they must lie within."""
    expectations = {"expect": [], "expect-gcc": [], "expect-clang": []}
    within = None
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("//"):
            break
        match = DIRECTIVE.match(line)
        if match and match[1] == "within":
            within = int(match[2])
        elif match:
            expectations[match[1]].append(match[2])
    return expectations, within


def compile_case(compiler, path, includes, definitions):
    command = [compiler, "-std=c++20", "-fsyntax-only", "-fno-diagnostics-color"]
    command += [f"-I{folder}" for folder in includes] + [f"-D{name}" for name in definitions] + [str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def is_clang(compiler):
    done = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False)
    return "clang" in done.stdout


def check(compiler, path, includes):
    """The problems of one file with one compiler, as sentences."""
    expectations, within = read_case(path)
    family = "expect-clang" if is_clang(compiler) else "expect-gcc"
    texts = expectations["expect"] + expectations[family]
    if not texts:
        return [f"{path.name}: no leading '// expect: TEXT' line for {compiler}"]
    problems = []
    status, output = compile_case(compiler, path, includes, [])
    shown = "\n".join(output.splitlines()[:30])
    if status == 0:
        problems.append(f"{path.name}: {compiler} compiles it; it must be refused")
    else:
        lines = [line for line in output.splitlines() if not INCLUDE_STACK.match(line)]
        searched = "\n".join(lines if within is None else lines[:within])
        place = "its output" if within is None else f"the first {within} lines of its output"
        for text in texts:
            if text not in searched:
                problems.append(f"{path.name}: {compiler} does not say '{text}' in {place}:\n{shown}")
    status, output = compile_case(compiler, path, includes, ["TWIN"])
    if status != 0:
        shown = "\n".join(output.splitlines()[:30])
        problems.append(f"{path.name}: {compiler} refuses the twin; it must compile:\n{shown}")
    return problems


def self_test(compiler):
    """Cases with a known answer: the number of problems each must give."""
    good = '#ifdef TWIN\nint x = 1;\n#else\nstatic_assert(sizeof(int) == 1, "too wide");\n#endif\n'
    cases = {
        "good": ("// expect: too wide\n" + good, 0),
        "good_within": ("// expect: too wide\n// within: 1\n" + good, 0),
        "included_within": ("// expect: too wide\n// within: 1\n#ifndef TWIN\n#include \"wide.hpp\"\n#endif\n", 0),
        "too_late": ("// expect: too wide\n// within: 1\n" + good.replace("#else", "#else\nint y = unknown;"), 1),
        "other_text": ("// expect: too narrow\n" + good, 1),
        "one_of_two": ("// expect: too wide\n// expect: too narrow\n" + good, 1),
        "compiles": ("// expect: too wide\nint x = 1;\n", 1),
        "broken_twin": ('// expect: too wide\nstatic_assert(sizeof(int) == 1, "too wide");\n', 1),
        "no_expectation": (good, 1),
        "late_directive": ("int before = 0;\n// expect: too wide\n" + good, 1),
    }
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        wide = 'static_assert(sizeof(int) == 1, "too wide");\n'
        (pathlib.Path(folder) / "wide.hpp").write_text(wide, encoding="utf-8")
        for name, (text, count) in cases.items():
            path = pathlib.Path(folder) / f"{name}.cpp"
            path.write_text(text, encoding="utf-8")
            found = check(compiler, path, [])
            if len(found) != count:
                problems.append(f"self-test {name}: expected {count} problems, got {len(found)}: {found}")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=pathlib.Path, nargs="*")
    parser.add_argument("--compiler", action="append", required=True, help="may be given several times")
    parser.add_argument("--include", type=pathlib.Path, action="append", default=[])
    parser.add_argument("--self-test", action="store_true", help="check that every rule can fail")
    arguments = parser.parse_args()
    problems = []
    for compiler in arguments.compiler:
        if arguments.self_test:
            problems += self_test(compiler)
        for path in arguments.files:
            problems += check(compiler, path, arguments.include)
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
