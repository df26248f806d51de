"""Reads what make-warehouse.ts made, with every reader of Parquet that this Python has, as docs/outcome-log-format.md says.

`python test/support/read-warehouse.py DIR [READER...]`: readers that are named have to be there; without names, those that
are not are passed over with a word. Every reader has to see the same rows.
"""

import datetime
import importlib.util
import sys

EXPECTED = {
    # impressions by date, each with its items
    "impressions": [("2026-11-22", 4, 12), ("2026-11-23", 2, 0)],
    # outcomes by date; NULL where a client's clock is no date
    "outcomes": [(None, 2), ("2026-11-22", 2), ("2026-11-23", 2)],
    # one item a row, joined to its outcomes by request and item
    "joined": [("r1", "t1", 1.0), ("r2", "t1", 1.0)],
    "instant": "2026-11-22 12:00:00",
    # of r1: an attribute, what came behind the limit, and a feature as served, one index a row
    "details": ("DE", ["t4", "t5"], [1, 2047, 0, 3, 1]),
}

JOIN = """
SELECT i.request, i.item, o.value FROM
  (SELECT request, item.id AS item FROM (SELECT request, {explode}) AS e) AS i
  JOIN outcomes AS o ON o.request = i.request AND o.item = i.item
WHERE o.date = DATE '2026-11-22' ORDER BY 1, 2
"""


def details_of(row):
    """Of a row as Python has it: maps as lists of pairs or dicts."""
    served = next(f for f in row["served"][0]["features"] if f["feature"] == "artist")
    beyond = [item["id"] for item in row["beyond_limit"]]
    return dict(row["user_attributes"])["country"], beyond, [int(index) for index in served["indices"]]


def read_duckdb(root):
    import duckdb

    db = duckdb.connect()
    for table in ("impressions", "outcomes", "shadows", "counterfactuals"):
        db.execute(
            f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{root}/{table}/*/*.parquet',"
            " hive_partitioning = true, hive_types = {'date': DATE}, union_by_name = true)"
        )
    assert db.execute("SELECT count(*) FROM shadows").fetchone() == (2,)
    assert db.execute("SELECT count(*) FROM counterfactuals").fetchone() == (2,)
    by_date = "CAST(date AS VARCHAR), count(*)"
    return {
        "impressions": db.execute(
            f"SELECT {by_date}, sum(len(items))::BIGINT FROM impressions GROUP BY date ORDER BY date NULLS FIRST"
        ).fetchall(),
        "outcomes": db.execute(
            f"SELECT {by_date} FROM outcomes GROUP BY date ORDER BY date NULLS FIRST"
        ).fetchall(),
        "joined": db.execute(JOIN.format(explode="unnest(items) AS item FROM impressions")).fetchall(),
        "instant": db.execute("SELECT CAST(\"at\" AS VARCHAR) FROM impressions WHERE request = 'r1'").fetchone()[0],
        "details": db.execute(
            "SELECT user_attributes['country'], list_transform(beyond_limit, lambda it: it.id),"
            " list_filter(served[1].features, lambda it: it.feature = 'artist')[1].indices"
            " FROM impressions WHERE request = 'r1'"
        ).fetchone(),
    }


def read_pyarrow(root):
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    dates = ds.partitioning(pa.schema([("date", pa.date32())]), flavor="hive")

    def table(name):
        return ds.dataset(f"{root}/{name}", partitioning=dates).to_table()

    impressions, outcomes = table("impressions"), table("outcomes")

    def by_date(rows, *measures):
        groups = rows.group_by("date").aggregate([("request", "count"), *measures]).to_pylist()
        names = ["date", "request_count", *(f"{column}_{how}" for column, how in measures)]
        text = [tuple(str(g[n]) if n == "date" and g[n] else g[n] for n in names) for g in groups]
        return sorted(text, key=lambda row: row[0] or "")

    shown = impressions.append_column("shown", pc.list_value_length(impressions["items"]))
    items = [
        (row["request"], item["id"]) for row in impressions.select(["request", "items"]).to_pylist() for item in row["items"]
    ]
    of_day = outcomes.filter(pc.equal(outcomes["date"], datetime.date(2026, 11, 22)))
    values = {(o["request"], o["item"]): o["value"] for o in of_day.to_pylist()}
    row = impressions.filter(pc.field("request") == "r1").to_pylist()[0]
    return {
        "impressions": by_date(shown, ("shown", "sum")),
        "outcomes": by_date(outcomes),
        "joined": sorted((*key, values[key]) for key in items if key in values),
        "instant": str(row["at"]),
        "details": details_of(row),
    }


def read_pandas(root):
    import pandas as pd
    import pyarrow as pa
    import pyarrow.dataset as ds

    # Left to itself pyarrow makes categories of the dates, and has none for what has no date.
    by = ds.partitioning(pa.schema([("date", pa.date32())]), flavor="hive")
    impressions = pd.read_parquet(f"{root}/impressions", engine="pyarrow", partitioning=by)
    outcomes = pd.read_parquet(f"{root}/outcomes", engine="pyarrow", partitioning=by)
    dates = outcomes["date"].map(str, na_action="ignore").astype("object")
    dates = dates.where(dates.notna(), None)
    items = impressions.explode("items").dropna(subset=["items"])
    items = items.assign(item=items["items"].map(lambda item: item["id"]))
    joined = items.merge(outcomes[dates == "2026-11-22"], on=["request", "item"])
    shown = impressions.assign(shown=impressions["items"].map(len)).groupby("date", observed=True)["shown"]
    counted = dates.map(lambda date: date or "").value_counts().sort_index()
    return {
        "impressions": [(str(date), int(n), int(s)) for date, n, s in zip(shown.sum().index, shown.size(), shown.sum())],
        "outcomes": [(date or None, int(n)) for date, n in counted.items()],
        "joined": sorted(joined[["request", "item", "value"]].itertuples(index=False, name=None)),
        "instant": str(impressions.loc[impressions["request"] == "r1", "at"].iloc[0]),
        "details": details_of(impressions[impressions["request"] == "r1"].iloc[0]),
    }


def read_pyspark(root):
    from pyspark.sql import SparkSession

    spark = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "1")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    for table in ("impressions", "outcomes"):
        spark.read.option("mergeSchema", "true").parquet(f"{root}/{table}").createOrReplaceTempView(table)

    def rows(sql):
        return [tuple(row) for row in spark.sql(sql).collect()]

    by_date = "CAST(date AS STRING), count(*)"
    return {
        "impressions": rows(f"SELECT {by_date}, sum(size(items)) FROM impressions GROUP BY date ORDER BY date"),
        "outcomes": rows(f"SELECT {by_date} FROM outcomes GROUP BY date ORDER BY date NULLS FIRST"),
        "joined": rows(JOIN.format(explode="explode(items) AS item FROM impressions")),
        "instant": rows("SELECT CAST(`at` AS STRING) FROM impressions WHERE request = 'r1'")[0][0],
        "details": rows(
            "SELECT user_attributes['country'], beyond_limit.id,"
            " filter(served[0].features, it -> it.feature = 'artist')[0].indices"
            " FROM impressions WHERE request = 'r1'"
        )[0],
    }


def read_chdb(root):
    import json

    import chdb

    def rows(sql):
        settings = " SETTINGS use_hive_partitioning = 1, session_timezone = 'UTC'"
        text = str(chdb.query(sql + settings, "JSONCompactEachRow"))
        return [tuple(json.loads(line)) for line in text.splitlines()]

    # With the columns said, the date is what the folder is called; left to itself ClickHouse takes it for a Date, and
    # what has none for a fault.
    columns = {
        "impressions": "request String, at DateTime64(6), items Array(Tuple(id String, position Int32, score Float64)),"
        " user_attributes Map(String, String), beyond_limit Array(Tuple(id String)),"
        " served Array(Tuple(features Array(Tuple(feature String, indices Array(Int32)))))",
        "outcomes": "outcome String, request String, item String, type String, value Float64",
    }

    def table(name):
        return f"file('{root}/{name}/*/*.parquet', 'Parquet', '{columns[name]}, date String')"

    date = "nullIf(date, '__HIVE_DEFAULT_PARTITION__')"
    number = "toUInt32(count())"
    return {
        "impressions": rows(
            f"SELECT {date} AS day, {number}, toUInt32(sum(length(items))) FROM {table('impressions')} GROUP BY day ORDER BY day"
        ),
        "outcomes": rows(
            f"SELECT {date} AS day, {number} FROM {table('outcomes')} GROUP BY day ORDER BY day NULLS FIRST"
        ),
        "joined": rows(
            f"SELECT i.request, i.item, o.value FROM (SELECT request, tupleElement(arrayJoin(items), 'id') AS item"
            f" FROM {table('impressions')}) AS i JOIN (SELECT request, item, value FROM {table('outcomes')}"
            f" WHERE {date} = '2026-11-22') AS o ON o.request = i.request AND o.item = i.item ORDER BY 1, 2"
        ),
        "instant": rows(f"SELECT toString(toDateTime(at)) FROM {table('impressions')} WHERE request = 'r1'")[0][0],
        "details": rows(
            "SELECT user_attributes['country'], beyond_limit.id,"
            " arrayFirst(it -> it.feature = 'artist', served[1].features).indices"
            f" FROM {table('impressions')} WHERE request = 'r1'"
        )[0],
    }


READERS = {
    "duckdb": read_duckdb,
    "pyarrow": read_pyarrow,
    "pandas": read_pandas,
    "pyspark": read_pyspark,
    "chdb": read_chdb,
}


def main(data_dir, *named):
    wrong = 0
    for name in named or READERS:
        if importlib.util.find_spec(name) is None:
            print(f"{name}: not here, {'and it was asked for' if named else 'passed over'}")
            wrong += bool(named)
            continue
        found = READERS[name](f"{data_dir}/warehouse")
        same = {what: found[what] == expected for what, expected in EXPECTED.items()}
        version = getattr(importlib.import_module(name), "__version__", "")
        print(f"{name} {version}: {'reads all of it' if all(same.values()) else 'READS SOMETHING ELSE'}")
        for what, is_same in same.items():
            if not is_same:
                wrong += 1
                print(f"  {what}: expected {EXPECTED[what]}, got {found[what]}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
