# SPDX-License-Identifier: Apache-2.0
"""Trees of files: what a mount of a model must look like, laid out by hand; and comparisons."""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess

SAMPLE = pathlib.Path(__file__).resolve().parents[1] / "data" / "sample"
MODELS = SAMPLE / "models"
PROJECT = "mnist"
KINDS = {"cnn": "Tensorflow", "cnn-onnx": "ONNX", "digits-custom": "Custom"}
STEPS = [0, 200, 400, 600, 800, 1000, 1200]
EXPORT = 1557442950

STEP_FILE = re.compile(r"(model\.ckpt-(\d+))\.(index|meta|data-\d{5}-of-\d{5})")


def place(path):
    """Where a file of a sample model stands in the model's directory, said apart from the code."""
    step = STEP_FILE.fullmatch(path)
    if step:
        return f"ckpt-{step.group(2)}/{path}"
    if path.startswith(f"{EXPORT}/"):
        return f"export-{path}"
    if path.endswith((".onnx", ".npz")):
        return f"export-{pathlib.Path(path).stem}/{path}"
    return f"files/{path}"


def state_file(step):
    name = f"model.ckpt-{step}"
    return f'model_checkpoint_path: "{name}"\nall_model_checkpoint_paths: "{name}"\n'


def lay_out(source, target):
    """Copies a tree project/model/files into the shape that a mount of it has."""
    for project in sorted(p for p in source.iterdir() if p.is_dir()):
        for model in sorted(p for p in project.iterdir() if p.is_dir()):
            lay_out_model(model, target / project.name / model.name)
    return target


def lay_out_model(source, target):
    for path in files_below(source):
        copy = target / place(path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / path, copy)
    steps = sorted(int(p.name[5:]) for p in target.glob("ckpt-*"))
    for step in steps:
        (target / f"ckpt-{step}" / "checkpoint").write_text(state_file(step))
    exports = sorted(p.name for p in target.glob("export-*"))
    newest = [f"ckpt-{step}" for step in steps] or exports
    if newest:
        (target / "latest").symlink_to(newest[-1])


def files_below(root):
    """Paths of the regular files below, relative and sorted; links are not followed."""
    found = []
    for folder, _, names in os.walk(root):
        found += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    return sorted(p for p in found if not os.path.islink(os.path.join(root, p)))


def links_below(root):
    """path -> target of the symbolic links below."""
    found = {}
    for folder, folders, names in os.walk(root):
        for name in folders + names:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                found[os.path.relpath(path, root)] = os.readlink(path)
    return found


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        while data := f.read(1 << 20):
            digest.update(data)
    return digest.hexdigest()


def digests(root):
    """path -> (size, SHA-256) of the regular files below."""
    paths = files_below(root)
    return {
        p: (os.stat(os.path.join(root, p)).st_size, sha256(os.path.join(root, p))) for p in paths
    }


def shape(root):
    """All there is to see below: each directory, file and link, with what a copy would keep."""
    found = {}
    for folder, folders, names in os.walk(root):
        for name in folders + names:
            path = os.path.join(folder, name)
            st = os.lstat(path)
            found[os.path.relpath(path, root)] = (st.st_mode, st.st_ino, st.st_size, st.st_mtime_ns)
    return found


def run(*command, **options):
    """A command of the system, which must do well; its standard output."""
    options = {"capture_output": True, "text": True, "timeout": 120, **options}
    done = subprocess.run([str(c) for c in command], **options)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout
