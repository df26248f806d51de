"""The log joined with outcomes and teacher labels by (request, item), read by DuckDB."""

from dataclasses import dataclass

import duckdb
import numpy as np

from training.from_log.log_columns import LATER_IMPRESSIONS, check_log, label_tasks
from training.from_log.segments import LabelFiles, LogFiles
from training.refusal import RefusedError


@dataclass(frozen=True)
class JoinedLog:
    """One surface's requests in the order of time, with what they showed.

    [requests]: request, user, model, model_version (None: fallback), user_features and context_features (JSON or
    None), assignments (a list of dicts), served (a list of dicts, one a model, or None), at_ms int64. [items], ragged
    by start int64 [requests + 1]: item, features (JSON or None), position int64, labels float32 [items, tasks] of 0
    and 1, teacher float32 [items, teacher tasks] probabilities, NaN where there is no label.
    """

    request: np.ndarray
    at_ms: np.ndarray
    user: np.ndarray
    model: np.ndarray
    model_version: np.ndarray
    assignments: np.ndarray
    served: np.ndarray
    user_features: np.ndarray
    context_features: np.ndarray
    start: np.ndarray
    item: np.ndarray
    item_features: np.ndarray
    position: np.ndarray
    labels: np.ndarray
    teacher: np.ndarray
    teacher_tasks: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.request)


def _read(database: duckdb.DuckDBPyConnection, name: str, files: tuple[str, ...]) -> None:
    # The date is in the path for those who read a span of days; here it is no column.
    query = f"CREATE TABLE {name} AS SELECT * FROM read_parquet($1, hive_partitioning = false, union_by_name = true)"
    try:
        database.execute(query, [list(files)])
    except duckdb.Error as error:
        raise RefusedError(f"{files[0]} and others: {name} cannot be read ({str(error).splitlines()[0]})") from error


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _objects(column: np.ndarray) -> np.ndarray:
    """Strings with None for NULL, which DuckDB answers as a mask."""
    strings = np.array(np.ma.getdata(column), object)
    strings[np.ma.getmaskarray(column)] = None
    return strings


def _matrix(columns: dict[str, np.ndarray], prefix: str, count: int, rows: int) -> np.ndarray:
    filled = [np.ma.filled(columns[f"{prefix}{k}"].astype(np.float32), np.nan) for k in range(count)]
    return np.stack(filled, axis=1) if filled else np.zeros((rows, 0), np.float32)


def read_log(surface: str, tasks: tuple[str, ...], log: LogFiles, labels: LabelFiles | None) -> JoinedLog:
    """Joins one surface's requests; an outcome counts once an item and type, however often it came.

    Of a request id that was logged twice, the first impression counts: outcomes name the id alone.
    """
    database = duckdb.connect()
    # Two threads' order is the same after ORDER BY; one keeps the machine for others.
    database.execute("SET threads = 1; SET preserve_insertion_order = true; SET TimeZone = 'UTC'")
    check_log(database, log)
    _read(database, "impressions", log.impressions)
    database.execute(f"ALTER TABLE impressions ADD COLUMN IF NOT EXISTS served {LATER_IMPRESSIONS['served']}")
    if log.outcomes:
        _read(database, "outcomes", log.outcomes)
    else:
        database.execute("CREATE TABLE outcomes (request VARCHAR, item VARCHAR, type VARCHAR)")
    teacher_tasks: tuple[str, ...] = ()
    if labels:
        teacher_tasks = label_tasks(database, labels)
        _read(database, "labels", labels.files)
    else:
        database.execute("CREATE TABLE labels (request VARCHAR, item VARCHAR)")
    database.execute(
        """CREATE TABLE requests AS
        SELECT row_number() OVER (ORDER BY "at", request) - 1 AS place, * FROM (
          SELECT * FROM impressions QUALIFY row_number() OVER (PARTITION BY request ORDER BY "at") = 1
        ) WHERE surface = $1""",
        [surface],
    )
    requests = database.execute(
        """SELECT request, epoch_ms("at") AS at_ms, "user", model, model_version, user_features, context_features,
        len(items) AS count FROM requests ORDER BY place"""
    ).fetchnumpy()
    assignments = database.execute("SELECT assignments FROM requests ORDER BY place").fetchall()
    served = database.execute("SELECT served FROM requests ORDER BY place").fetchall()
    happened = ", ".join(f"bool_or(type = {_literal(task)}) AS task{k}" for k, task in enumerate(tasks))
    said = "".join(f", any_value({_quoted(task)}) AS teacher{k}" for k, task in enumerate(teacher_tasks))
    chosen = [f"coalesce(task{k}, false)::FLOAT AS task{k}" for k in range(len(tasks))]
    chosen += [f"teacher{k}" for k in range(len(teacher_tasks))]
    items = database.execute(
        f"""WITH shown AS (SELECT place, request, unnest(items) AS shown FROM requests),
        happened AS (SELECT request, item, {happened} FROM outcomes GROUP BY request, item),
        said AS (SELECT request, item{said} FROM labels GROUP BY request, item)
        SELECT shown.shown.id AS item, shown.shown."position" AS "position", shown.shown.features AS features,
          {", ".join(chosen)}
        FROM shown
        LEFT JOIN happened ON happened.request = shown.request AND happened.item = shown.shown.id
        LEFT JOIN said ON said.request = shown.request AND said.item = shown.shown.id
        ORDER BY shown.place, shown.shown."position" """
    ).fetchnumpy()
    database.close()
    rows = len(items["item"])
    wide = np.empty(len(assignments), object)
    wide[:] = [list(a or ()) for (a,) in assignments]
    seen = np.empty(len(served), object)
    seen[:] = [of for (of,) in served]
    names = ("request", "user", "model", "model_version", "user_features", "context_features")
    return JoinedLog(
        **{name: _objects(requests[name]) for name in names},
        at_ms=np.asarray(requests["at_ms"], np.int64),
        assignments=wide,
        served=seen,
        start=np.concatenate([[0], np.cumsum(np.asarray(requests["count"], np.int64))]),
        item=_objects(items["item"]),
        item_features=_objects(items["features"]),
        position=np.asarray(items["position"], np.int64),
        labels=_matrix(items, "task", len(tasks), rows),
        teacher=_matrix(items, "teacher", len(teacher_tasks), rows),
        teacher_tasks=teacher_tasks,
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
