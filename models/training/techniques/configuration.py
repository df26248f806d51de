"""Reads which students to compare, and refuses what cannot be trained before any training."""

import tomllib
from pathlib import Path

from training.logs.music_log import SURFACE_TASKS
from training.logs.video_log import TASKS
from training.refusal import RefusedError, refuse_unknown
from training.students.plans import StudentPlan
from training.techniques import technique_of

FIELDS = ("name", "surface", "technique", "options")


def read_plans(path: Path) -> tuple[StudentPlan, ...]:
    """Plans in the file's order. RefusedError names the file, the student, and the nearest valid name."""
    try:
        document = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RefusedError(f"{path}: expected a readable TOML file: {error}") from error
    for key in document:
        refuse_unknown("table", key, ("student",), str(path))
    entries = document.get("student")
    if not isinstance(entries, list) or not entries or not all(isinstance(e, dict) for e in entries):
        raise RefusedError(f"{path}: expected [[student]] tables, found {entries or 'none'}")
    plans = tuple(_plan(entry, f"{path}, student {number}") for number, entry in enumerate(entries, 1))
    names = [p.name for p in plans]
    for plan in plans:
        if names.count(plan.name) > 1:
            raise RefusedError(f"{path}: expected every student's name once, found {plan.name!r} again")
    for surface in dict.fromkeys(p.surface for p in plans):
        controls = [p.name for p in plans if p.surface == surface and not p.treated]
        if len(controls) != 1:
            raise RefusedError(f"{path}: expected one student of technique 'none' on {surface!r}, found {controls}")
    return plans


def _plan(entry: dict, place: str) -> StudentPlan:
    for key in entry:
        refuse_unknown("field", key, FIELDS, place)
    for key in FIELDS[:3]:
        if not isinstance(entry.get(key), str) or not entry[key]:
            raise RefusedError(f"{place}: expected {key!r} to be a text, found {entry.get(key)!r}")
    if not isinstance(entry.get("options", {}), dict):
        raise RefusedError(f"{place}: expected 'options' to be a table, found {entry['options']!r}")
    refuse_unknown("surface", entry["surface"], SURFACE_TASKS, place)
    plan = StudentPlan(entry["name"], entry["surface"], entry["technique"], "", entry.get("options", {}))
    try:
        technique_of(plan, SURFACE_TASKS[plan.surface], TASKS)
    except ValueError as error:
        raise RefusedError(f"{place}: {error}") from error
    return plan
