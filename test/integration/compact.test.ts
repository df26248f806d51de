import { cp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { compactDataDirectory } from "../../src/app/data/compact-data.ts";
import { openColumnarStore } from "../../src/columnar/columnar.ts";
import {
  counterfactualOf,
  fullImpressionOf,
  impressionOf,
  interleavingOf,
  outcomeOf,
  shadowOf,
} from "../support/log-records.ts";
import { isSettled, openTestLog } from "../support/outcomes-log.ts";
import { rowsOf } from "../support/parquet.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const day = 86_400_000;

async function dataWithLog(): Promise<string> {
  const dataDir = await temporaryFolder();
  const log = await openTestLog(join(dataDir, "log"));
  const first = impressionOf("r1", "u1", "kd");
  await log.appendImpression({
    ...first,
    sent: { context: { seed_content: [0.5, 0] }, items: [undefined, { genre: "pop" }, undefined] },
  });
  await log.appendImpression({
    ...impressionOf("r'2", "ü2", "control", [], { model: undefined }),
    at: first.at + day,
  });
  await log.appendOutcomes([
    outcomeOf("o1", "r1", "t1"),
    { ...outcomeOf("o2", "r1", "t2"), occurredAt: first.at + day },
  ]);
  await log.close();
  return dataDir;
}

test("a row has all that was logged of a request, in types that need no parsing", async () => {
  const dataDir = await temporaryFolder();
  const log = await openTestLog(join(dataDir, "log"));
  const full = fullImpressionOf("r1", "u1");
  const items = full.items.map((item, place) => ({
    ...item,
    tasks: place === 1 ? { like: 0.5 } : { click: place / 4, like: 0.25 },
  }));
  await log.appendImpression({ ...full, items, timings: { ...full.timings, inference: 1.5 } });
  await log.appendImpression(impressionOf("r2", "u2", "kd", ["t1"]));
  await log.close();
  await compactDataDirectory({ dataDir });
  const impressions = `read_parquet('${dataDir}/warehouse/impressions/date=*/*.parquet', hive_partitioning = false)`;
  const rows =
    await rowsOf(`SELECT timings.inference AS inference, task_scores['click'] AS click, task_scores['like'] AS
    likes, user_attributes['country'] AS country, user_attributes['premium'] AS premium, context_attributes['hour']::DOUBLE
    AS hour, len(items) AS shown, beyond_limit[2].id AS fifth, beyond_limit[2].position AS place,
    beyond_limit[2].tasks['click'] AS fifth_click, served[1].item_rows AS scored,
    list_filter(served[1].features, lambda it: it.feature = 'taste')[1].numbers AS taste,
    list_filter(served[1].features, lambda it: it.feature = 'artist')[1].indices AS artists
    FROM ${impressions} ORDER BY request`);
  expect(rows).toStrictEqual([
    {
      inference: 1.5,
      click: [0, null, 0.5],
      likes: [0.25, 0.5, 0.25],
      country: "DE",
      premium: "true",
      hour: 7.5,
      shown: "3",
      fifth: "t5",
      place: 5,
      fifth_click: 0.125,
      scored: 5,
      taste: [0.5, Math.fround(0.1)],
      artists: [1, 2_047, 0, 3, 1],
    },
    {
      inference: 0,
      click: null,
      likes: null,
      country: null,
      premium: null,
      hour: null,
      shown: "1",
      fifth: null,
      place: null,
      fifth_click: null,
      scored: null,
      taste: null,
      artists: null,
    },
  ]);
});

test("sealed segments become Parquet by date, with all that training reads", async () => {
  const dataDir = await dataWithLog();
  expect(await compactDataDirectory({ dataDir })).toStrictEqual({
    segments: 1,
    segmentsDoneBefore: 0,
    segmentsOpen: 0,
    impressions: 2,
    outcomes: 2,
  });
  const warehouse = join(dataDir, "warehouse");
  const impressions = `read_parquet('${warehouse}/impressions/date=*/*.parquet', hive_partitioning = false)`;
  expect(
    await rowsOf(`SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM ${impressions})`),
  ).toStrictEqual(
    Object.entries({
      request: "VARCHAR",
      at: "TIMESTAMP",
      surface: "VARCHAR",
      user: "VARCHAR",
      model: "VARCHAR",
      model_version: "VARCHAR",
      assignments:
        "STRUCT(experiment VARCHAR, arm VARCHAR, layer VARCHAR, phase INTEGER, unit VARCHAR, propensity DOUBLE, overridden BOOLEAN)[]",
      degraded: "VARCHAR[]",
      candidate_count: "INTEGER",
      user_features: "VARCHAR",
      context_features: "VARCHAR",
      items: 'STRUCT(id VARCHAR, "position" INTEGER, score DOUBLE, features VARCHAR)[]',
      interleaving:
        "STRUCT(id VARCHAR, arms STRUCT(arm VARCHAR, model VARCHAR, model_version VARCHAR)[], teams VARCHAR[], competitive BOOLEAN[])",
      timings: "STRUCT(assign DOUBLE, features DOUBLE, queue DOUBLE, inference DOUBLE, rank DOUBLE)",
      task_scores: "MAP(VARCHAR, DOUBLE[])",
      user_attributes: "MAP(VARCHAR, VARCHAR)",
      context_attributes: "MAP(VARCHAR, VARCHAR)",
      beyond_limit: 'STRUCT(id VARCHAR, "position" INTEGER, score DOUBLE, tasks MAP(VARCHAR, DOUBLE))[]',
      served:
        'STRUCT(model VARCHAR, model_version VARCHAR, item_rows INTEGER, features STRUCT(feature VARCHAR, entity VARCHAR, tensor VARCHAR, "encoding" VARCHAR, width INTEGER, numbers FLOAT[], indices INTEGER[])[])[]',
    }).map(([column_name, column_type]) => ({ column_name, column_type })),
  );
  const rows = (await rowsOf(`SELECT * FROM ${impressions} ORDER BY "at"`)) as Record<string, unknown>[];
  expect(rows[0]).toMatchObject({
    request: "r1",
    at: "2026-11-22 12:00:00",
    user: "u1",
    model: "home-kd",
    model_version: "1",
    user_features: null,
    context_features: '{"seed_content":[0.5,0]}',
    assignments: [{ experiment: "home-kd", arm: "kd", propensity: 0.5, overridden: false, phase: 1 }],
    items: [
      { id: "t1", position: 1, score: 1, features: null },
      { id: "t2", position: 2, score: 0.5, features: '{"genre":"pop"}' },
      { id: "t3", position: 3, features: null },
    ],
    interleaving: null,
  });
  expect(rows[1]).toMatchObject({ request: "r'2", user: "ü2", model: null, model_version: null, items: [] });
  expect(await readdir(join(warehouse, "impressions"))).toStrictEqual(["date=2026-11-22", "date=2026-11-23"]);
  expect(
    await rowsOf(
      `SELECT outcome, request, item, type, value, occurred_at::VARCHAR AS "at", date::VARCHAR AS date
       FROM read_parquet('${warehouse}/outcomes/date=*/*.parquet') ORDER BY outcome`,
    ),
  ).toStrictEqual([
    {
      outcome: "o1",
      request: "r1",
      item: "t1",
      type: "completion",
      value: 1,
      at: "2026-11-22 12:00:01",
      date: "2026-11-22",
    },
    {
      outcome: "o2",
      request: "r1",
      item: "t2",
      type: "completion",
      value: 1,
      at: "2026-11-23 12:00:00",
      date: "2026-11-23",
    },
  ]);
});

test("comparisons with shadow models are a table of their own, by date, beside the impressions that they name", async () => {
  const dataDir = await temporaryFolder();
  const log = await openTestLog(join(dataDir, "log"));
  const { at } = shadowOf("r1");
  await log.appendImpression(impressionOf("r1", "u1", "kd"));
  await log.appendShadow(shadowOf("r1"));
  await log.appendShadow(shadowOf("r2", { tau: undefined, at: at + day }));
  await log.close();
  expect(await compactDataDirectory({ dataDir })).toMatchObject({ impressions: 1, outcomes: 0, shadows: 2 });
  const shadows = join(dataDir, "warehouse", "shadows");
  expect(await readdir(shadows)).toStrictEqual(["date=2026-11-22", "date=2026-11-23"]);
  expect(
    await rowsOf(`SELECT * FROM read_parquet('${shadows}/date=*/*.parquet', hive_partitioning = false)
      ORDER BY "at"`),
  ).toStrictEqual([
    {
      request: "r1",
      at: "2026-11-22 12:00:00.01",
      surface: "home",
      model: "home-control",
      model_version: "1",
      shadow: "home-kd",
      shadow_version: "2",
      candidate_count: 3,
      tau: 0.5,
      top_k: 10,
      overlap: 1,
      score_difference: 0.125,
    },
    expect.objectContaining({ request: "r2", tau: null }),
  ]);
  expect(await compactDataDirectory({ dataDir })).toMatchObject({ segments: 0, segmentsDoneBefore: 1 });
});

test("comparisons with other arms are a table of their own, which says where the lists differ", async () => {
  const dataDir = await temporaryFolder();
  const log = await openTestLog(join(dataDir, "log"));
  await log.appendImpression(impressionOf("r1", "u1", "control"));
  await log.appendShadow(counterfactualOf("r1"));
  await log.appendShadow(counterfactualOf("r2", { at: counterfactualOf("r2").at + day, agreeing: 2 }));
  await log.close();
  expect(await compactDataDirectory({ dataDir })).toStrictEqual({
    segments: 1,
    segmentsDoneBefore: 0,
    segmentsOpen: 0,
    impressions: 1,
    outcomes: 0,
    counterfactuals: 2,
  });
  const folder = join(dataDir, "warehouse", "counterfactuals");
  expect(await readdir(folder)).toStrictEqual(["date=2026-11-22", "date=2026-11-23"]);
  const table = `read_parquet('${folder}/date=*/*.parquet', hive_partitioning = false)`;
  expect(await rowsOf(`SELECT * FROM ${table} WHERE agreeing < len(other_ids)`)).toStrictEqual([
    {
      request: "r1",
      at: "2026-11-22 12:00:00.02",
      surface: "home",
      experiment: "home-kd",
      phase: 1,
      arm: "control",
      model: "home-control",
      model_version: "1",
      other: "kd",
      other_model: "home-kd",
      other_model_version: "2",
      propensity: 0.25,
      candidate_count: 3,
      top_k: 2,
      overlap: 0.5,
      agreeing: 1,
      other_ids: ["t1", "t3"],
    },
  ]);
});

test("an interleaved impression says whose each item is, also beside files from before there were any", async () => {
  const dataDir = await temporaryFolder();
  const log = await openTestLog(join(dataDir, "log"));
  await log.appendImpression({
    ...impressionOf("r1", "u1", "interleaved"),
    interleaving: interleavingOf("page-1"),
  });
  await log.close();
  await compactDataDirectory({ dataDir });
  const impressions = join(dataDir, "warehouse", "impressions");
  // As `setlist compact` wrote them until then.
  await rowsOf(`COPY (SELECT * EXCLUDE (interleaving) REPLACE ('r0' AS request)
    FROM read_parquet('${impressions}/*/*.parquet', hive_partitioning = false))
    TO '${impressions}/date=2026-11-22/0000000000.parquet' (FORMAT parquet)`);
  const table = `read_parquet('${impressions}/*/*.parquet', hive_partitioning = false, union_by_name = true)`;
  expect(
    await rowsOf(`SELECT request, interleaving.id AS id, interleaving.arms AS arms, item.id AS item,
      interleaving.teams[item."position"] AS team, interleaving.competitive[item."position"] AS competitive
      FROM (SELECT *, unnest(items) AS item FROM ${table}) ORDER BY request, item."position"`),
  ).toMatchObject([
    { request: "r0", id: null, item: "t1", team: null },
    { request: "r0", id: null, item: "t2", team: null },
    { request: "r0", id: null, item: "t3", team: null },
    {
      request: "r1",
      id: "page-1",
      arms: [
        { arm: "control", model: "home-control", model_version: "1" },
        { arm: "kd", model: "home-kd", model_version: "2" },
      ],
      item: "t1",
      team: "kd",
      competitive: true,
    },
    { request: "r1", item: "t2", team: "control", competitive: false },
    { request: "r1", item: "t3", team: null, competitive: false },
  ]);
});

test("an outcome whose clock is ages off has no date, and its instant as it was", async () => {
  const dataDir = await temporaryFolder();
  const log = await openTestLog(join(dataDir, "log"));
  for (const [id, at] of Object.entries({
    past: "0000-01-01T00:00:00Z",
    future: "9999-12-31T23:59:59-12:00",
  }))
    await log.appendOutcomes([{ ...outcomeOf(id, "r1", "t1"), occurredAt: Date.parse(at) }]);
  await log.close();
  await compactDataDirectory({ dataDir });
  expect(
    await rowsOf(
      `SELECT outcome, occurred_at::VARCHAR AS "at", date FROM '${dataDir}/warehouse/outcomes/date=*/*.parquet'`,
    ),
  ).toStrictEqual([
    { outcome: "past", at: "0001-01-01 (BC) 00:00:00", date: null },
    { outcome: "future", at: "10000-01-01 11:59:59", date: null },
  ]);
});

test("compacting again writes nothing, and without its marker a segment is done again to the same files", async () => {
  const dataDir = await dataWithLog();
  await compactDataDirectory({ dataDir });
  const files = (await readdir(join(dataDir, "warehouse"), { recursive: true })).sort();
  expect(await compactDataDirectory({ dataDir })).toMatchObject({
    segments: 0,
    segmentsDoneBefore: 1,
    impressions: 0,
  });
  await rm(join(dataDir, "warehouse/done/0000000001.json"));
  expect(await compactDataDirectory({ dataDir })).toMatchObject({ segments: 1, impressions: 2 });
  expect((await readdir(join(dataDir, "warehouse"), { recursive: true })).sort()).toStrictEqual(files);
});

test("another log's segments of the same numbers are refused, not taken for done", async () => {
  const dataDir = await dataWithLog();
  await compactDataDirectory({ dataDir });
  await rm(join(dataDir, "log"), { recursive: true });
  await cp(join(await dataWithLog(), "log"), join(dataDir, "log"), { recursive: true });
  await expect(compactDataDirectory({ dataDir })).rejects.toThrow("holds segment 0000000001 of another log");
});

test("while another process compacts, a command waits for its turn; one that may not wait is told", async () => {
  const dataDir = await dataWithLog();
  const warehouse = join(dataDir, "warehouse");
  const other = await openColumnarStore(warehouse, []);
  await expect(compactDataDirectory({ dataDir })).rejects.toMatchObject({
    code: "ABORTED",
    message: `another process is writing to ${warehouse}: wait until it has ended, or stop it`,
  });
  const waiting = compactDataDirectory({ dataDir, waitMsMax: 20_000 });
  expect(await isSettled(waiting, 400)).toBe(false);
  other.close();
  expect(await waiting).toMatchObject({ segments: 1, impressions: 2 });
});
