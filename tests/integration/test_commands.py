# SPDX-License-Identifier: Apache-2.0
"""push, ls, show and get, as people and scripts use them."""

import hashlib
import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import threading
import time

import fake_registry as fake
import processes
import push_registry
import pytest
import trees
from push_registry import PushRegistry
from seeded import Seeded

CNN = trees.MODELS / trees.PROJECT / "cnn"
A_SHA256 = re.compile(r"[0-9a-f]{64}")
# sysexits.h
USAGE, DATAERR, NOINPUT, UNAVAILABLE, CANTCREAT, TEMPFAIL, NOPERM = 64, 65, 66, 69, 73, 75, 77


@pytest.fixture
def modelfs(modelfs_bin):
    """modelfs(argument, ..., code=0) runs a command and checks how it ends."""

    def run(*arguments, code=0, **env):
        done = processes.run_modelfs(modelfs_bin, *arguments, **env)
        assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
        if code == 0:
            assert done.stderr == ""
        return done

    return run


@pytest.fixture
def sink():
    """A registry that takes what is pushed, or fails as it is told."""
    with PushRegistry() as made:
        yield made


@pytest.fixture
def small(tmp_path):
    """A model of two files to push."""
    folder = tmp_path / "small"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.bin").write_bytes(b"first")
    (folder / "sub" / "b.bin").write_bytes(b"second, a little longer")
    return folder


def push_arguments(path, registry, *more):
    arguments = ["push", path, "--to", registry.url, "--project", "p", "--name", "m"]
    return [*arguments, "--type", "Custom", *more]


def table(text):
    """A table's rows of cells, its headings first."""
    return [re.split(r"  +", line.strip()) for line in text.splitlines()]


# Help and usage.


@pytest.mark.parametrize("command", ["push", "ls", "show", "get"])
def test_help_goes_to_standard_output(modelfs, command):
    for option in "--help", "-h":
        assert modelfs(command, option).stdout.startswith(f"usage: modelfs {command} ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["push"],
        ["push", "x"],
        ["push", "x", "--to", "http://127.0.0.1:1"],
        ["push", "x", "--to", "http://127.0.0.1:1", "--project", "p"],
        ["push", "x", "--to", "http://127.0.0.1:1", "--project", "p", "--name", "n"],
        ["push", "--nonsense"],
        ["ls"],
        ["ls", "--nonsense", "x"],
        ["show"],
        ["show", "x", "y"],
        ["get"],
        ["get", "x"],
        ["get", "x", "y", "z"],
        ["ls", "nonsense://127.0.0.1:1"],
        ["ls", "gradient+http://127.0.0.1:1/a/b/c/d"],
        ["get", "gradient+http://127.0.0.1:1", "x"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_a_usage_error(modelfs, arguments, tmp_path):
    done = modelfs(*arguments, code=USAGE)
    assert done.stdout == "" and done.stderr


@pytest.mark.parametrize("command", [["ls"], ["show"], ["get", "x"]])
def test_a_registry_that_is_not_there_is_said_to_be(modelfs, command, tmp_path):
    url = "gradient+http://127.0.0.1:1/p/m"
    done = modelfs(command[0], url, *[tmp_path / c for c in command[1:]], code=UNAVAILABLE)
    assert "127.0.0.1:1" in done.stderr


def test_push_to_nobody_makes_no_fuss(modelfs, small):
    done = modelfs("push", small, "--to", "http://127.0.0.1:1", "--project", "p", "--name", "m",
                   "--type", "onnx", code=UNAVAILABLE)
    assert "127.0.0.1:1" in done.stderr


# push.


def test_push_makes_project_and_model_and_sends_each_file(modelfs, sink, small):
    done = modelfs(*push_arguments(small, sink))
    assert sink.projects == {"pr0": "p"}
    want = {"id": "mo0", "name": "m", "modelType": "Custom", "projectId": "pr0"}
    assert sink.models["mo0"] == want
    assert sink.files == {
        ("mo0", "a.bin"): b"first",
        ("mo0", "sub/b.bin"): b"second, a little longer",
    }
    assert done.stdout == "p/m: 2 files, 28 B, as mo0\n"


def test_push_takes_a_single_file_by_the_name_it_was_given(modelfs, sink, tmp_path):
    (tmp_path / "blob").write_bytes(b"weights")
    (tmp_path / "model.onnx").symlink_to("blob")
    modelfs(*push_arguments(tmp_path / "model.onnx", sink))
    assert sink.files == {("mo0", "model.onnx"): b"weights"}


def test_push_tells_a_script_what_it_did(modelfs, sink, small):
    told = json.loads(modelfs(*push_arguments(small, sink, "--json")).stdout)
    assert told == {
        "registry": f"gradient+{sink.url}",
        "project": "p",
        "project_id": "pr0",
        "name": "m",
        "id": "mo0",
        "type": "Custom",
        "files": 2,
        "sent": 2,
        "size": 28,
    }


def test_push_shows_the_key_to_the_registry_and_not_to_the_store(modelfs, sink, small):
    modelfs(*push_arguments(small, sink), MODELFS_API_KEY="secret")
    for method, _, _, _, headers in sink.requests:
        assert headers.get("X-API-Key") == (None if method == "PUT" else "secret")


def test_push_sends_the_content_type_that_was_signed(modelfs, sink, small):
    modelfs(*push_arguments(small, sink))
    signed = {r[2]["contentType"][0] for r in sink.seen("GET", "/mlModels/getPresignedModelUrl")}
    assert {r[4]["Content-Type"] for r in sink.seen("PUT", "/put/")} == signed


def test_push_says_that_a_key_is_wanted(modelfs, serve, small, expected_log):
    expected_log("401")
    serve.add_key("somebody")
    done = modelfs(*push_arguments(small, serve), code=NOPERM)
    assert "API key" in done.stderr


def test_push_finds_the_project_by_name_or_id(modelfs, sink, small):
    sink.projects = {"pr0": "p", "pr1": "other"}
    modelfs(*push_arguments(small, sink))
    modelfs("push", small, "--to", sink.url, "--project", "pr1", "--name", "n", "--type", "ONNX")
    assert [m["projectId"] for m in sink.models.values()] == ["pr0", "pr1"]
    assert not sink.seen("POST", "/projects")


def test_push_asks_which_of_two_projects_of_a_name(modelfs, sink, small):
    sink.projects = {"pr0": "p", "pr1": "p"}
    done = modelfs(*push_arguments(small, sink), code=DATAERR)
    assert "2 projects called `p`" in done.stderr and not sink.models


def test_push_without_a_project_is_to_unassigned(modelfs, sink, small):
    modelfs("push", small, "--to", sink.url, "--project", "unassigned", "--name", "m",
            "--type", "Custom")
    assert "projectId" not in sink.models["mo0"] and not sink.projects


def test_push_of_a_name_that_is_taken_is_refused(modelfs, sink, small):
    modelfs(*push_arguments(small, sink))
    done = modelfs(*push_arguments(small, sink), code=CANTCREAT)
    assert "mo0" in done.stderr and "--resume" in done.stderr
    assert len(sink.models) == 1


def test_push_resumes_with_what_is_lacking(modelfs, sink, small):
    modelfs(*push_arguments(small, sink))
    (small / "c.bin").write_bytes(b"new")
    (small / "a.bin").write_bytes(b"grown since")
    sink.requests.clear()
    done = modelfs(*push_arguments(small, sink, "--resume"))
    assert len(sink.seen("PUT", "/put/")) == 2 and len(sink.models) == 1
    assert sink.files[("mo0", "a.bin")] == b"grown since"
    assert done.stdout == "p/m: 3 files, 37 B, as mo0 (1 were there)\n"


def test_push_resumes_by_content_where_the_registry_knows_it(modelfs, serve, small):
    modelfs(*push_arguments(small, serve))
    (small / "a.bin").write_bytes(b"other")
    told = json.loads(modelfs(*push_arguments(small, serve, "--resume", "--json")).stdout)
    assert told["sent"] == 1


def test_push_passes_over_what_is_no_file_and_says_so(modelfs_bin, sink, small):
    (small / "link").symlink_to("a.bin")
    os.mkfifo(small / "pipe")
    (small / ".git").mkdir()
    (small / ".git" / "config").write_text("x")
    done = processes.run_modelfs(modelfs_bin, *push_arguments(small, sink))
    assert done.returncode == 0
    assert sorted(re.findall(r"push: (\S+) is passed over: (.*)", done.stderr)) == [
        (".git", "a tool's own folder"),
        ("link", "a symbolic link"),
        ("pipe", "no regular file"),
    ]
    assert len(sink.files) == 2


def test_push_refuses_an_empty_directory_before_it_makes_anything(modelfs, sink, tmp_path):
    (tmp_path / "empty" / "below").mkdir(parents=True)
    done = modelfs(*push_arguments(tmp_path / "empty", sink), code=NOINPUT)
    assert "no files" in done.stderr and not sink.requests


@pytest.mark.parametrize("name", [b"a\nb", b"\xff\xfe"], ids=["line break", "no UTF-8"])
def test_push_refuses_names_that_no_registry_takes(modelfs_bin, sink, small, name):
    with open(os.fsencode(small) + b"/" + name, "wb") as out:
        out.write(b"x")
    done = subprocess.run([modelfs_bin, *map(str, push_arguments(small, sink))],
                          capture_output=True, env=processes.environment())
    assert done.returncode == DATAERR and b"rename it" in done.stderr and not sink.requests


def test_push_of_nothing_says_what_is_missing(modelfs, sink, tmp_path):
    done = modelfs(*push_arguments(tmp_path / "nowhere", sink), code=NOINPUT)
    assert "nowhere" in done.stderr and not sink.requests


def test_push_tells_what_the_registry_says(modelfs, sink, small):
    sink.refuse_models = "no more models today"
    done = modelfs(*push_arguments(small, sink), code=76)
    assert "no more models today" in done.stderr


PASSING = {
    "500": push_registry.answer(500),
    "503": push_registry.answer(503),
    "429": push_registry.answer(429),
    "reset": push_registry.drop,
}


@pytest.mark.parametrize("trouble", PASSING)
def test_push_tries_again_when_trouble_passes(modelfs_bin, sink, small, trouble):
    sink.puts = [None, PASSING[trouble], PASSING[trouble]]
    done = processes.run_modelfs(modelfs_bin, *push_arguments(small, sink))
    assert done.returncode == 0, done.stderr
    assert sink.files[("mo0", "sub/b.bin")] == b"second, a little longer"


LASTING = {
    "refused": (push_registry.answer(403), NOPERM),
    "model gone": (push_registry.answer(404), UNAVAILABLE),
    "no room": (push_registry.answer(507), UNAVAILABLE),
    "other bytes": (push_registry.forget, DATAERR),
}


@pytest.mark.parametrize("trouble", LASTING)
def test_push_that_fails_says_where_it_stands_and_resumes(modelfs, sink, small, trouble):
    act, code = LASTING[trouble]
    sink.puts = [None, act]
    done = modelfs(*push_arguments(small, sink), code=code)
    assert "sub/b.bin" in done.stderr
    assert "1 of 2 files are at the registry, in the model `m` (mo0)" in done.stderr
    assert "--resume" in done.stderr
    modelfs(*push_arguments(small, sink, "--resume"))
    assert len(sink.files) == 2 and len(sink.models) == 1


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_push_that_is_interrupted_says_where_it_stands(modelfs_bin, sink, tmp_path, how):
    big = tmp_path / "big"
    big.mkdir()
    Seeded(1, 64 << 20).write_to(big / "w.bin")
    sink.hold = threading.Event()
    command = [modelfs_bin, *map(str, push_arguments(big, sink))]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True,
                           env=processes.environment())
    assert sink.arrived.wait(20)
    run.send_signal(how)
    sink.hold.set()
    assert run.wait(20) == -how
    told = run.stderr.read()
    run.stderr.close()
    assert "interrupted" in told and "0 of 1 files" in told and "--resume" in told


def test_push_shows_a_bar_on_a_terminal_and_nothing_elsewhere(modelfs_bin, sink, tmp_path):
    Seeded(2, 8 << 20).write_to(tmp_path / "w.bin")
    main, terminal = pty.openpty()
    command = [modelfs_bin, *map(str, push_arguments(tmp_path / "w.bin", sink))]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=terminal,
                           env=processes.environment(TERM="xterm"))
    os.close(terminal)
    drawn = read_terminal(main)
    assert run.wait(20) == 0
    run.stdout.close()
    assert re.search(rb"\[=*>? *\] +\d+% .* of 8.0 MiB.* w.bin", drawn)
    assert drawn.endswith(b"\r\x1b[K")


def read_terminal(fd):
    drawn = b""
    while select.select([fd], [], [], 20)[0]:
        try:
            data = os.read(fd, 4096)
        except OSError:
            break
        if not data:
            break
        drawn += data
    os.close(fd)
    return drawn


# push --metrics.


def detail(**scalars):
    """The registry's form of {name: {step: value}}."""
    rows = [
        {
            "scalar": name,
            "data": [
                {
                    "operation": "mean",
                    "checkpoints": [{"checkpoint": s, "value": v} for s, v in values.items()],
                }
            ],
        }
        for name, values in scalars.items()
    ]
    return [{"session": "eval", "scalars": rows}]


def test_metrics_of_the_registry_s_own_form_go_as_they_are(modelfs, sink, small):
    path = trees.SAMPLE / "metrics" / "cnn.json"
    modelfs(*push_arguments(small, sink, "--metrics", path))
    assert sink.models["mo0"]["detail"] == json.loads(path.read_text())


def test_metrics_as_csv_go_by_step(modelfs, sink, small, tmp_path):
    csv = tmp_path / "m.csv"
    csv.write_text("step,loss,accuracy\n0,2.5,0.1\n600,0.07,0.98\n")
    modelfs(*push_arguments(small, sink, "--metrics", csv))
    want = detail(loss={0: 2.5, 600: 0.07}, accuracy={0: 0.1, 600: 0.98})
    assert sink.models["mo0"]["detail"] == want


def test_metrics_of_one_step_belong_to_it(modelfs, sink, small, tmp_path):
    flat = tmp_path / "m.json"
    flat.write_text('{"loss": 0.07, "accuracy": 0.98}')
    modelfs(*push_arguments(small, sink, "--metrics", flat, "--step", "600"))
    assert sink.models["mo0"]["detail"] == detail(loss={600: 0.07}, accuracy={600: 0.98})


def test_metrics_without_a_step_are_the_summary(modelfs, sink, small, tmp_path):
    flat = tmp_path / "m.json"
    flat.write_text('{"loss": 0.07}')
    modelfs(*push_arguments(small, sink, "--metrics", flat))
    assert sink.models["mo0"]["summary"] == {"loss": 0.07}
    assert "detail" not in sink.models["mo0"]


BAD_METRICS = {
    "empty": ("", []),
    "broken": ('{"loss": ', []),
    "no numbers": ('{"loss": "low"}', []),
    "a list of something": ("[1, 2]", []),
    "no step": ("loss,accuracy\n1,2\n", []),
    "no values": ("step,loss\n", []),
    "a word in a cell": ("step,loss\n1,low\n", []),
    "a step too many": ("step,loss\n1,2\n", ["--step", "3"]),
}


@pytest.mark.parametrize("case", BAD_METRICS)
def test_bad_metrics_are_refused_before_anything_is_made(modelfs, sink, small, tmp_path, case):
    text, more = BAD_METRICS[case]
    (tmp_path / "bad").write_text(text)
    done = modelfs(*push_arguments(small, sink, "--metrics", tmp_path / "bad", *more), code=DATAERR)
    assert f"{tmp_path}/bad: " in done.stderr and not sink.requests


@pytest.mark.parametrize("step", ["-1", "x", "", "1.5"])
def test_a_step_is_a_whole_number(modelfs, sink, small, step):
    modelfs(*push_arguments(small, sink, "--metrics", "m", "--step", step), code=USAGE)


# ls and show: the same by URL and by path.


@pytest.fixture(params=["url", "path"])
def place(request, sample_server, watchdog):
    """place("mnist/cnn"): how the sample is named on the command line."""
    if request.param == "url":
        return lambda path: f"{sample_server.source}/{path}"
    found = request.getfixturevalue("served_mount")
    watchdog.processes.append(found.process)
    return lambda path: str(found / path)


def test_ls_of_a_registry_lists_projects(modelfs, place):
    rows = table(modelfs("ls", place("")).stdout)
    assert rows[0] == ["PROJECT", "ID", "AGE"]
    assert [row[0] for row in rows[1:]] == ["mnist"]


def test_ls_of_a_project_lists_models_with_what_they_reach(modelfs, place):
    rows = table(modelfs("ls", place("mnist")).stdout)
    assert rows[0] == ["MODEL", "TYPE", "CHECKPOINTS", "ACCURACY", "LOSS", "SIZE", "AGE"]
    assert [row[:5] for row in rows[1:]] == [
        ["cnn", "Tensorflow", "8", "0.9806", "0.0721"],
        ["cnn-onnx", "ONNX", "1", "0.9806", "0.0721"],
        ["digits-custom", "Custom", "1", "0.9722", "0.1416"],
    ]


def test_ls_of_a_model_lists_checkpoints_with_their_metrics(modelfs, place):
    rows = table(modelfs("ls", place("mnist/cnn")).stdout)
    metrics = ["accuracy", "loss", "train/loss"]  # the last is told by an event file
    assert rows[0] == ["CHECKPOINT", "STEP", *metrics, "SIZE", "AGE", "NOTE"]
    by_name = {row[0]: row for row in rows[1:]}
    want = [f"ckpt-{step}" for step in trees.STEPS] + [f"export-{trees.EXPORT}", "files"]
    assert list(by_name) == want
    assert by_name["ckpt-600"][1:4] == ["600", "0.9778", "0.0710"]
    assert by_name["ckpt-600"][-1] == "best loss"
    assert by_name["ckpt-800"][-1] == "best accuracy"
    assert by_name["ckpt-1200"][-1] == "latest"
    assert by_name["files"][1:4] == ["-", "-", "-"]


def test_ls_of_a_checkpoint_lists_files(modelfs, place):
    rows = table(modelfs("ls", place("mnist/cnn/latest")).stdout)
    assert rows[0] == ["FILE", "SIZE", "AGE"]
    assert [row[0] for row in rows[1:]] == [
        f"model.ckpt-1200.{end}" for end in ("data-00000-of-00001", "index", "meta")
    ]


def test_ls_tells_a_script_all_that_is_known(modelfs, place):
    told = json.loads(modelfs("ls", "--json", place("mnist")).stdout)
    assert told["kind"] == "project" and told["project"] == "mnist"
    models = {model["name"]: model for model in told["models"]}
    assert sorted(models) == sorted(trees.KINDS)
    sizes = {p.name: p.stat().st_size for p in (trees.MODELS / "mnist" / "digits-custom").iterdir()}
    assert {f["path"]: f["size"] for f in models["digits-custom"]["files"]} == sizes


def test_url_and_path_tell_the_same(modelfs, sample_server, served_mount):
    for path in "", "mnist", "mnist/cnn", "mnist/cnn/latest", "mnist/cnn/best-loss":
        by_url = json.loads(modelfs("ls", "--json", f"{sample_server.source}/{path}").stdout)
        by_path = json.loads(modelfs("ls", "--json", served_mount / path).stdout)
        for told in by_url, by_path:
            told.get("models", []).sort(key=lambda model: model["name"])
        assert by_url == by_path


def test_show_tells_about_a_model(modelfs, place):
    facts, checkpoints, history = modelfs("show", place("mnist/cnn")).stdout.split("\n\n")
    lines = dict(re.split(r"  +", line, maxsplit=1) for line in facts.splitlines())
    assert lines["name"] == "cnn" and lines["type"] == "Tensorflow" and lines["project"] == "mnist"
    assert lines["latest"] == "ckpt-1200" and lines["checkpoints"] == "8"
    rows = {row[0]: row for row in table(checkpoints)}
    assert rows["ckpt-800"][3:5] == ["0.9833*", "0.0804"]
    assert rows["ckpt-600"][3:5] == ["0.9778", "0.0710*"]
    assert [row[:4] for row in table(history)[1:]] == [
        ["accuracy", "0.9806", "0.9833", "800"],
        ["loss", "0.0721", "0.0710", "600"],
        ["train/loss", "0.0061", "0.0012", "1000"],
    ]


def test_show_tells_about_a_checkpoint_and_its_files(modelfs, place):
    done = modelfs("show", place("mnist/cnn/best-loss"))
    facts, files = done.stdout.split("\n\n")
    lines = dict(re.split(r"  +", line, maxsplit=1) for line in facts.splitlines())
    assert lines["name"] == "ckpt-600" and lines["model"] == "cnn" and lines["step"] == "600"
    assert lines["complete"] == "yes" and lines["metric loss"] == "0.0710"
    index = next(row for row in table(files) if row[0] == "model.ckpt-600.index")
    assert index[2] == trees.sha256(CNN / "model.ckpt-600.index")


def test_show_of_a_project_says_what_to_do(modelfs, place):
    assert "modelfs ls" in modelfs("show", place("mnist"), code=USAGE).stderr


@pytest.mark.parametrize("path", ["nothing", "mnist/nothing", "mnist/cnn/nothing"])
@pytest.mark.parametrize("command", ["ls", "show"])
def test_what_is_not_there_is_said_to_be_missing(modelfs, place, command, path):
    done = modelfs(command, place(path), code=NOINPUT)
    assert "nothing" in done.stderr and done.stdout == ""


def test_a_directory_of_no_mount_is_none_of_ours(modelfs, tmp_path):
    assert "in a mount" in modelfs("ls", tmp_path, code=USAGE).stderr


def test_ls_goes_on_behind_what_is_not_there(modelfs, sample_server):
    source = sample_server.source
    done = modelfs("ls", f"{source}/nothing", f"{source}/mnist/cnn-onnx", code=NOINPUT)
    assert "export-model" in done.stdout


def test_a_directory_s_models_are_named_behind_a_sharp_sign(modelfs, sample_source, tmp_path):
    assert "cnn-onnx" in modelfs("ls", f"{sample_source}#mnist").stdout
    assert "ckpt-600" in modelfs("ls", f"{sample_source}#mnist/cnn").stdout
    modelfs("get", f"{sample_source}#mnist/cnn/ckpt-600", tmp_path / "copy")
    assert (tmp_path / "copy" / "model.ckpt-600.index").is_file()


def test_hostile_names_cannot_speak_to_the_terminal(modelfs, registry):
    registry.add_model("p\x1b[2J", "m\nfake  row\x9b", kind="Custom\x07", files={"a\x1bb": b"x"})
    for url in registry.source, f"{registry.source}/p%1B[2J":
        shown = modelfs("ls", url).stdout
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\x80-\x9f]", shown)
        assert len(shown.splitlines()) == 2


def test_a_model_that_fails_is_said_and_the_others_are_shown(modelfs_bin, registry):
    good = registry.add_model("p", "good", files={"a": b"x"})
    bad = registry.add_model("p", "bad", files={"a": b"x"})
    asks_bad = lambda request: bad.fields["id"].encode() in request.body  # noqa: E731
    registry.fail("files", fake.status(404), where=asks_bad)
    done = processes.run_modelfs(modelfs_bin, "ls", f"{registry.source}/p")
    assert done.returncode == TEMPFAIL
    assert bad.fields["id"] in done.stderr
    assert [row[0] for row in table(done.stdout)[1:]] == ["good"] and good


# get.


def same_files(one, other):
    return trees.digests(one) == trees.digests(other)


def parts_below(folder):
    return [p for p in trees.files_below(folder) if "part" in p]


def test_get_gives_back_what_was_pushed(modelfs, place, tmp_path):
    done = modelfs("get", place("mnist/cnn"), tmp_path / "copy")
    assert same_files(tmp_path / "copy", CNN)
    assert done.stdout == f"{tmp_path}/copy: 28 files, 778 KiB: all copied\n"


def test_get_of_a_checkpoint_is_what_the_mount_shows(modelfs, place, truth, tmp_path):
    modelfs("get", place("mnist/cnn/latest"), tmp_path / "copy")
    assert same_files(tmp_path / "copy", truth / "mnist" / "cnn" / "ckpt-1200")


def test_get_of_one_file_of_a_mount(modelfs, served_mount, tmp_path):
    path = served_mount / "mnist/cnn/ckpt-600/model.ckpt-600.index"
    modelfs("get", path, tmp_path / "copy")
    assert trees.files_below(tmp_path / "copy") == ["model.ckpt-600.index"]


def test_get_of_a_project_says_what_to_do(modelfs, place, tmp_path):
    modelfs("get", place("mnist"), tmp_path / "copy", code=USAGE)
    assert not (tmp_path / "copy").exists()


def test_get_keeps_times(modelfs, place, served_mount, tmp_path):
    modelfs("get", place("mnist/cnn/latest"), tmp_path / "copy")
    for name in trees.files_below(tmp_path / "copy"):
        mine = (tmp_path / "copy" / name).stat().st_mtime_ns
        assert mine == (served_mount / "mnist/cnn/latest" / name).stat().st_mtime_ns


def test_a_second_get_copies_nothing(modelfs, place, tmp_path):
    copy = tmp_path / "copy"
    modelfs("get", place("mnist/cnn"), copy)
    before = trees.shape(copy)
    assert modelfs("get", place("mnist/cnn"), copy).stdout.endswith("all there already\n")
    assert trees.shape(copy) == before


def test_get_copies_anew_what_was_changed_here(modelfs, place, tmp_path):
    copy = tmp_path / "copy"
    modelfs("get", place("mnist/cnn/latest"), copy)
    victim = copy / "model.ckpt-1200.index"
    kept = victim.stat()
    victim.write_bytes(bytes(kept.st_size))
    os.utime(victim, ns=(kept.st_mtime_ns, kept.st_mtime_ns))
    done = modelfs("get", place("mnist/cnn/latest"), copy)
    assert "1 copied, 3 there already" in done.stdout
    assert trees.sha256(victim) == trees.sha256(CNN / "model.ckpt-1200.index")


BIG = Seeded(21, 24 * (1 << 20) + 77)


def big_model(registry, digest=True):
    registry.add_model("p", "m", files={"w.bin": BIG})
    file = next(iter(registry.models.values())).files["w.bin"]
    file.digest = f"sha256:{BIG.sha256()}" if digest else None
    file.mtime = fake.A_TIME
    return file, f"{registry.source}/p/m"


def interrupt_in_the_middle(modelfs_bin, url, copy, seconds=30):
    """Starts a get, and interrupts it once a part of the file is here."""
    run = subprocess.Popen([modelfs_bin, "get", url, str(copy)], stderr=subprocess.PIPE, text=True,
                           env=processes.environment())
    part = pathlib.Path(copy) / "w.bin.part"
    deadline = time.monotonic() + seconds
    while not (part.is_file() and part.stat().st_size > 4 << 20):
        assert time.monotonic() < deadline and run.poll() is None
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    assert run.wait(20) == -signal.SIGINT
    told = run.stderr.read()
    run.stderr.close()
    return part, told


def is_late(request):
    return request.range is None or request.range[0] >= 8 << 20


@pytest.mark.parametrize("digest", [True, False], ids=["digest", "no digest"])
def test_get_goes_on_where_it_was_interrupted(modelfs, modelfs_bin, registry, tmp_path, digest):
    _, url = big_model(registry, digest)
    registry.fail("content", fake.hold, where=is_late)
    part, told = interrupt_in_the_middle(modelfs_bin, url, tmp_path / "copy")
    assert "interrupted" in told
    had = part.stat().st_size
    registry.heal()
    registry.reset_counts()
    modelfs("get", url, tmp_path / "copy")
    assert trees.sha256(tmp_path / "copy" / "w.bin") == BIG.sha256()
    assert registry.content_bytes <= BIG.size - had + (1 << 20)
    assert not parts_below(tmp_path / "copy")


@pytest.mark.parametrize("digest", [True, False], ids=["digest", "no digest"])
def test_get_does_not_go_on_with_another_version(modelfs, modelfs_bin, registry, tmp_path, digest):
    file, url = big_model(registry, digest)
    registry.fail("content", fake.hold, where=is_late)
    interrupt_in_the_middle(modelfs_bin, url, tmp_path / "copy")
    registry.heal()
    other = Seeded(22, BIG.size)
    file.replace(other)
    file.digest = f"sha256:{other.sha256()}" if digest else None
    modelfs("get", url, tmp_path / "copy")
    assert trees.sha256(tmp_path / "copy" / "w.bin") == other.sha256()


def test_get_throws_away_what_has_another_digest(modelfs, registry, tmp_path):
    registry.add_model("p", "m", files={"w.bin": b"right", "x": b"x"})
    file = next(iter(registry.models.values())).files["w.bin"]
    file.digest = "sha256:" + hashlib.sha256(b"wrong").hexdigest()
    done = modelfs("get", f"{registry.source}/p/m", tmp_path / "copy", code=DATAERR)
    assert "SHA-256" in done.stderr and "w.bin" in done.stderr
    assert trees.files_below(tmp_path / "copy") == []


@pytest.mark.parametrize("fault", [fake.status(500), fake.cut(100000), fake.reset(70000)])
def test_get_gets_through_passing_trouble(modelfs_bin, registry, tmp_path, fault):
    _, url = big_model(registry)
    registry.fail("content", fault, times=3)
    done = processes.run_modelfs(modelfs_bin, "get", url, tmp_path / "copy")
    assert done.returncode == 0, done.stderr
    assert trees.sha256(tmp_path / "copy" / "w.bin") == BIG.sha256()


def test_get_says_that_a_file_is_gone(modelfs_bin, registry, tmp_path):
    _, url = big_model(registry)
    registry.fail("content", fake.status(404))
    done = processes.run_modelfs(modelfs_bin, "get", url, tmp_path / "copy")
    assert done.returncode in (NOINPUT, TEMPFAIL) and "w.bin" in done.stderr
    assert not (tmp_path / "copy" / "w.bin").exists()


HOSTILE = ["../out", "../../out", "a/../../../out", "/out", "//out", "..", ".", "a//b", "a/./b",
           "x\ny", "b" * 300, "c/" + "d" * 300, "~", "-rf", ".part", "e.part", "e", "é"]


def test_hostile_names_stay_in_the_destination(modelfs, registry, tmp_path):
    registry.add_model("p", "m", files={n: n.encode() for n in HOSTILE})
    copy = tmp_path / "1" / "2" / "3"
    modelfs("get", f"{registry.source}/p/m", copy)
    assert trees.files_below(tmp_path) == [f"1/2/3/{p}" for p in trees.files_below(copy)]
    contents = sorted((copy / p).read_bytes() for p in trees.files_below(copy))
    assert contents == sorted(n.encode() for n in HOSTILE)
    assert not pathlib.Path("/out").exists()


def test_links_in_the_destination_are_not_followed(modelfs, registry, tmp_path):
    registry.add_model("p", "m", files={"sub/w.bin": b"new"})
    outside = tmp_path / "outside"
    outside.mkdir()
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "sub").symlink_to(outside)
    done = modelfs("get", f"{registry.source}/p/m", copy, code=CANTCREAT)
    assert "sub/w.bin" in done.stderr and not list(outside.iterdir())


@pytest.mark.parametrize("name, code", [("w.bin", 0), ("w.bin.part", CANTCREAT)])
def test_a_link_in_the_place_of_a_file_is_left_alone(modelfs, registry, tmp_path, name, code):
    registry.add_model("p", "m", files={"w.bin": b"new"})
    outside = tmp_path / "precious"
    outside.write_bytes(b"old")
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / name).symlink_to(outside)
    modelfs("get", f"{registry.source}/p/m", tmp_path / "copy", code=code)
    assert outside.read_bytes() == b"old"
    if code == 0:
        assert (tmp_path / "copy" / "w.bin").read_bytes() == b"new"


def test_a_directory_in_the_place_of_a_file_is_said(modelfs, registry, tmp_path):
    registry.add_model("p", "m", files={"w.bin": b"new"})
    (tmp_path / "copy" / "w.bin").mkdir(parents=True)
    done = modelfs("get", f"{registry.source}/p/m", tmp_path / "copy", code=CANTCREAT)
    assert "directory" in done.stderr


def test_a_file_in_the_place_of_the_destination_is_said(modelfs, registry, tmp_path):
    registry.add_model("p", "m", files={"w.bin": b"new"})
    (tmp_path / "copy").write_text("x")
    done = modelfs("get", f"{registry.source}/p/m", tmp_path / "copy", code=CANTCREAT)
    assert "copy" in done.stderr


def test_empty_files_are_copied(modelfs, registry, tmp_path):
    registry.add_model("p", "m", files={"empty": b"", "full": b"x"})
    modelfs("get", f"{registry.source}/p/m", tmp_path / "copy")
    assert (tmp_path / "copy" / "empty").read_bytes() == b""


def test_two_gets_into_one_place_do_no_harm(modelfs_bin, registry, tmp_path):
    _, url = big_model(registry)
    command = [modelfs_bin, "get", url, str(tmp_path / "copy")]
    runs = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                             env=processes.environment()) for _ in range(3)]
    codes = [run.wait(60) for run in runs]
    for run in runs:
        run.stderr.close()
    assert 0 in codes and set(codes) <= {0, TEMPFAIL}
    assert trees.sha256(tmp_path / "copy" / "w.bin") == BIG.sha256()
    assert not parts_below(tmp_path / "copy")
