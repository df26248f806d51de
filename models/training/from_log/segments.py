"""Which Parquet files of a data directory are complete: those of segments that have their done marker."""

import json
from dataclasses import dataclass
from pathlib import Path

from training.refusal import RefusedError, nearest

COMPACT = "npx setlist compact --data-dir {}"
LABEL = "npx setlist label --data-dir {}"


@dataclass(frozen=True)
class LogFiles:
    """The complete Parquet files of a log, and the segments that they are of."""

    segments: tuple[str, ...]
    impressions: tuple[str, ...]
    outcomes: tuple[str, ...]


@dataclass(frozen=True)
class LabelFiles:
    """The complete Parquet files of one teacher's labels."""

    teacher: str
    version: str
    segments: tuple[str, ...]
    files: tuple[str, ...]


def _done(folder: Path, command: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(the segments with a marker, their files), in order; refuses a marker of a layout that this page does not know,
    and one whose files are gone."""
    segments, files = [], []
    for path in sorted((folder / "done").glob("*.json")):
        again = f"write it again with `{command}`"
        try:
            marker = json.loads(path.read_text())
            named = marker["files"]
            if not all(isinstance(name, str) for name in named):
                raise TypeError
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RefusedError(
                f'{path}: expected a marker of this version, a JSON object with "files"; {again}'
            ) from error
        for name in named:
            if not (folder / name).is_file():
                raise RefusedError(f"{folder / name}: {path.name} says it is complete, and it is gone; {again}")
        segments.append(path.stem)
        files.extend(str(folder / name) for name in named)
    return tuple(segments), tuple(files)


def log_files(data: Path) -> LogFiles:
    """The compacted log of a data directory; refuses one without a complete segment."""
    command, folder = COMPACT.format(data), data / "warehouse"
    segments, files = _done(folder, command)
    tables = {
        name: tuple(f for f in files if Path(f).is_relative_to(folder / name)) for name in ("impressions", "outcomes")
    }
    if not tables["impressions"]:
        raise RefusedError(f"{folder}: no complete segment of the log; make it with `{command}`")
    return LogFiles(segments, tables["impressions"], tables["outcomes"])


def label_files(data: Path, teacher: str) -> LabelFiles | None:
    """The labels of the teacher's highest version that has any; None where there are none of any teacher."""
    folder, command = data / "labels", LABEL.format(data)
    versions = {}
    for path in folder.glob("teacher=*/version=*/done"):
        name, version = (p.name.split("=", 1)[1] for p in (path.parent.parent, path.parent))
        if not version.isdecimal():
            raise RefusedError(f"{path.parent}: expected a whole number as the teacher's version")
        versions.setdefault(name, []).append(version)
    if not versions:
        return None
    if teacher not in versions:
        raise RefusedError(f'{folder}: no labels of the teacher "{teacher}"{nearest(teacher, versions)}')
    version = max(versions[teacher], key=int)
    place = folder / f"teacher={teacher}" / f"version={version}"
    segments, files = _done(place, command)
    return LabelFiles(teacher, version, segments, files) if files else None
