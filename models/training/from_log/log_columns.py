"""The columns that training reads, as `setlist compact` and `setlist label` write them; another layout is refused."""

import duckdb

from training.from_log.segments import LabelFiles, LogFiles
from training.refusal import RefusedError

KEYS = {"request": "VARCHAR", "item": "VARCHAR"}
# DuckDB's words for the types. Other columns may stand beside these.
IMPRESSIONS = {
    "request": "VARCHAR",
    "at": "TIMESTAMP",
    "surface": "VARCHAR",
    "user": "VARCHAR",
    "model": "VARCHAR",
    "model_version": "VARCHAR",
    "assignments": "STRUCT(experiment VARCHAR, arm VARCHAR, layer VARCHAR, phase INTEGER, unit VARCHAR, "
    "propensity DOUBLE, overridden BOOLEAN)[]",
    "user_features": "VARCHAR",
    "context_features": "VARCHAR",
    "items": 'STRUCT(id VARCHAR, "position" INTEGER, score DOUBLE, features VARCHAR)[]',
}
# Of files that were compacted before the log had them these are missing.
LATER_IMPRESSIONS = {
    "served": "STRUCT(model VARCHAR, model_version VARCHAR, item_rows INTEGER, features STRUCT(feature VARCHAR, "
    'entity VARCHAR, tensor VARCHAR, "encoding" VARCHAR, width INTEGER, numbers FLOAT[], indices INTEGER[])[])[]',
}
OUTCOMES = KEYS | {"outcome": "VARCHAR", "type": "VARCHAR", "value": "DOUBLE", "occurred_at": "TIMESTAMP"}
PROBABILITIES = ("FLOAT", "DOUBLE")


def check_log(database: duckdb.DuckDBPyConnection, log: LogFiles) -> None:
    """Refuses a log of which any file is of another layout."""
    for path in log.impressions:
        found = _described(database, path, "impressions")
        later = {name: kind for name, kind in LATER_IMPRESSIONS.items() if name in found}
        _check(path, "impressions", found, IMPRESSIONS | later)
    for path in log.outcomes:
        _check(path, "outcomes", _described(database, path, "outcomes"), OUTCOMES)


def label_tasks(database: duckdb.DuckDBPyConnection, labels: LabelFiles) -> tuple[str, ...]:
    """The teacher's tasks, which are the columns beside the keys; refuses labels that do not all have the same."""
    first: tuple[str, ...] | None = None
    for path in labels.files:
        found = _described(database, path, "labels")
        _check(path, "labels", found, KEYS)
        tasks = tuple(name for name in found if name not in KEYS)
        for task in tasks:
            if found[task] not in PROBABILITIES:
                raise RefusedError(f'{path}: the labels of "{task}" should be numbers, found {found[task]}')
        if first is not None and tasks != first:
            raise RefusedError(f"{path}: expected the tasks of {labels.files[0]}, {', '.join(first)}, found {tasks}")
        first = tasks
    return first or ()


def _described(database: duckdb.DuckDBPyConnection, path: str, what: str) -> dict[str, str]:
    """Type by column."""
    try:
        rows = database.execute("DESCRIBE SELECT * FROM read_parquet($1, hive_partitioning = false)", [path]).fetchall()
    except duckdb.Error as error:
        raise RefusedError(f"{path}: is no Parquet file of {what} ({str(error).splitlines()[0]})") from error
    return {row[0]: row[1] for row in rows}


def _check(path: str, what: str, found: dict[str, str], wanted: dict[str, str]) -> None:
    for name, kind in wanted.items():
        if name not in found:
            raise RefusedError(f'{path}: the column "{name}" of {what} is missing; found {", ".join(found)}')
        if found[name] != kind:
            raise RefusedError(f'{path}: the column "{name}" of {what} should be {kind}, found {found[name]}')
