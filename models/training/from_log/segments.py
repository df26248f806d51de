"""Which Parquet files of a data directory are complete: those of segments that have their done marker."""

import json
from dataclasses import dataclass
from pathlib import Path

from training.refusal import RefusedError, nearest

SCHEMA_VERSION = 1
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


def _done(folder: Path, command: str) -> tuple[str, ...]:
    """The segments with a marker, in order; refuses a marker of another schema version."""
    segments = []
    for path in sorted((folder / "done").glob("*.json")):
        try:
            marker = json.loads(path.read_text())
            found = marker.get("schemaVersion") if isinstance(marker, dict) else None
        except (OSError, ValueError) as error:
            raise RefusedError(f"{path}: is no marker that can be read; write it again with `{command}`") from error
        if found != SCHEMA_VERSION:
            raise RefusedError(f"{path}: expected schemaVersion {SCHEMA_VERSION}, found {found}")
        segments.append(path.stem)
    return tuple(segments)


def _files(folder: Path, segments: tuple[str, ...]) -> tuple[str, ...]:
    wanted = set(segments)
    return tuple(str(p) for p in sorted(folder.glob("date=*/*.parquet")) if p.stem in wanted)


def log_files(data: Path) -> LogFiles:
    """The compacted log of a data directory; refuses one without a complete segment."""
    command, folder = COMPACT.format(data), data / "warehouse"
    segments = _done(folder, command)
    impressions = _files(folder / "impressions", segments)
    if not impressions:
        raise RefusedError(f"{folder}: no complete segment of the log; make it with `{command}`")
    return LogFiles(segments, impressions, _files(folder / "outcomes", segments))


def label_files(data: Path, teacher: str) -> LabelFiles | None:
    """The labels of the teacher's highest version that has any; None where there are none of any teacher."""
    folder, command = data / "labels", LABEL.format(data)
    versions = {}
    for path in folder.glob("teacher=*/version=*/done"):
        name, version = (p.name.split("=", 1)[1] for p in (path.parent.parent, path.parent))
        versions.setdefault(name, []).append(version)
    if not versions:
        return None
    if teacher not in versions:
        raise RefusedError(f'{folder}: no labels of the teacher "{teacher}"{nearest(teacher, versions)}')
    version = max(versions[teacher], key=int)
    place = folder / f"teacher={teacher}" / f"version={version}"
    segments = _done(place, command)
    files = _files(place, segments)
    return LabelFiles(teacher, version, segments, files) if files else None
