"""A copy of a model's folder beside the repository's models, that the server ignores: checked there, then renamed."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training.export.digest import sha256
from training.publishing.golden_parity import check_parity
from training.publishing.manifest_columns import check_columns, check_tasks
from training.publishing.manifest_fields import check_fields
from training.publishing.offline_table import check_offline_metrics
from training.publishing.value_model import check_value_model
from training.refusal import RefusedError

MANIFEST = "manifest.json"
# A leading dot is in no model's name, so the server passes over what a killed publisher left.
PREFIX = ".publishing-"


def read_manifest(folder: Path) -> dict:
    """The folder's manifest, its fields checked."""
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text())
    except OSError as error:
        raise RefusedError(f"{path}: cannot be read ({error.strerror}); a model's folder holds a {MANIFEST}") from error
    except ValueError as error:
        raise RefusedError(f"{path}: is not JSON ({error})") from error
    check_fields(str(path), manifest)
    check_tasks(str(path), manifest)
    check_value_model(str(path), manifest)
    check_columns(str(path), manifest)
    check_offline_metrics(str(path), manifest)
    return manifest


def _digests(manifest: dict) -> dict[str, str | None]:
    """Every file the manifest names, with its digest where it has one."""
    files = {manifest["file"]: manifest["sha256"], manifest["golden"]["file"]: None}
    for graph in (manifest[k][n] for k in ("split",) if k in manifest for n in ("item", "request")):
        files[graph["file"]] = graph["sha256"]
    return files


@contextmanager
def staged(folder: Path, repository: Path) -> Iterator[tuple[Path, dict, float]]:
    """(the copy, its manifest, largest difference from the golden answers); the copy is removed unless it was renamed.

    What is checked is the copy: nobody changes it between the check and the renaming.
    """
    manifest = read_manifest(folder)
    copy = Path(tempfile.mkdtemp(prefix=PREFIX, dir=repository))
    try:
        copy.chmod(0o755)
        for name, digest in _digests(manifest).items():
            try:
                shutil.copyfile(folder / name, copy / name)
            except OSError as error:
                raise RefusedError(f"{folder / name}: the manifest names it, but {error.strerror}") from error
            if digest is not None and (found := sha256(copy / name)) != digest:
                raise RefusedError(f"{folder / name}: expected sha256 {digest}, found {found}")
        yield copy, manifest, check_parity(copy, manifest)
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def sync(path: Path) -> None:
    """Brings a file, or the entries of a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
