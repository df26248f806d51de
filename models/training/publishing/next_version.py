"""Which number a model takes, and taking it in one step that never puts one model over another."""

import errno
import json
import os
import re
from pathlib import Path

from training.command_line import MODELS
from training.export.digest import write_json
from training.publishing.offline_table import offline_table
from training.publishing.staging import MANIFEST, staged, sync
from training.publishing.value_model import check_diversity
from training.refusal import RefusedError

VERSION = re.compile(r"[1-9][0-9]*")
TAKEN = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)
ATTEMPTS = 100
STUDENT = "student"
WORLD = MODELS / "world"


def versions(model: Path) -> list[int]:
    """The version numbers that the server would see in a model's folder, in order."""
    if not model.is_dir():
        return []
    return sorted(int(entry.name) for entry in model.iterdir() if VERSION.fullmatch(entry.name))


def _check_like_before(model: Path, highest: int, manifest: dict) -> None:
    path = model / str(highest) / MANIFEST
    try:
        before = json.loads(path.read_text())
        surface, role = before["surface"], before.get("role", STUDENT)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RefusedError(f"{path}: the version before this one cannot be read") from error
    if surface != manifest["surface"]:
        raise RefusedError(
            f'{path}: version {highest} serves "{surface}", the next one would serve "{manifest["surface"]}"'
        )
    # An arm that names no version takes the highest: a teacher there would leave it without a model.
    if role != manifest.get("role", STUDENT):
        found = manifest.get("role", STUDENT)
        raise RefusedError(f"{path}: version {highest} is a {role}, the next one would be a {found}")


def publish(folder: Path, repository: Path, world: Path = WORLD) -> tuple[Path, float]:
    """(folder of the version taken, largest difference from the golden answers); refuses what is not fit to serve.

    A folder is renamed onto its number, which the file system refuses where another publisher's model already stands;
    the loser then takes the next number.
    """
    if not repository.is_dir():
        raise RefusedError(f"{repository}: expected the folder of a model repository, found none")
    with staged(folder, repository) as (copy, manifest, difference):
        check_diversity(str(folder / MANIFEST), manifest, repository, world)
        model = repository / manifest["name"]
        for _ in range(ATTEMPTS):
            highest = max(versions(model), default=0)
            if highest:
                _check_like_before(model, highest, manifest)
            manifest["version"] = str(highest + 1)
            write_json(copy / MANIFEST, manifest)
            (copy / "offline.md").write_text(offline_table(manifest))
            for path in (*copy.iterdir(), copy):
                sync(path)
            model.mkdir(exist_ok=True)
            try:
                os.rename(copy, model / manifest["version"])
            except OSError as error:
                if error.errno in TAKEN:
                    continue
                raise
            sync(model)
            sync(repository)
            return model / manifest["version"], difference
    raise RefusedError(f"{model}: {ATTEMPTS} numbers in a row were taken by other publishers")
