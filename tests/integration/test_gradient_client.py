# SPDX-License-Identifier: Apache-2.0
"""The gradient command line, as people have it, against `modelfs serve` and beside a mount.

The client lives in an environment of its own (see requirements-gradient.txt); MODELFS_GRADIENT
names its program. It ends with status 0 whatever happens, so tests look at what it says.
"""

import os
import re
import subprocess
import zipfile

import pytest
import trees
from processes import SLOWNESS, environment

MODELS = trees.MODELS / trees.PROJECT

pytestmark = pytest.mark.client


@pytest.fixture(scope="session")
def gradient_bin():
    path = os.environ.get("MODELFS_GRADIENT")
    if not path:
        pytest.skip("MODELFS_GRADIENT names no gradient client (requirements-gradient.txt)")
    return path


@pytest.fixture
def gradient(gradient_bin, serve, tmp_path):
    """gradient(word, ...) -> what it said, talking to this test's registry."""
    home = tmp_path / "home"
    home.mkdir()

    def run(*words, key="none", server=serve):
        # LINES: no pager. TMPDIR: a folder is zipped to a fixed name there.
        env = environment(
            HOME=home,
            TMPDIR=home,
            LINES=2000,
            PAPERSPACE_API_KEY=key,
            PAPERSPACE_CONFIG_HOST=server.url,
            PAPERSPACE_CONFIG_LOG_HOST=server.url,
            PAPERSPACE_CONFIG_EXPERIMENTS_HOST=server.url + "/experiments/v1/",
            PAPERSPACE_CONFIG_EXPERIMENTS_HOST_V2=server.url + "/experiments/v2/",
            PAPERSPACE_API_HOST=server.url + "/graphql",
            PAPERSPACE_WEB_URL=server.url,
            PAPERSPACE_USE_CONSOLE_COLORS=0,
        )
        done = subprocess.run(
            [gradient_bin, *[str(word) for word in words]],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60 * SLOWNESS,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    return run


def made_id(said):
    found = re.search(r"with ID: (\w+)", said)
    assert found, said
    return found.group(1)


def upload(gradient, path, name, *more):
    project = made_id(gradient("projects", "create", "--name", "mnist"))
    what = ("--name", name, "--modelType", "ONNX", "--projectId", project)
    said = gradient("models", "upload", *what, *more, path)
    return made_id(said)


def test_a_model_that_the_client_uploads_is_read_through_a_mount(gradient, serve, mount):
    upload(gradient, MODELS / "cnn-onnx" / "model.onnx", "uploaded")
    mounted = mount(serve.source)
    found = mounted / "mnist/uploaded/latest/model.onnx"
    assert found.read_bytes() == (MODELS / "cnn-onnx" / "model.onnx").read_bytes()


def test_the_summary_that_the_client_sends_becomes_metrics(gradient, serve, mount):
    summary = '{"accuracy": 0.92}'
    upload(gradient, MODELS / "cnn-onnx" / "model.onnx", "uploaded", "--modelSummary", summary)
    mounted = mount(serve.source)
    text = (mounted / "mnist/uploaded/latest/.modelfs/metrics/accuracy").read_text()
    assert text == "0.92\n"


def test_a_model_that_was_pushed_is_listed_and_downloaded_whole(gradient, push, tmp_path):
    push(MODELS / "cnn", "mnist", "cnn", "Tensorflow")
    rows = [line for line in gradient("models", "list").splitlines() if "cnn" in line]
    assert len(rows) == 1 and "Tensorflow" in rows[0]
    model_id = rows[0].split("|")[2].strip()
    gradient("models", "download", "--id", model_id, "--destinationDir", tmp_path / "copy")
    assert trees.digests(tmp_path / "copy") == trees.digests(MODELS / "cnn")


def test_tags_that_the_client_sets_find_the_model(gradient, serve):
    model_id = upload(gradient, MODELS / "cnn-onnx" / "model.onnx", "tagged")
    said = gradient("models", "tags", "add", "--id", model_id, "--tag", "best")
    assert "Tags added" in said
    assert model_id in gradient("models", "list", "--tag", "best")
    assert model_id not in gradient("models", "list", "--tag", "other")


def test_a_model_that_the_client_deletes_is_gone_from_a_mount(gradient, serve, mount):
    model_id = upload(gradient, MODELS / "cnn-onnx" / "model.onnx", "short-lived")
    mounted = mount(serve.source, list_timeout=0, entry_timeout=0, attr_timeout=0)
    assert os.listdir(mounted / "mnist") == ["short-lived"]
    assert "deleted" in gradient("models", "delete", "--id", model_id)
    assert os.listdir(mounted / "mnist") == []


def test_a_key_that_is_not_known_is_said_by_the_client(gradient, serve, expected_log):
    expected_log("401 No such API token")
    key = serve.add_key("tests")
    assert "No such API token" in gradient("models", "list", key="wrong")
    assert "No data found" in gradient("models", "list", key=key)


def test_a_folder_arrives_as_the_zip_that_the_client_makes(gradient, serve, mount):
    upload(gradient, MODELS / "digits-custom", "zipped")
    files = mount(serve.source) / "mnist/zipped/files"
    assert os.listdir(files) == ["model.zip"]
    with zipfile.ZipFile(files / "model.zip") as archive:
        names = archive.namelist()
    wanted = trees.files_below(MODELS / "digits-custom")
    assert sorted(n for n in names if not n.endswith("/")) == wanted
