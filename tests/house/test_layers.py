# SPDX-License-Identifier: Apache-2.0
"""The house holds its rules, and each rule is seen to fail on a small bad tree."""

import pathlib

import pytest
import rules

ROOT = pathlib.Path(__file__).resolve().parents[2]
SPDX = "/* SPDX-License-Identifier: Apache-2.0 */\n"
RULES = [
    rules.layers,
    rules.circles,
    rules.own_header_first,
    rules.foreign_headers,
    rules.mdb_names,
    rules.unfinished_words,
    rules.licence_lines,
    rules.long_lines,
    rules.formatting,
    rules.top_level,
    rules.meson_flags,
]


@pytest.fixture
def tree(tmp_path):
    """A small good house; tests spoil one thing in it."""
    for name in rules.TOP_LEVEL - {"meson.build", "README.md"}:
        (tmp_path / name).mkdir()
    write(tmp_path, "README.md", "# small\n")
    write(tmp_path, "meson.build", "project('small', 'c')\n")
    write(tmp_path, ".gitignore", "/build*/\n")
    write(tmp_path, ".clang-format", (ROOT / ".clang-format").read_text())
    write(tmp_path, "fs/main.c", SPDX + '#include "cmd/run.h"\n')
    write(tmp_path, "fs/cmd/run.h", SPDX + "#pragma once\n")
    write(tmp_path, "fs/read/reader.h", SPDX + "#pragma once\n")
    write(
        tmp_path, "fs/read/reader.c", SPDX + '#include "read/reader.h"\n#include "cache/blocks.h"\n'
    )
    write(tmp_path, "fs/util/buf.h", SPDX + "#pragma once\n")
    write(tmp_path, "cache/blocks.h", SPDX + "#pragma once\n")
    write(tmp_path, "cache/env.h", SPDX + "/* MDB_NOTFOUND may be spoken of in a comment */\n")
    return tmp_path


def write(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def include(root, name, *headers):
    lines = [f"#include {h}" if h.startswith("<") else f'#include "{h}"' for h in headers]
    write(root, name, SPDX + "\n".join(lines) + "\n")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_holds(rule):
    complaints = rule(ROOT)
    if complaints:
        pytest.fail("\n".join(complaints), pytrace=False)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_good_tree_has_no_complaint(rule, tree):
    assert rule(tree) == []


UPWARDS = [
    ("fs/util/log.c", "net/url.h"),
    ("fs/model/names.c", "net/url.h"),
    ("fs/net/http.c", "cache/blocks.h"),
    ("fs/net/http.c", "registry/registry.h"),
    ("fs/registry/registry.c", "read/reader.h"),
    ("fs/read/fetch.c", "vfs/tree.h"),
    ("fs/vfs/tree.c", "serve/store.h"),
    ("fs/serve/store.c", "vfs/tree.h"),
    ("fs/serve/store.c", "cache/blocks.h"),
    ("fs/vfs/tree.c", "cmd/run.h"),
    ("cache/writer.c", "util/buf.h"),
]
DOWNWARDS = [
    ("fs/net/http.c", "util/buf.h"),
    ("fs/registry/registry.c", "cache/meta.h"),
    ("fs/serve/store.c", "cache/env.h"),
    ("fs/vfs/tree.c", "cache/blocks.h"),
    ("fs/cmd/mount.c", "vfs/tree.h"),
]


@pytest.mark.parametrize("file, header", UPWARDS)
def test_an_include_upwards_is_found(file, header, tree):
    write(tree, header if header.startswith("cache/") else f"fs/{header}", SPDX)
    include(tree, file, header)
    assert rules.layers(tree) == [f"{file}: {rules.layer_of(file)} must not include {header}"]


@pytest.mark.parametrize("file, header", DOWNWARDS)
def test_an_include_downwards_is_fine(file, header, tree):
    write(tree, header if header.startswith("cache/") else f"fs/{header}", SPDX)
    include(tree, file, header)
    assert rules.layers(tree) == []


def test_an_include_of_nothing_is_found(tree):
    include(tree, "fs/util/log.c", "util/gone.h")
    assert "not in the tree" in rules.layers(tree)[0]


def test_a_new_folder_is_no_layer(tree):
    include(tree, "fs/misc/a.c", "util/buf.h")
    assert rules.layers(tree) == ["fs/misc/a.c: misc is no layer"]


def test_a_circle_of_three_is_found_through_c_and_h(tree):
    include(tree, "fs/util/a.h", "util/b.h")
    include(tree, "fs/util/b.c", "util/c.h")
    include(tree, "fs/util/b.h")
    include(tree, "fs/util/c.h", "util/a.h")
    found = [complaint.split(":")[0] for complaint in rules.circles(tree)]
    assert sorted(found) == ["fs/util/a", "fs/util/b", "fs/util/c"]


def test_an_own_header_that_is_not_first_is_found(tree):
    include(tree, "fs/util/buf.c", "<stdio.h>", "util/buf.h")
    assert rules.own_header_first(tree) == ["fs/util/buf.c: does not include its own header first"]


@pytest.mark.parametrize(
    "file, header",
    [
        ("fs/vfs/tree.c", "<fuse_lowlevel.h>"),
        ("fs/vfs/ops.h", "<fuse3/fuse_lowlevel.h>"),
        ("fs/vfs/tree.c", "<fuse.h>"),
        ("fs/registry/gradient.c", "<curl/curl.h>"),
        ("fs/net/url.c", "<curl/curl.h>"),
        ("fs/net/http.h", "<curl/curl.h>"),
        ("cache/blocks.c", "<lmdb.h>"),
        ("cache/env.h", "<lmdb.h>"),
    ],
)
def test_a_library_outside_its_room_is_found(file, header, tree):
    include(tree, file, header)
    assert len(rules.foreign_headers(tree)) == 1


@pytest.mark.parametrize(
    "file, header",
    [
        ("fs/vfs/ops.c", "<fuse_lowlevel.h>"),
        ("fs/net/http.c", "<curl/curl.h>"),
        ("fs/net/http_engine.c", "<curl/multi.h>"),
        ("cache/env_txn.c", "<lmdb.h>"),
    ],
)
def test_a_library_in_its_room_is_fine(file, header, tree):
    include(tree, file, header)
    assert rules.foreign_headers(tree) == []


def test_a_library_seen_through_a_header_is_found(tree):
    include(tree, "fs/net/http_parts.h", "<curl/curl.h>")
    include(tree, "fs/net/http.c", "net/http_parts.h")
    assert rules.foreign_headers(tree) == []
    include(tree, "fs/registry/gradient.c", "net/http_parts.h")
    assert len(rules.foreign_headers(tree)) == 1


def test_a_code_of_lmdb_outside_its_room_is_found(tree):
    write(tree, "cache/blocks.c", SPDX + "int a = MDB_MAP_FULL;\n")
    assert rules.mdb_names(tree) == ["cache/blocks.c: speaks of MDB_MAP_FULL"]


def test_a_code_of_lmdb_in_a_comment_or_a_text_is_fine(tree):
    write(tree, "cache/blocks.c", SPDX + '// MDB_A\n/* MDB_B\n */\nconst char *t = "MDB_C";\n')
    assert rules.mdb_names(tree) == []


@pytest.mark.parametrize("word", ["TO" + "DO", "FIX" + "ME", "XX" + "X"])
@pytest.mark.parametrize("file", ["fs/util/buf.h", "scripts/run", "tests/a.py", "README.md"])
def test_an_unfinished_word_is_found(word, file, tree):
    write(tree, file, f"{SPDX}/* {word}: later */\n")
    assert len(rules.unfinished_words(tree)) == 1


def test_a_missing_licence_line_is_found(tree):
    write(tree, "tests/unit/test_a.c", "\n" + SPDX)
    assert rules.licence_lines(tree) == ["tests/unit/test_a.c: line 1 is not the SPDX line"]


def test_a_long_comment_line_is_found(tree):
    write(tree, "fs/util/buf.h", SPDX + "/* " + "a" * 95 + " */\n")
    assert rules.long_lines(tree) == ["fs/util/buf.h:2: 101 columns"]


def test_a_badly_formatted_file_is_found(tree):
    write(tree, "fs/util/buf.c", SPDX + '#include "util/buf.h"\nint  a;\n')
    assert rules.formatting(tree) == ["fs/util/buf.c: clang-format-14 would change it"]


def test_a_stranger_at_the_top_level_is_found(tree):
    write(tree, "notes.md", "")
    assert rules.top_level(tree) == ["notes.md: does not belong at the top level"]


def test_an_ignored_folder_at_the_top_level_is_fine(tree):
    (tree / "build-asan").mkdir()
    assert rules.top_level(tree) == []


def test_a_missing_top_level_name_is_found(tree):
    (tree / "README.md").unlink()
    assert rules.top_level(tree) == ["README.md: is missing at the top level"]


@pytest.mark.parametrize("folder", [".", "fs", "cache", "tests"])
def test_two_flags_in_one_string_are_found(folder, tree):
    write(tree, f"{folder}/meson.build", "flags = ['-Wall -Wextra']\n")
    assert len(rules.meson_flags(tree)) == 1
