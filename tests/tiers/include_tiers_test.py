#!/usr/bin/env python3
"""Bounds what the headers include: folders point upwards, third parties stay behind their doors, compose is light.

An .ipp file, the definitions of the header beside it, obeys the rules of that header. Each header ends by including its
.ipp file, nothing else does, and the two taken as one file are part of no circle: so either may be included first.

Counts instead of seconds: the result does not depend on the machine. Exit status 0: all bounds hold.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

# A folder includes only itself and folders before it.
ORDER = "core graph layers modules networks schedule base pose model engine data inference training".split()
COMPOSE = ORDER[:5]

# Third-party headers, and the files that may include them.
DOORS = [
    (r"nlohmann/", r"base/json\.hpp"),
    (r"(oneapi/)?tbb/", r"base/parallel\.hpp"),
    (r"(oneapi/dnnl/)?dnnl", r"engine/.*"),
    (r"(jpeglib|jerror|jmorecfg|png|pngconf)\.h", r"data/image_io.*\.hpp"),
    (r"stb/", r"data/image_io_stb\.hpp"),
    (r"zlib\.h", r"data/mat_header\.hpp"),
    (r"yaml\.h", r"data/yaml_file\.hpp"),
    (r"mpi\.h", r"training/mpi_communicator\.hpp"),
    (r"Eigen/", r"eigen\.hpp"),
]

# Standard headers that cost more to parse than all of compose.
HEAVY = {"regex", "iostream", "filesystem", "thread", "future", "random", "execution", "locale", "sstream", "fstream"}

# Paths that must not appear among the files a compose program reads.
THIRD_PARTY = re.compile(r"/(dnnl|oneapi|tbb|nlohmann|stb|Eigen|CLI|doctest)/|/(omp|jpeglib|png|matio|zlib|yaml|dnnl)\.h")

# What the headers that users include may read: third parties by the folder or file they are known by, and how many
# headers of ours, some more than there are today; an .ipp file counts with its header. A program pays for all of them.
TIERS = {
    "compose.hpp": ("", 72),
    "model/model.hpp": ("nlohmann", 54),
    "model/network_json.hpp": ("nlohmann", 69),
    "inference/pose_estimator.hpp": ("", 18),
    "inference/estimator.hpp": ("nlohmann dnnl tbb", 155),
    "posemachine.hpp": ("nlohmann dnnl tbb jpeglib.h png.h", 226),
    "training/trainer.hpp": ("nlohmann dnnl tbb jpeglib.h png.h", 234),
    "training/event_file.hpp": ("jpeglib.h png.h", 15),
    "data/image_io.hpp": ("jpeglib.h png.h", 10),
    "data/lsp.hpp": ("zlib.h", 9),
}
# The same for programs that link posemachine::compiled.
COMPILED_TIERS = {
    "model/model.hpp": ("", 50),
    "inference/estimator.hpp": ("dnnl", 84),
    "training/trainer.hpp": ("nlohmann dnnl tbb", 148),
}
COMPILED = "-DPOSEMACHINE_COMPILED"
# The same, where there is Eigen.
EIGEN_TIERS = {"eigen.hpp": ("Eigen", 9)}
FAMILIES = {
    "nlohmann": r"/nlohmann/", "dnnl": r"/(oneapi/)?dnnl(/|[a-z_]*\.h)", "tbb": r"/tbb/", "jpeglib.h": r"/jpeglib\.h",
    "png.h": r"/png\.h", "matio.h": r"/matio\.h", "zlib.h": r"/zlib\.h", "yaml.h": r"/yaml\.h", "stb": r"/stb/", "Eigen": r"/Eigen/",
    "mpi": r"/mpi\.h",
}

# How a header with an .ipp file ends, and the one whose .ipp file is included by the program's own source instead.
ENDING = "#if !defined(POSEMACHINE_COMPILED)\n#include <posemachine/{}>\n#endif\n"
DEFINED_APART = {"inference/pose_estimator.hpp"}

COMMENT = re.compile(r"//.*")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def folder_of(name):
    """'graph/ops/add.hpp' -> 'graph'; 'compose.hpp' -> ''."""
    return name.split("/")[0] if "/" in name else ""


def check_headers(root):
    """Order, doors and spelling of every #include under root/posemachine."""
    problems = []
    base = root / "posemachine"
    for path in sorted(base.rglob("*.[hi]pp")):
        name = path.relative_to(base).as_posix()
        folder = folder_of(name)
        text = path.read_text(encoding="utf-8")
        if folder and folder not in ORDER:
            problems.append(f"{name}: folder {folder} is not one of {' '.join(ORDER)}")
            continue
        if "#pragma once" not in text:
            problems.append(f"{name}: no #pragma once")
        if folder != "engine" and re.search(r"\bdnnl", COMMENT.sub("", text), re.I):
            problems.append(f"{name}: spells dnnl, which is the engine's alone")
        for bracket, included in INCLUDE.findall(text):
            if bracket == '"':
                problems.append(f'{name}: "{included}" must be written <posemachine/...>')
            elif included.startswith("posemachine/"):
                target = included.removeprefix("posemachine/")
                if not (base / target).is_file():
                    problems.append(f"{name}: <{included}> does not exist")
                elif target.endswith(".ipp") and target != twin_of(name):
                    problems.append(f"{name}: <{included}> is for its own header to include")
                elif folder and not folder_of(target):
                    problems.append(f"{name}: <{included}> is an umbrella, for users only")
                elif folder and ORDER.index(folder_of(target)) > ORDER.index(folder):
                    problems.append(f"{name}: folder {folder} must not include <{included}>, which is below it")
            elif folder in COMPOSE and not re.fullmatch(r"[a-z_0-9]+", included):
                problems.append(f"{name}: <{included}> is not a header of the C++ standard library; compose has no other")
            elif folder in COMPOSE and included in HEAVY:
                problems.append(f"{name}: <{included}> is too heavy for compose")
            else:
                for pattern, door in DOORS:
                    if re.match(pattern, included) and not re.fullmatch(door, name):
                        problems.append(f"{name}: <{included}> belongs behind {door}")
    return problems


def twin_of(name):
    """'base/json.hpp' -> 'base/json.ipp', and back."""
    return name[:-3] + ("ipp" if name.endswith(".hpp") else "hpp")


def check_definitions(root):
    """Each .ipp file begins with its header, which ends with it, and no header together with its .ipp file includes itself."""
    problems = []
    base = root / "posemachine"
    includes = {}
    for path in sorted(base.rglob("*.[hi]pp")):
        name = path.relative_to(base).as_posix()
        text = path.read_text(encoding="utf-8")
        own = [included.removeprefix("posemachine/") for _, included in INCLUDE.findall(text)
               if included.startswith("posemachine/")]
        header = name if name.endswith(".hpp") else twin_of(name)
        includes.setdefault(header, set()).update(each for each in own if each.endswith(".hpp") and each != header)
        if name.endswith(".hpp") or header in DEFINED_APART:
            continue
        if own[:1] != [header]:
            problems.append(f"{name}: the first include must be <posemachine/{header}>")
        if not (base / header).is_file() or not (base / header).read_text(encoding="utf-8").endswith(ENDING.format(name)):
            problems.append(f"{header}: must end by including {name} where POSEMACHINE_COMPILED is not defined")
    return problems + [f"{' includes '.join(circle)}" for circle in circles(includes)]


def circles(includes):
    """Paths that end where they begin, each found once."""
    found, done = [], set()

    def follow(name, path):
        if name in path:
            found.append(path[path.index(name):] + [name])
        elif name not in done:
            for each in sorted(includes.get(name, ())):
                follow(each, path + [name])
            done.add(name)

    for name in sorted(includes):
        follow(name, [])
    return found


def files_read(compiler, root, header, folders=(), defines=()):
    """Every file the compiler reads for one header. Not by -M: Clang lists there what __has_include only looked for."""
    command = [compiler, "-std=c++20", "-E", "-H", "-x", "c++", f"-I{root}", *(f"-I{each}" for each in folders), *defines,
               "-o", "/dev/null", str(header)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return None, done.stderr
    return re.findall(r"^\.+ (.*)$", done.stderr, re.M), ""


def check_compose(root, compiler):
    """compose.hpp reaches every header of its folders, and nothing else but the standard library."""
    umbrella = root / "posemachine" / "compose.hpp"
    if not umbrella.is_file():
        return ["compose.hpp does not exist"]
    paths, error = files_read(compiler, root, umbrella)
    if paths is None:
        return [f"compose.hpp does not preprocess:\n{error}"]
    problems = []
    reached = set()
    for path in paths:
        resolved = pathlib.Path(path).resolve()
        if resolved.is_relative_to(root / "posemachine"):
            name = resolved.relative_to(root / "posemachine").as_posix()
            reached.add(name)
            if folder_of(name) not in COMPOSE + [""]:
                problems.append(f"compose.hpp reads {name}, which is below compose")
        elif THIRD_PARTY.search(path):
            problems.append(f"compose.hpp reads {path}, which is third party")
    for folder in COMPOSE:
        for path in sorted((root / "posemachine" / folder).rglob("*.hpp")):
            name = path.relative_to(root / "posemachine").as_posix()
            if name not in reached:
                problems.append(f"compose.hpp does not include <posemachine/{name}>")
    return problems


def check_tiers(root, compiler, tiers, folders=(), defines=()):
    """Each header of `tiers` reads no third party besides its own, and no more headers of ours than it may."""
    problems = []
    for header, (allowed, most) in tiers.items():
        if not (root / "posemachine" / header).is_file():
            problems.append(f"{header} does not exist")
            continue
        paths, error = files_read(compiler, root, root / "posemachine" / header, folders, defines)
        if paths is None:
            problems.append(f"{header} does not preprocess:\n{error}")
            continue
        for family, pattern in FAMILIES.items():
            read = [path for path in paths if re.search(pattern, path)]
            if read and family not in allowed.split():
                problems.append(f"{header} reads {read[0]}: it may read {allowed or 'no third party'}")
        own = {path for path in map(pathlib.Path.resolve, map(pathlib.Path, paths))
               if path.is_relative_to(root / "posemachine") and path.suffix == ".hpp"}
        if len(own) > most:
            problems.append(f"{header} reads {len(own)} headers of ours, at most {most} are wanted")
    return problems


def self_test(compiler):
    """Each rule broken once in a small tree; each must be reported."""
    tree = {
        "compose.hpp": "#pragma once\n#include <posemachine/graph/graph.hpp>\n#include <posemachine/engine/execution.hpp>\n",
        "core/a.hpp": "#pragma once\n#include <posemachine/graph/graph.hpp>\n#include <vector>\n",
        "core/once.hpp": "int x;\n",
        "graph/graph.hpp": "#pragma once\n#include <regex>\n#include <tbb/tbb.h>\n#include <unistd.h>\n",
        "graph/local.hpp": '#pragma once\n#include "graph.hpp"\n#include <posemachine/graph/absent.hpp>\n',
        "engine/execution.hpp": "#pragma once\n#include <posemachine/compose.hpp>\n",
        "training/spells.hpp": "#pragma once\ndnnl::engine x;\n",
        "training/silent.hpp": "#pragma once\n// dnnl in a comment\n",
        "data/lsp.hpp": "#pragma once\n#include <nlohmann/json.hpp>\n",
        "extra/x.hpp": "#pragma once\n",
        "base/ends.hpp": "#pragma once\n" + ENDING.format("base/ends.ipp"),
        "base/ends.ipp": "#pragma once\n#include <posemachine/base/ends.hpp>\n#include <posemachine/base/open.hpp>\n",
        "base/open.hpp": "#pragma once\n#include <posemachine/base/ends.hpp>\n",
        "base/open.ipp": "#pragma once\n#include <vector>\n#include <posemachine/base/ends.ipp>\n",
        "tbb/tbb.h": "",
    }
    expected = [
        "core/a.hpp: folder core must not include <posemachine/graph/graph.hpp>",
        "core/once.hpp: no #pragma once",
        "graph/graph.hpp: <regex> is too heavy",
        "graph/graph.hpp: <unistd.h> is not a header of the C++ standard",
        'graph/local.hpp: "graph.hpp" must be written',
        "graph/local.hpp: <posemachine/graph/absent.hpp> does not exist",
        "engine/execution.hpp: <posemachine/compose.hpp> is an umbrella",
        "data/lsp.hpp: <nlohmann/json.hpp> belongs behind",
        "extra/x.hpp: folder extra is not one of",
        "training/spells.hpp: spells dnnl",
        "base/open.ipp: <posemachine/base/ends.ipp> is for its own header to include",
        "base/open.ipp: the first include must be <posemachine/base/open.hpp>",
        "base/open.hpp: must end by including base/open.ipp",
        "base/ends.hpp includes base/open.hpp includes base/ends.hpp",
        "compose.hpp reads engine/execution.hpp",
        "/tbb/tbb.h, which is third party",
        "compose.hpp does not include <posemachine/core/a.hpp>",
        "it may read no third party",
        "headers of ours, at most 0 are wanted",
        "engine/absent.hpp does not exist",
        "ends reads photographs and is not in with_images_only",
        "stranger is in with_images_only and reads no photograph",
    ]
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name).resolve()
        for path, text in tree.items():
            file = root / ("" if path.startswith("tbb/") else "posemachine") / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        problems = check_headers(root) + check_definitions(root) + check_compose(root, compiler)
        problems += check_tiers(root, compiler, {"engine/execution.hpp": ("", 0), "engine/absent.hpp": ("", 1)})
        ends = root / "posemachine/base/ends.ipp"
        ends.write_text(ends.read_text(encoding="utf-8") + "#include <posemachine/data/image_io.hpp>\n", encoding="utf-8")
        problems += check_image_unit(root, "set(with_images_only stranger\n  open)")
    missed = [text for text in expected if not any(text in problem for problem in problems)]
    return [f"self-test: this was not reported: {text}" for text in missed]


def check_image_unit(root, cmake_text):
    """The definitions that posemachine::compiled has only with the component image are those that include its door."""
    listed = re.search(r"set\(with_images_only ([^)]*)\)", cmake_text)
    names = set(listed[1].split()) if listed else set()
    base = root / "posemachine"
    reads = {}  # of a header and its .ipp file, taken as one
    for path in sorted(base.rglob("*.[hi]pp")):
        name = path.relative_to(base).with_suffix(".hpp").as_posix()
        included = {each.removeprefix("posemachine/") for _, each in INCLUDE.findall(path.read_text(encoding="utf-8"))}
        reads.setdefault(name, set()).update(each for each in included if each.endswith(".hpp") and each != name)
    reach = {"data/image_io.hpp"}
    while more := {name for name, included in reads.items() if name not in reach and included & reach}:
        reach |= more
    found = {pathlib.Path(name).stem for name in reach if (base / name).with_suffix(".ipp").exists()}
    problems = [f"cmake/PosemachineLibrary.cmake: {name} reads photographs and is not in with_images_only"
                for name in sorted(found - names)]
    return problems + [f"cmake/PosemachineLibrary.cmake: {name} is in with_images_only and reads no photograph"
                       for name in sorted(names - found)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--include", type=pathlib.Path, help="the folder that holds posemachine/")
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--eigen", help="the folder that holds Eigen/; without one, eigen.hpp is not followed")
    parser.add_argument("--self-test", action="store_true", help="check that every rule can fail")
    arguments = parser.parse_args()
    if arguments.self_test:
        problems = self_test(arguments.compiler)
    else:
        if arguments.include is None:
            parser.error("--include is required")
        root = arguments.include.resolve()
        problems = check_headers(root) + check_definitions(root) + check_compose(root, arguments.compiler)
        problems += check_tiers(root, arguments.compiler, TIERS)
        problems += check_tiers(root, arguments.compiler, COMPILED_TIERS, defines=[COMPILED])
        library = root.parent / "cmake/PosemachineLibrary.cmake"
        problems += check_image_unit(root, library.read_text(encoding="utf-8"))
        if arguments.eigen is not None:
            problems += check_tiers(root, arguments.compiler, EIGEN_TIERS, [arguments.eigen])
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
