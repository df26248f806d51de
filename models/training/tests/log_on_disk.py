"""A compacted log and teacher labels as `setlist compact` and `setlist label` lay them out, written by the tests."""

import json
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq

BEGAN = datetime(2026, 5, 1, tzinfo=UTC)
ASSIGNMENT = pa.struct(
    [
        ("experiment", pa.string()),
        ("arm", pa.string()),
        ("layer", pa.string()),
        ("phase", pa.int32()),
        ("unit", pa.string()),
        ("propensity", pa.float64()),
        ("overridden", pa.bool_()),
    ]
)
ITEM = pa.struct([("id", pa.string()), ("position", pa.int32()), ("score", pa.float64()), ("features", pa.string())])
SERVED_FEATURE = pa.struct(
    [
        ("feature", pa.string()),
        ("entity", pa.string()),
        ("tensor", pa.string()),
        ("encoding", pa.string()),
        ("width", pa.int32()),
        ("numbers", pa.list_(pa.float32())),
        ("indices", pa.list_(pa.int32())),
    ]
)
SERVED = pa.struct(
    [
        ("model", pa.string()),
        ("model_version", pa.string()),
        ("item_rows", pa.int32()),
        ("features", pa.list_(SERVED_FEATURE)),
    ]
)
IMPRESSIONS = pa.schema(
    [
        ("request", pa.string()),
        ("at", pa.timestamp("ms")),
        ("surface", pa.string()),
        ("user", pa.string()),
        ("model", pa.string()),
        ("model_version", pa.string()),
        ("assignments", pa.list_(ASSIGNMENT)),
        ("degraded", pa.list_(pa.string())),
        ("candidate_count", pa.int32()),
        ("user_features", pa.string()),
        ("context_features", pa.string()),
        ("items", pa.list_(ITEM)),
    ]
)
OUTCOMES = pa.schema(
    [
        ("outcome", pa.string()),
        ("request", pa.string()),
        ("item", pa.string()),
        ("type", pa.string()),
        ("value", pa.float64()),
        ("occurred_at", pa.timestamp("ms")),
    ]
)


def at(milliseconds):
    return (BEGAN + timedelta(milliseconds=milliseconds)).replace(tzinfo=None)


def assigned(arm, propensity=0.5, overridden=False, experiment="home-kd"):
    return {
        "experiment": experiment,
        "arm": arm,
        "layer": "home-ranker",
        "phase": 1,
        "unit": "u1",
        "propensity": propensity,
        "overridden": overridden,
    }


def impression(request, ms, items, assignments, model="home-kd", surface="home", user="u1", **features):
    """Items are ids, or (id, JSON of features) pairs, in the order shown."""
    pairs = [i if isinstance(i, tuple) else (i, None) for i in items]
    shown = [{"id": i, "position": k + 1, "score": 0.5, "features": f} for k, (i, f) in enumerate(pairs)]
    return {
        "request": request,
        "at": at(ms),
        "surface": surface,
        "user": user,
        "model": model,
        "model_version": None if model is None else "1",
        "assignments": assignments,
        "degraded": [],
        "candidate_count": len(items),
        "user_features": features.get("user_features"),
        "context_features": features.get("context_features"),
        "items": shown,
    }


def outcome(number, request, item, kind):
    return {"outcome": f"o{number}", "request": request, "item": item, "type": kind, "value": 1.0, "occurred_at": at(0)}


def write_rows(path, rows, schema):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema), path)


def mark(folder, segment, *tables):
    """The done marker of a segment, of one file a table."""
    path = folder / "done" / f"{segment}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    files = ["/".join([*table, "date=2026-05-01", f"{segment}.parquet"]) for table in tables]
    path.write_text(json.dumps({"segment": segment, "salt": 7, "files": files, "facts": {}}))


def write_segment(data, segment, impressions, outcomes, done=True, served=False):
    """With `served` as a log of schema version 5 is compacted, else as before that column."""
    warehouse = data / "warehouse"
    schema = IMPRESSIONS.append(pa.field("served", pa.list_(SERVED))) if served else IMPRESSIONS
    write_rows(warehouse / "impressions" / "date=2026-05-01" / f"{segment}.parquet", impressions, schema)
    write_rows(warehouse / "outcomes" / "date=2026-05-01" / f"{segment}.parquet", outcomes, OUTCOMES)
    if done:
        mark(warehouse, segment, ("impressions",), ("outcomes",))


def write_labels(data, segment, rows, tasks, version="1", teacher="video-teacher"):
    folder = data / "labels" / f"teacher={teacher}" / f"version={version}"
    schema = pa.schema([("request", pa.string()), ("item", pa.string()), *((t, pa.float32()) for t in tasks)])
    write_rows(folder / "date=2026-05-01" / f"{segment}.parquet", rows, schema)
    mark(folder, segment, ())
