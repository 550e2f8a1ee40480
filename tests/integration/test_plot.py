# SPDX-License-Identifier: Apache-2.0
"""plot: metrics over steps, in the terminal and as pictures."""

import fcntl
import os
import pty
import re
import stat
import struct
import termios
import xml.etree.ElementTree

import processes
import pytest
from imitation import Model, checkpoint

# sysexits.h
USAGE, DATAERR, NOINPUT, UNAVAILABLE, SOFTWARE, CANTCREAT = 64, 65, 66, 69, 70, 73
UTF8 = {"LC_ALL": "C.UTF-8"}
BRAILLE = re.compile("[\u2801-\u28ff]")
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def plot(modelfs_bin):
    """plot(argument, ..., code=0): the finished run."""

    def run(*arguments, code=0, **env):
        env = {"LC_ALL": "C", **env}
        done = processes.run_modelfs(modelfs_bin, "plot", *arguments, **env)
        assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
        return done

    return run


def make(root, name="m"):
    model = Model(root, name)
    for step, accuracy, loss in (0, 0.1, 4), (100, 0.9, 2), (200, 0.8, 1):
        model.add(checkpoint(step, {"accuracy": accuracy, "val_loss": loss}))
    return model


@pytest.fixture
def model(tmp_path):
    return make(tmp_path)


def legend(done):
    return [line for line in done.stdout.splitlines() if re.match(r"[ox+#%@●▲■◆▼★] ", line)]


@pytest.mark.parametrize(
    "arguments",
    [[], ["--nonsense"], ["--width", "3", "/"], ["--height", "x", "/"], ["--width", "-50", "/"],
     ["-o", "x.gif", "/"], ["-o", "png", "/"], ["-o", "a.png/b", "/"]],
    ids=" ".join,
)
def test_a_wrong_command_line_is_a_usage_error(plot, arguments):
    assert plot(*arguments, code=USAGE).stderr


def test_help_goes_to_standard_output(plot):
    assert plot("--help").stdout.startswith("usage: modelfs plot ")


def test_accuracy_is_plotted_where_nothing_is_named(plot, model):
    done = plot(model.path, "--width", "40", "--height", "10")
    assert legend(done) == ["o m accuracy  best 0.9000 at step 100"]
    lines = done.stdout.splitlines()
    assert len(lines) == 11 and max(map(len, lines)) <= 40
    assert done.stdout.count("*") == 1


def test_loss_is_plotted_where_there_is_no_accuracy(plot, tmp_path):
    model = Model(tmp_path)
    for step in 1, 2:
        model.add(checkpoint(step, {"val_loss": step}))
    assert legend(plot(model.path)) == ["o m val_loss  best 1.0000 at step 1"]


def test_braille_where_the_locale_has_it(plot, model):
    assert BRAILLE.search(plot(model.path, **UTF8).stdout)
    assert plot(model.path).stdout.isascii()


def test_a_metric_is_found_by_a_part_of_its_name(plot, model):
    assert legend(plot(model.path, "loss")) == ["o m val_loss  best 1.0000 at step 200"]


def test_several_models_and_metrics_are_laid_over_each_other(plot, model, tmp_path):
    other = make(tmp_path, "other")
    done = plot(model.path, other.path / "latest", "accuracy", "val_loss", **UTF8)
    assert [line[:len("● other accuracy")].strip() for line in legend(done)] == [
        "● m accuracy  be", "▲ m val_loss  be", "■ other accuracy", "◆ other val_loss",
    ]


def test_two_models_of_one_name_are_told_apart(plot, model, tmp_path):
    (tmp_path / "else").mkdir()
    other = make(tmp_path / "else")
    assert f"x {other.path} accuracy  best" in plot(model.path, other.path).stdout


def test_history_is_plotted_where_the_mount_has_it(plot, model):
    model.history("val_loss", {0: 3, 7: 0.5, 9: "NaN", 14: "Infinity", 20: 2})
    assert legend(plot(model.path, "loss")) == ["o m val_loss  best 0.5000 at step 7"]
    model.history("train_only", {0: 3, 8: 0.5})
    assert legend(plot(model.path / "latest", "train_only"))
    assert legend(plot("--checkpoints", model.path, "val_loss"))[0].endswith("at step 200")


def test_a_metric_may_be_called_like_a_directory(plot, model, tmp_path):
    model.history("sub", {0: 1, 1: 2})
    (tmp_path / "sub").mkdir()
    where = os.getcwd()
    os.chdir(tmp_path)
    try:
        assert legend(plot("m", "--", "sub")) == ["o m sub  best 2.0000 at step 1"]
        assert legend(plot("m", "accuracy", "sub"))[1] == "x m sub  best 2.0000 at step 1"
        assert "mount" in plot("m", "sub", code=USAGE).stderr
    finally:
        os.chdir(where)


def test_a_metric_that_is_not_there_is_said(plot, model):
    done = plot(model.path, "wer", code=NOINPUT)
    assert "it has accuracy, val_loss" in done.stderr


def test_what_names_nothing_is_said(plot, tmp_path):
    assert "neither" in plot("nowhere", "loss", code=NOINPUT).stderr
    assert "in a mount" in plot(tmp_path, code=USAGE).stderr


def test_nothing_but_nan_is_no_plot(plot, tmp_path):
    model = Model(tmp_path)
    model.add(checkpoint(1, {"loss": "NaN"}))
    plot(model.path, code=DATAERR)


def test_a_logarithmic_scale_leaves_out_what_it_cannot_show(plot, model):
    model.history("val_loss", {0: 1000, 1: 0, 2: -5, 3: 1})
    assert "100 +" in plot("--log", model.path, "val_loss").stdout
    model.history("val_loss", {0: 0, 1: -1})
    plot("--log", model.path, "val_loss", code=DATAERR)


def test_history_by_url_is_what_the_registry_tells(plot, sample_server):
    url = f"{sample_server.source}/mnist/cnn"
    assert legend(plot(url)) == ["o cnn accuracy  best 0.9833 at step 800"]
    done = plot("--checkpoints", f"{url}/ckpt-600", "accuracy", "loss")
    assert legend(done) == [
        "o cnn accuracy  best 0.9833 at step 800",
        "x cnn loss  best 0.0710 at step 600",
    ]


def test_a_real_mount_is_plotted(plot, served_mount, watchdog):
    watchdog.processes.append(served_mount.process)
    done = plot("--checkpoints", served_mount / "mnist/cnn")
    assert legend(done) == ["o cnn accuracy  best 0.9833 at step 800"]


def test_a_terminal_s_width_and_colours_are_used(modelfs_bin, model):
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 15, 50, 0, 0))
    done = processes.subprocess.run(
        [modelfs_bin, "plot", model.path],
        stdout=terminal,
        env=processes.environment(TERM="xterm", **UTF8),
    )
    os.close(terminal)
    drawn = os.read(main, 1 << 16).decode()
    os.close(main)
    assert done.returncode == 0 and "\x1b[36m" in drawn
    lines = re.sub(r"\x1b\[\d*m", "", drawn).splitlines()
    assert len(lines) == 13 and max(map(len, lines)) == 50


def test_hostile_names_cannot_speak_to_the_terminal(plot, tmp_path):
    model = Model(tmp_path, "m", name="a\x1b[2J\nb")
    model.add(checkpoint(1, {"lo\x1b]0;ss\x07": 1}))
    done = plot(model.path, "lo")
    said = plot(model.path, "no", code=NOINPUT)
    for text in done.stdout, said.stderr:
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)


# Pictures.


def test_pictures_are_drawn(plot, model, tmp_path):
    processes.need("gnuplot")
    png, svg = tmp_path / "x.png", tmp_path / "x.SVG"
    assert plot(model.path, "accuracy", "loss", "-o", png).stdout == ""
    plot("-o", svg, model.path)
    assert png.read_bytes().startswith(PNG)
    texts = "".join(xml.etree.ElementTree.parse(svg).getroot().itertext())
    assert "m accuracy" in texts and "best 0.9000 at step 100" in texts
    assert stat.S_IMODE(png.stat().st_mode) == 0o666 & ~current_umask()


def current_umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


HOSTILE = ["'", "''", "'''", "a'", "`touch {0}`", "$(touch {0})", "'\n!touch {0}\n'", "' ; system('touch {0}') ; '",
           "\\'; system \"touch {0}\"", "@x", "a_{{b}}^c", "\x00", "%s%n%d", "END\n!touch {0}"]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_is_a_command_to_gnuplot(plot, tmp_path, name):
    processes.need("gnuplot")
    touched = tmp_path / "touched"
    name = name.format(touched).replace("\x00", "\x01")
    model = Model(tmp_path, "m", name=name)
    for step in 1, 2:
        model.add(checkpoint(step, {f"loss{name}": step}))
    done = plot(model.path, "loss", "-o", tmp_path / "x.svg")
    assert not touched.exists() and done.stderr == ""
    shown = "".join(xml.etree.ElementTree.parse(tmp_path / "x.svg").getroot().itertext())
    want = re.sub(r"[\x00-\x1f]", " ", f"{name} loss{name}").replace("'", "’")
    assert " ".join(want.split()) in " ".join(shown.split())


def test_numbers_of_any_size_do_no_harm(modelfs_bin, plot, model, tmp_path):
    processes.need("gnuplot")
    model.history("val_loss", {-(2**63): 1e308, 0: -1e308, 5: 5e-324, 2**63 - 1: "NaN"})
    assert legend(plot(model.path, "val_loss"))
    done = processes.run_modelfs(modelfs_bin, "plot", model.path, "val_loss", "-o",
                                 tmp_path / "x.svg")
    assert done.returncode in (0, SOFTWARE)
    assert (tmp_path / "x.svg").exists() == (done.returncode == 0)


def only_files(folder):
    return sorted(p.name for p in folder.iterdir() if p.is_file())


def test_without_gnuplot_it_says_what_to_install(plot, model, tmp_path):
    (tmp_path / "x.png").write_text("old")
    done = plot(model.path, "-o", tmp_path / "x.png", code=UNAVAILABLE, PATH="/nonexistent")
    assert "gnuplot-nox" in done.stderr
    assert (tmp_path / "x.png").read_text() == "old" and only_files(tmp_path) == ["x.png"]


@pytest.mark.parametrize("script", ["exit 1", "echo half; exit 1", "kill -9 $$", "exit 0"])
def test_a_gnuplot_that_fails_leaves_nothing(plot, model, tmp_path, script):
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "gnuplot").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "gnuplot").chmod(0o755)
    plot(model.path, "-o", tmp_path / "x.png", code=SOFTWARE, PATH=f"{folder}:/usr/bin:/bin")
    assert only_files(tmp_path) == []


def test_a_picture_that_cannot_be_written_is_said(plot, model, tmp_path):
    plot(model.path, "-o", tmp_path / "nowhere" / "x.png", code=CANTCREAT)
    (tmp_path / "taken.png").mkdir()
    plot(model.path, "-o", tmp_path / "taken.png", code=CANTCREAT)
    assert only_files(tmp_path) == []


def test_people_s_own_settings_of_gnuplot_stay_out(plot, model, tmp_path):
    processes.need("gnuplot")
    (tmp_path / ".gnuplot").write_text("!touch touched\nexit\n")
    plot(model.path, "-o", tmp_path / "x.png", HOME=tmp_path)
    assert (tmp_path / "x.png").read_bytes().startswith(PNG)
