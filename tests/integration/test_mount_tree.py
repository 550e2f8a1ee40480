# SPDX-License-Identifier: Apache-2.0
"""What a mount shows: names, times, attributes, links, metrics; nothing before somebody looks."""

import errno
import json
import math
import os
import stat
import subprocess

import fake_registry as fake
import pytest
import trees
from trees import EXPORT, KINDS, MODELS, SAMPLE, STEPS, run

CNN = "mnist/cnn"
EXPECTED = json.loads((SAMPLE / "expected.json").read_text())["steps"]
MODEL_NAMES = sorted(KINDS)


@pytest.fixture(params=["served", "dir"])
def real_mount(request, watchdog):
    """The sample from a registry and from a directory: for what plain files cannot have."""
    found = request.getfixturevalue("served_mount" if request.param == "served" else "sample_mount")
    watchdog.processes.append(found.process)
    return found.path


def names(path):
    """A directory's names, without the links that only a registry with metrics can know."""
    return sorted(n for n in os.listdir(path) if not n.startswith("best-"))


# The tree.


def test_projects_hold_models_and_models_hold_checkpoints(any_mount):
    assert names(any_mount) == ["mnist"]
    assert names(any_mount / "mnist") == MODEL_NAMES
    want = [f"ckpt-{s}" for s in STEPS] + [f"export-{EXPORT}", "files", "latest"]
    assert names(any_mount / CNN) == sorted(want)


def test_a_model_of_one_onnx_file_is_an_export(any_mount):
    model = any_mount / "mnist" / "cnn-onnx"
    assert names(model) == ["export-model", "latest"]
    assert names(model / "latest") == ["model.onnx"]


def test_a_custom_model_is_recognised_by_its_files(any_mount):
    model = any_mount / "mnist" / "digits-custom"
    assert names(model) == ["export-weights", "files", "latest"]
    assert names(model / "files") == ["gradient-model-metadata.json"]


def test_a_model_in_which_nothing_is_recognised_has_only_files(mount, registry):
    registry.add_model("p", "m", files={"gradient-model-metadata.json": b"{}", "a/b.txt": b"b"})
    assert names(mount(registry.source) / "p/m") == ["files"]


def test_every_byte_is_listed_once_and_is_the_right_one(any_mount, truth):
    found, want = trees.digests(any_mount), trees.digests(truth)
    assert sorted(found) == sorted(want)
    assert found == want


def test_every_file_of_the_source_stands_somewhere(any_mount):
    found = [digest for _, digest in trees.digests(any_mount).values()]
    want = [digest for _, digest in trees.digests(MODELS).values()]
    made_by_us = [trees.hashlib.sha256(trees.state_file(s).encode()).hexdigest() for s in STEPS]
    assert sorted(found) == sorted(want + made_by_us)


def test_latest_is_the_highest_step(any_mount):
    assert os.readlink(any_mount / CNN / "latest") == f"ckpt-{STEPS[-1]}"


def test_the_state_file_names_its_own_checkpoint(any_mount):
    for step in STEPS:
        path = any_mount / CNN / f"ckpt-{step}" / "checkpoint"
        assert path.read_text() == trees.state_file(step)


def test_ls_and_find_and_du_see_the_same_tree(any_mount, truth):
    run("ls", "-lR", any_mount)
    listed = run("find", any_mount, "-type", "f", "-printf", "%P %s\n").splitlines()
    want = [f"{path} {size}" for path, (size, _) in trees.digests(truth).items()]
    assert sorted(listed) == sorted(want)
    total = sum(size for size, _ in trees.digests(truth).values())
    run("du", "-s", any_mount)
    counted = run("find", any_mount, "-type", "f", "-exec", "du", "-b", "{}", "+").splitlines()
    assert sum(int(line.split()[0]) for line in counted) == total


def test_files_are_readable_and_folders_passable_and_nothing_is_writable(any_mount):
    for folder, folders, files in os.walk(any_mount):
        for name in folders:
            mode = os.lstat(os.path.join(folder, name)).st_mode
            assert stat.S_ISLNK(mode) or mode & 0o555 == 0o555
        for name in files:
            st = os.lstat(os.path.join(folder, name))
            assert stat.S_ISREG(st.st_mode) and st.st_mode & 0o444 == 0o444
            assert st.st_nlink == 1 and st.st_blksize >= 4096


def test_a_mount_shows_no_write_permission(real_mount):
    modes = [
        os.lstat(os.path.join(folder, name)).st_mode
        for folder, folders, files in os.walk(real_mount)
        for name in folders + files
    ]
    assert not [oct(mode) for mode in modes if not stat.S_ISLNK(mode) and mode & 0o222]


def test_inode_numbers_are_one_a_file_and_readdir_agrees_with_stat(any_mount):
    seen = {}
    for folder, _, _ in os.walk(any_mount):
        with os.scandir(folder) as entries:
            for entry in entries:
                assert entry.inode() == os.lstat(entry.path).st_ino, entry.path
                assert seen.setdefault(entry.inode(), entry.path) == entry.path
                assert (
                    entry.is_dir(follow_symlinks=False) == os.path.isdir(entry.path)
                    or entry.is_symlink()
                )


def test_a_name_that_is_not_there_is_enoent(any_mount):
    for name in ["mnist/none", f"{CNN}/ckpt-1", f"{CNN}/files/none", "none", f"{CNN}/latest/x/y"]:
        with pytest.raises(FileNotFoundError):
            os.stat(any_mount / name)


def test_a_file_is_no_directory_and_a_directory_no_file(any_mount):
    with pytest.raises(NotADirectoryError):
        os.listdir(any_mount / CNN / "files" / "graph.pbtxt")
    with pytest.raises(IsADirectoryError):
        open(any_mount / CNN / "files", "rb")
    with pytest.raises(NotADirectoryError):
        os.stat(any_mount / CNN / "files" / "graph.pbtxt" / "x")


def test_dot_and_dot_dot_lead_where_they_should(any_mount):
    here = os.stat(any_mount / CNN)
    inside = any_mount / CNN / "ckpt-0"
    assert os.stat(f"{inside}/..").st_ino == here.st_ino
    assert os.stat(f"{any_mount}/{CNN}/.").st_ino == here.st_ino
    raw = run("ls", "-a", inside).split()
    assert raw[:2] == [".", ".."]


def test_statfs_answers(any_mount):
    st = os.statvfs(any_mount)
    assert st.f_bsize >= 512 and st.f_namemax >= 255 and st.f_blocks >= st.f_bfree


# Read-only.


WRITES = {
    "create": lambda d, f: os.open(d / "new", os.O_CREAT | os.O_WRONLY),
    "open for writing": lambda d, f: os.open(f, os.O_WRONLY),
    "open for both": lambda d, f: os.open(f, os.O_RDWR),
    "truncate on open": lambda d, f: os.open(f, os.O_RDONLY | os.O_TRUNC),
    "truncate": lambda d, f: os.truncate(f, 0),
    "mkdir": lambda d, f: os.mkdir(d / "new"),
    "rmdir": lambda d, f: os.rmdir(d),
    "unlink": lambda d, f: os.unlink(f),
    "rename": lambda d, f: os.rename(f, d / "new"),
    "link": lambda d, f: os.link(f, d / "new"),
    "symlink": lambda d, f: os.symlink("x", d / "new"),
    "mkfifo": lambda d, f: os.mkfifo(d / "new"),
    "chmod": lambda d, f: os.chmod(f, 0o777),
    "chown": lambda d, f: os.chown(f, 1, 1),
    "utime": lambda d, f: os.utime(f, (1, 1)),
    "setxattr": lambda d, f: os.setxattr(f, "user.x", b"1"),
    "removexattr": lambda d, f: os.removexattr(f, "user.modelfs.model"),
}


@pytest.mark.root
@pytest.mark.parametrize("what", WRITES)
def test_every_kind_of_write_is_erofs(what, any_mount):
    folder = any_mount / CNN / "ckpt-600"
    with pytest.raises(OSError) as caught:
        WRITES[what](folder, folder / "model.ckpt-600.index")
    assert caught.value.errno == errno.EROFS


# Metrics and best.


def test_best_is_by_the_measured_values(served_mount):
    accuracy = max(STEPS, key=lambda s: (EXPECTED[str(s)]["accuracy"], s))
    loss = min(STEPS, key=lambda s: (EXPECTED[str(s)]["loss"], -s))
    assert os.readlink(served_mount / CNN / "best-accuracy") == f"ckpt-{accuracy}"
    assert os.readlink(served_mount / CNN / "best-loss") == f"ckpt-{loss}"


def test_each_metric_of_a_checkpoint_is_a_number_and_a_newline(served_mount):
    for step in STEPS:
        folder = served_mount / CNN / f"ckpt-{step}" / ".modelfs" / "metrics"
        assert sorted(os.listdir(folder)) == ["accuracy", "loss", "train%2Floss"]
        for name in ("accuracy", "loss"):
            text = (folder / name).read_text()
            assert text.endswith("\n") and math.isclose(float(text), EXPECTED[str(step)][name])


def test_metrics_json_has_the_same_numbers(served_mount):
    text = (served_mount / CNN / "latest" / ".modelfs" / "metrics.json").read_text()
    assert json.loads(text)["accuracy"] == pytest.approx(EXPECTED[str(STEPS[-1])]["accuracy"])


def test_which_way_is_best_can_be_said(mount, sample_server):
    mounted = mount(sample_server.source, best="accuracy:min,loss:max")
    accuracy = min(STEPS, key=lambda s: (EXPECTED[str(s)]["accuracy"], -s))
    loss = max(STEPS, key=lambda s: (EXPECTED[str(s)]["loss"], s))
    assert os.readlink(mounted / CNN / "best-accuracy") == f"ckpt-{accuracy}"
    assert os.readlink(mounted / CNN / "best-loss") == f"ckpt-{loss}"


# Forms of checkpoints.

FORMS = {
    "hf": {
        "checkpoint-5/model.safetensors": b"w",
        "checkpoint-5/trainer_state.json": b"{}",
        "checkpoint-5/global_step5/rank.pt": b"r",
        "checkpoint-6/model.safetensors": b"",
        "config.json": b"{}",
        "model.safetensors": b"w",
        "README.md": b"r",
        "runs/events": b"e",
    },
    "torch": {
        "epoch=1-step=20.ckpt": b"w",
        "last.ckpt": b"w",
        "best.pt": b"w",
        "hparams.yaml": b"h",
    },
    "gguf": {f"q-0000{i}-of-00002.gguf": b"w" for i in (1, 2)},
    "mlflow": {"model/MLmodel": b"m", "model/model.pkl": b"p", "notes.txt": b"n"},
}
FORM_TREES = {
    "hf": ["ckpt-5", "ckpt-6", "export-model", "files", "latest"],
    "torch": ["ckpt-20", "export-best", "export-last", "files", "latest"],
    "gguf": ["export-q", "latest"],
    "mlflow": ["export-model", "files", "latest"],
}


def test_each_form_of_checkpoint_is_a_directory(mount, registry):
    for name, files in FORMS.items():
        registry.add_model("p", name, files=files)
    mounted = mount(registry.source) / "p"
    assert {name: names(mounted / name) for name in FORMS} == FORM_TREES
    assert trees.files_below(mounted / "hf/ckpt-5") == [
        "global_step5/rank.pt", "model.safetensors", "trainer_state.json"
    ]
    assert names(mounted / "hf/export-model") == ["README.md", "config.json", "model.safetensors"]
    assert os.readlink(mounted / "hf/latest") == "ckpt-5"
    told = json.loads((mounted / "hf/ckpt-6/.modelfs/info.json").read_text())
    assert told["framework"] == "Hugging Face" and told["format"] == "Trainer checkpoint"
    assert told["missing"] == "model.safetensors (empty)"
    found = attributes(mounted / "torch/ckpt-20")
    assert found["user.modelfs.framework"] == "PyTorch Lightning"


# What is reachable and not listed.


@pytest.mark.parametrize("place", ["", CNN, f"{CNN}/ckpt-600"])
def test_dot_modelfs_is_reachable_and_not_listed(place, real_mount):
    assert ".modelfs" not in os.listdir(real_mount / place)
    assert stat.S_ISDIR(os.stat(real_mount / place / ".modelfs").st_mode)


def test_a_models_info_json_is_json_of_its_size(real_mount):
    path = real_mount / CNN / ".modelfs" / "info.json"
    text = path.read_text()
    assert json.loads(text)
    assert os.stat(path).st_size == len(text.encode())


def test_a_checkpoints_info_json_is_made_when_it_is_read(real_mount):
    path = real_mount / CNN / "ckpt-600" / ".modelfs" / "info.json"
    assert os.stat(path).st_size == 0
    assert json.loads(path.read_text())["parameters"] > 0


def test_the_registrys_own_layout_is_complete_and_has_the_same_inodes(real_mount):
    original = real_mount / CNN / ".modelfs" / "files"
    assert trees.digests(original) == trees.digests(MODELS / CNN)
    for path in trees.files_below(original):
        assert (
            os.stat(original / path).st_ino == os.stat(real_mount / CNN / trees.place(path)).st_ino
        )


def test_the_root_tells_its_counters_and_its_options(real_mount):
    assert (real_mount / ".modelfs" / "stats").read_text().strip()
    assert "cache_dir" in (real_mount / ".modelfs" / "config").read_text()


# Extended attributes.


def attributes(path):
    return {name: os.getxattr(path, name).decode() for name in os.listxattr(path)}


def test_a_checkpoint_says_what_it_is_in_its_attributes(served_mount):
    found = attributes(served_mount / CNN / "ckpt-600")
    want = {"project": "mnist", "model": "cnn", "type": "Tensorflow", "step": "600"}
    assert {key: found[f"user.modelfs.{key}"] for key in want} == want
    assert found["user.modelfs.checkpoint"] == "ckpt-600"
    assert found["user.modelfs.registry"].startswith("gradient+http://127.0.0.1:")
    assert float(found["user.modelfs.metric.accuracy"]) == pytest.approx(
        EXPECTED["600"]["accuracy"]
    )


def test_a_file_says_its_digest_where_the_registry_knows_it(served_mount):
    path = served_mount / CNN / "ckpt-600" / "model.ckpt-600.index"
    assert attributes(path)["user.modelfs.digest"].removeprefix("sha256:") == trees.sha256(path)


def test_getfattr_shows_them(real_mount):
    text = run("getfattr", "-d", real_mount / CNN / "ckpt-600")
    assert 'user.modelfs.model="cnn"' in text


def test_an_attribute_that_is_not_there_is_enodata_and_a_short_buffer_erange(real_mount):
    path = real_mount / CNN / "ckpt-600"
    with pytest.raises(OSError) as caught:
        os.getxattr(path, "user.modelfs.none")
    assert caught.value.errno == errno.ENODATA
    value = subprocess.run(
        ["getfattr", "--only-values", "-n", "user.modelfs.model", path],
        capture_output=True,
        text=True,
    )
    assert value.stdout == "cnn"


@pytest.mark.parametrize("name", ["system.posix_acl_access", "security.selinux", "trusted.x"])
def test_attributes_of_other_kinds_are_not_supported_at_all(name, real_mount):
    """`ls -l` asks for them once, and no more of this mount."""
    for path in (real_mount / CNN, real_mount / CNN / "ckpt-600" / "checkpoint"):
        with pytest.raises(OSError) as caught:
            os.getxattr(path, name)
        assert caught.value.errno == errno.ENOTSUP


# The same the next time.


@pytest.mark.parametrize("same_cache", [True, False])
def test_inodes_times_and_sizes_are_the_same_after_a_remount(
    same_cache, mount, sample_server, tmp_path
):
    caches = [tmp_path / "a", tmp_path / ("a" if same_cache else "b")]
    first = mount(sample_server.source, cache_dir=caches[0])
    before = trees.shape(first)
    first.end()
    assert trees.shape(mount(sample_server.source, cache_dir=caches[1])) == before


def test_a_directorys_files_keep_their_own_times(sample_mount):
    for path in trees.files_below(MODELS / CNN):
        there = os.stat(sample_mount / CNN / trees.place(path))
        assert there.st_mtime_ns == os.stat(MODELS / CNN / path).st_mtime_ns


# A part of a registry.


def test_a_project_or_a_model_can_be_mounted_alone(mount, sample_server):
    project = mount(f"{sample_server.source}/mnist")
    assert names(project) == MODEL_NAMES
    model = mount(f"{sample_server.source}/mnist/cnn-onnx")
    assert names(model) == ["export-model", "latest"]


@pytest.mark.parametrize("part", ["/none", "/mnist/none"])
def test_a_part_that_is_not_there_is_said_at_once(part, mount, sample_server, expected_log):
    expected_log(r"none")
    failed = mount(sample_server.source + part, wait=False)
    assert failed.process.wait(30) != 0
    assert "none" in failed.log_text()
    failed.end(expect_failure=True)


# Nothing before somebody looks.


def three_projects(registry):
    for project in ("a", "b", "c"):
        for model in ("m", "n"):
            registry.add_model(project, model, files={"x": b"1", "y": b"22"})


def test_mounting_asks_for_no_models_and_no_files(mount, registry):
    three_projects(registry)
    mount(registry.source)
    assert (registry.count["files"], registry.count["content"]) == (0, 0)


def test_a_projects_models_are_asked_for_when_somebody_looks_in_it(mount, registry):
    three_projects(registry)
    mounted = mount(registry.source)
    assert names(mounted) == ["a", "b", "c"]
    registry.reset_counts()
    assert names(mounted / "b") == ["m", "n"]
    asked = [r.body.decode() for r in registry.requests if r.route == "models"]
    assert asked and all(registry.project_id("b") in body for body in asked)
    assert (registry.count["files"], registry.count["content"]) == (0, 0)


def test_a_models_files_are_asked_for_when_somebody_looks_in_it(mount, registry):
    three_projects(registry)
    mounted = mount(registry.source)
    os.listdir(mounted / "a")
    registry.reset_counts()
    run("ls", "-lR", mounted / "a" / "m")
    assert registry.count["content"] == 0
    assert registry.count["files"] == 1


def test_a_listing_is_kept_and_asked_for_again_after_its_time(mount, registry):
    three_projects(registry)
    mounted = mount(registry.source, list_timeout=3600)
    for _ in range(20):
        run("ls", "-lR", mounted / "a")
    assert registry.count["files"] == 2


def test_all_who_wait_for_one_listing_share_it(mount, registry):
    three_projects(registry)
    mounted = mount(registry.source)
    os.listdir(mounted / "a")
    registry.reset_counts()
    registry.fail("files", fake.late(0.5))
    listers = [
        subprocess.Popen(["ls", "-l", mounted / "a" / "m" / "files"], stdout=subprocess.PIPE)
        for _ in range(12)
    ]
    assert {lister.communicate(timeout=60)[0] for lister in listers} != {b""}
    assert [lister.returncode for lister in listers] == [0] * 12
    assert registry.count["files"] == 1


def test_a_model_that_is_added_shows_when_the_listing_has_expired(mount, registry):
    three_projects(registry)
    mounted = mount(registry.source, list_timeout=0, attr_timeout=0, entry_timeout=0)
    assert names(mounted / "a") == ["m", "n"]
    registry.add_model("a", "z", files={"x": b"1"})
    assert names(mounted / "a") == ["m", "n", "z"]
    assert (mounted / "a/z/files/x").read_bytes() == b"1"


# Shapes of registries.


def test_a_model_in_no_project_stands_under_unassigned(mount, registry):
    registry.add_project("a")
    registry.add_model(None, "lonely", files={"x": b"1"})
    mounted = mount(registry.source)
    assert names(mounted) == ["a", "unassigned"]
    assert (mounted / "unassigned/lonely/files/x").read_bytes() == b"1"


def test_twins_by_name_are_told_apart_by_their_id(mount, registry):
    twins = [registry.add_model("a", "same", files={"x": data}) for data in (b"1", b"2")]
    mounted = mount(registry.source)
    found = names(mounted / "a")
    assert len(found) == 2 and all(name.startswith("same") for name in found)
    assert any(name == f"same~{twin.fields['id']}" for twin in twins for name in found)
    assert {(mounted / "a" / n / "files/x").read_bytes() for n in found} == {b"1", b"2"}


def test_an_empty_registry_an_empty_project_and_an_empty_model_are_empty(mount, registry):
    mounted = mount(registry.source, list_timeout=0, attr_timeout=0, entry_timeout=0)
    assert names(mounted) == []
    registry.add_project("p")
    assert names(mounted / "p") == []
    registry.add_model("p", "m")
    assert trees.files_below(mounted / "p/m") == []


def test_twenty_thousand_files_are_each_listed_once(mount, registry):
    files = {f"shard-{i:05d}.bin": b"x" for i in range(20000)}
    registry.add_model("p", "many", files=files)
    mounted = mount(registry.source)
    folder = mounted / "p/many/files"
    with os.scandir(folder) as entries:
        found = [entry.name for entry in entries]
    assert sorted(found) == sorted(files)
    assert run("ls", "-f", folder).count("shard-") == 20000
    assert registry.count["content"] == 0


def test_names_and_attributes_of_many_files_come_with_the_directory(mount, registry):
    files = {f"shard-{i:05d}.bin": bytes(i % 7) for i in range(20000)}
    registry.add_model("p", "many", files=files)
    mounted = mount(registry.source, entry_timeout=600)
    folder = mounted / "p/many/files"
    assert len(run("find", folder, "-ls").splitlines()) == 20001
    assert len(run("ls", "-l", folder).splitlines()) == 20001
    stats = mounted.stats()
    assert int(stats["lookups"]) < 100
    assert int(stats["xattrs"]) < 100
    with os.scandir(folder) as entries:
        assert {e.name: e.stat().st_size for e in entries} == {n: len(b) for n, b in files.items()}


def test_what_a_large_model_tells_of_itself_is_whole(mount, registry):
    files = {f"shard-{i:04d}.bin": b"x" for i in range(1500)} | {"m-5.index": b"i"}
    registry.add_model("p", "many", files=files)
    model = mount(registry.source) / "p/many"
    told = json.loads((model / ".modelfs/info.json").read_text())
    assert {f["path"] for f in told["files"]} == set(files)
    told = json.loads((model / "ckpt-5/.modelfs/info.json").read_text())
    assert [f["path"] for f in told["files"]] == ["m-5.index"]


def test_a_listing_can_be_left_and_gone_on_with(mount, registry):
    files = {f"f{i:04d}": b"" for i in range(5000)}
    registry.add_model("p", "m", files=files)
    folder = mount(registry.source) / "p/m/files"
    with os.scandir(folder) as early:
        first = [next(early).name for _ in range(10)]
        assert sorted(os.listdir(folder)) == sorted(files)
        rest = [entry.name for entry in early]
    assert sorted(first + rest) == sorted(files)


def test_deep_folders_and_files_beside_them_are_kept_apart(mount, registry):
    deep = "/".join(f"d{i}" for i in range(60)) + "/leaf"
    registry.add_model("p", "m", files={deep: b"leaf", "d0/side": b"side", "top": b"top"})
    root = mount(registry.source) / "p/m/files"
    assert trees.files_below(root) == sorted([deep, "d0/side", "top"])
    assert (root / deep).read_bytes() == b"leaf"
