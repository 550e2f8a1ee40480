# SPDX-License-Identifier: Apache-2.0
"""The rules of the house, each a function from a tree to its complaints (none: all is well).

A complaint is one line, `path: what is wrong`: a failing test reads as a list of places to go.
"""

import fnmatch
import re
import subprocess

TOP_LEVEL = {"meson.build", "fs", "cache", "tests", "scripts", "README.md"}
TOOLS_EXPECT = {
    "LICENSE",
    ".gitignore",
    ".clang-format",
    ".editorconfig",
    ".ci",
    "meson_options.txt",
}
NEVER_KEPT = {".git", "__pycache__", ".pytest_cache"}

# What a layer may include, beside itself. Written out, so that a reader need not work out an order.
LAYERS = {
    "util": set(),
    "model": {"util"},
    "net": {"model", "util"},
    "cache": set(),
    "registry": {"cache", "net", "model", "util"},
    "read": {"registry", "cache", "net", "model", "util"},
    "serve": {"read", "registry", "net", "model", "util"},
    "vfs": {"read", "registry", "cache", "net", "model", "util"},
    "cmd": {"vfs", "serve", "read", "registry", "cache", "net", "model", "util"},
    "main": {"cmd", "vfs", "serve", "read", "registry", "cache", "net", "model", "util"},
}
# The registry server keeps its metadata in the same kind of environment as the cache.
LAYER_EXCEPTIONS = {("serve", "cache/env.h")}

# A library's headers, and the files that may see them, by themselves or through another header.
# net/http's own parts pass curl's types among themselves; its face, http.h, does not.
FOREIGN_HEADERS = {
    r"fuse(3/.*|_.*)?\.h": ["fs/vfs/ops*.c", "fs/vfs/ops_*.h"],
    r"curl/.*\.h": ["fs/net/http*.c", "fs/net/http_*.h"],
    r"lmdb\.h": ["cache/env_*"],
    r"snappy.*\.h": ["fs/model/snappy.c"],
    r"yaml\.h": ["fs/util/yaml.c"],
}
MDB_FILES = ["cache/env_*"]

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
COMMENT_OR_TEXT = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL
)
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X"]) + r")\b")
TEXT_SUFFIXES = {".c", ".h", ".py", ".sh", ".md", ".build", ".txt", ".ini", ""}
MAX_COLUMNS = 100


def sources(root, folders=("fs", "cache"), suffixes=(".c", ".h")):
    """The C files under the given folders, sorted."""
    found = [p for folder in folders for p in (root / folder).rglob("*") if p.suffix in suffixes]
    return sorted(p for p in found if p.is_file())


def name_of(root, path):
    return path.relative_to(root).as_posix()


def without_comments(text):
    """C without comments and string literals; the lines stay where they were."""

    def blank(match):
        newlines = "\n" * match.group(0).count("\n")
        return newlines if match.group(0).startswith("/") else '""' + newlines

    return COMMENT_OR_TEXT.sub(blank, text)


def includes(path):
    """(is a system header, name) of each include of a file, in order."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return [(mark == "<", name) for mark, name in INCLUDE.findall(text)]


def layer_of(name):
    parts = name.split("/")
    if parts[0] == "cache":
        return "cache"
    return parts[1] if len(parts) > 2 else "main"


def resolve(root, header):
    """The file that an include names: below fs/, or below the root for the cache."""
    below_root = header.startswith("cache/")
    return root / header if below_root else root / "fs" / header


def layers(root):
    """A file includes only what stands below it."""
    complaints = []
    for path in sources(root):
        here = name_of(root, path)
        for is_system, header in includes(path):
            if not is_system:
                complaints += layer_complaints(root, here, header)
    return complaints


def layer_complaints(root, here, header):
    target = resolve(root, header)
    if not target.is_file():
        return [f"{here}: includes {header}, which is not in the tree"]
    own, other = layer_of(here), layer_of(name_of(root, target))
    if own not in LAYERS:
        return [f"{here}: {own} is no layer"]
    if own == other or other in LAYERS[own] or (own, header) in LAYER_EXCEPTIONS:
        return []
    return [f"{here}: {own} must not include {header}"]


def module_graph(root):
    """module -> modules it includes; a .c and its .h are one module."""
    graph = {}
    for path in sources(root):
        module = name_of(root, path.with_suffix(""))
        targets = graph.setdefault(module, set())
        for is_system, header in includes(path):
            target = resolve(root, header)
            if not is_system and target.is_file():
                targets.add(name_of(root, target.with_suffix("")))
        targets.discard(module)
    return graph


def circles(root):
    """No module reaches itself through what it includes."""
    graph = module_graph(root)
    reached = {module: reachable(graph, module) for module in graph}
    complaints = []
    for module in graph:
        back = sorted(t for t in graph[module] if t == module or module in reached.get(t, ()))
        if back:
            complaints.append(f"{module}: comes back to itself through {', '.join(back)}")
    return complaints


def reachable(graph, start):
    seen, waiting = set(), list(graph.get(start, ()))
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting += graph.get(module, ())
    return seen


def own_header_first(root):
    """A .c file that has a header includes it first: so it is known to stand alone."""
    complaints = []
    for path in sources(root, suffixes=(".c",)):
        header = path.with_suffix(".h")
        named = includes(path)
        if header.is_file() and (not named or resolve(root, named[0][1]) != header):
            complaints.append(f"{name_of(root, path)}: does not include its own header first")
    return complaints


def foreign_headers(root):
    """Each big library is seen by one room only."""
    files = {name_of(root, path): headers_seen(root, path) for path in sources(root)}
    complaints = []
    for here, seen in files.items():
        for pattern, rooms in FOREIGN_HEADERS.items():
            header = next((h for h in seen if re.fullmatch(pattern, h)), None)
            if header and not matches_any(here, rooms):
                complaints.append(f"{here}: only {' and '.join(rooms)} may see {header}")
    return complaints


def headers_seen(root, path):
    """The system headers that a file includes, by itself or through headers of ours."""
    found, seen, waiting = [], set(), [path]
    while waiting:
        for is_system, header in includes(waiting.pop()):
            target = resolve(root, header)
            if is_system:
                found.append(header)
            elif target.is_file() and target not in seen:
                seen.add(target)
                waiting.append(target)
    return sorted(found)


def matches_any(name, patterns):
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


def mdb_names(root):
    """LMDB's codes become errno in one place; nobody else sees their names."""
    complaints = []
    for path in sources(root):
        here = name_of(root, path)
        found = re.search(
            r"\b(MDB_\w+|mdb_\w+)", without_comments(path.read_text(errors="replace"))
        )
        if found and not matches_any(here, MDB_FILES):
            complaints.append(f"{here}: speaks of {found.group(1)}")
    return complaints


def written_files(root):
    """Every text file that people write, tests and scripts included, data not."""
    folders = ("fs", "cache", "tests", "scripts")
    found = [p for folder in folders for p in (root / folder).rglob("*") if p.is_file()]
    found += [p for p in root.iterdir() if p.is_file() and p.name != "LICENSE"]
    kept = [p for p in found if not NEVER_KEPT & set(p.parts)]
    found = [p for p in kept if p.suffix in TEXT_SUFFIXES]
    data = root / "tests" / "data"
    return sorted(p for p in found if data not in p.parents or p.suffix == ".py")


def unfinished_words(root):
    """Nothing is left for later in a comment."""
    complaints = []
    for path in written_files(root):
        text = path.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            if UNFINISHED.search(line):
                complaints.append(f"{name_of(root, path)}:{number}: {line.strip()}")
    return complaints


def licence_lines(root):
    """Each C file says its licence in line one."""
    want = "/* SPDX-License-Identifier: Apache-2.0 */"
    files = sources(root, folders=("fs", "cache", "tests"))
    return [
        f"{name_of(root, p)}: line 1 is not the SPDX line"
        for p in files
        if p.read_text(errors="replace").split("\n", 1)[0] != want
    ]


def long_lines(root):
    """100 columns, comments too (the formatter leaves those alone)."""
    complaints = []
    for path in sources(root, ("fs", "cache", "tests"), (".c", ".h", ".py")):
        text = path.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            if len(line) > MAX_COLUMNS:
                complaints.append(f"{name_of(root, path)}:{number}: {len(line)} columns")
    return complaints


def formatting(root):
    """The formatter, version 14, would change nothing."""
    files = [name_of(root, p) for p in sources(root, folders=("fs", "cache", "tests"))]
    command = ["clang-format-14", "--style=file", "--dry-run", "-Werror", *files]
    run = subprocess.run(command, cwd=root, capture_output=True, text=True) if files else None
    if not run or run.returncode == 0:
        return []
    wrong = set(
        re.findall(
            r"^(?:\S*?/)??((?:fs|cache|tests)/\S+?):\d+:\d+: error", run.stderr, re.MULTILINE
        )
    )
    return [f"{name}: clang-format-14 would change it" for name in sorted(wrong)] or [run.stderr]


def top_level(root):
    """The top level is fixed."""
    ignored = [line.strip().strip("/") for line in (root / ".gitignore").read_text().split("\n")]
    complaints = []
    present = {p.name for p in root.iterdir()} - NEVER_KEPT
    present = {name for name in present if not matches_any(name, [i for i in ignored if i])}
    for name in sorted(present - TOP_LEVEL - TOOLS_EXPECT):
        complaints.append(f"{name}: does not belong at the top level")
    for name in sorted(TOP_LEVEL - present):
        complaints.append(f"{name}: is missing at the top level")
    return complaints


def meson_flags(root):
    """One flag a string: meson drops a string that holds two in silence."""
    complaints = []
    below = [p for top in ("fs", "cache", "tests") for p in (root / top).rglob("meson.build")]
    for path in [root / "meson.build", *below]:
        for text in re.findall(r"'(-[^'\n]*)'", path.read_text()):
            if " " in text:
                complaints.append(f"{name_of(root, path)}: '{text}' holds a space")
    return complaints
