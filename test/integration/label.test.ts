import { join } from "node:path";
import { expect, test } from "vitest";
import { labelDataDirectory } from "../../src/app/data/label-data.ts";
import type { FeatureSpec } from "../../src/domain/feature.ts";
import { encodingName, type ServedFeatures } from "../../src/domain/served-features.ts";
import { PseudonymousLog } from "../../src/outcomes/outcomes.ts";
import { labelHouse } from "../support/label-house.ts";
import { impressionOf } from "../support/log-records.ts";
import { openTestLog } from "../support/outcomes-log.ts";
import { rowsOf } from "../support/parquet.ts";
import { manifestOf } from "../support/tiny-models.ts";

test("labels are what the teacher answers, each candidate's once, and a second run labels nothing", async () => {
  const { dataDir, world, repository, labels } = await labelHouse(3);
  const options = optionsOf(dataDir, world, repository);
  expect(await labelDataDirectory(options)).toMatchObject({
    impressions: 3,
    labelled: 6,
    alreadyLabelled: 0,
    coverage: 1,
  });
  const rows = await rowsOf(`SELECT request, item, click FROM ${labels} ORDER BY request, item`);
  expect(rows.map(({ request, item }) => `${request} ${item}`)).toStrictEqual([
    "r0 t1",
    "r0 t5",
    "r1 t1",
    "r1 t5",
    "r2 t1",
    "r2 t5",
  ]);
  expect(rows[0]?.["click"]).toBeCloseTo(0.5 * 0.1 + 0.25 * 0.4, 6);
  expect(rows[1]?.["click"]).toBeCloseTo(0.5 * 0.5 + 0.25 * 0.4, 6);
  expect(await labelDataDirectory(options)).toMatchObject({
    impressions: 3,
    labelled: 0,
    alreadyLabelled: 6,
  });

  // A request id that comes again brings one new item and one that has its label.
  const log = await openTestLog(join(dataDir, "log"));
  for (let twice = 0; twice < 2; twice++)
    await log.appendImpression(impressionOf("r1", "u1", "kd", ["t5", "t7"]));
  await log.close();
  expect(await labelDataDirectory(options)).toMatchObject({
    impressions: 5,
    labelled: 1,
    alreadyLabelled: 9,
  });
  expect(
    await rowsOf(
      `SELECT count(*)::INTEGER AS n, count(DISTINCT (request, item))::INTEGER AS keys FROM ${labels}`,
    ),
  ).toStrictEqual([{ n: 7, keys: 7 }]);
});

test("an impression that was served otherwise than the store says now is labelled from what the log has as served", async () => {
  const { dataDir, world, repository, labels } = await labelHouse(0);
  const log = await openTestLog(join(dataDir, "log"));
  const features = await servedOf({ taste: [0.8, 0], popularity: [0.25, 0.75] });
  // What the store says of u1 and t1 is 0.4 and 0.1.
  await log.appendImpression({ ...impressionOf("r1", "u1", "kd", ["t1", "t5"]), served: [features] });
  await log.close();
  expect(await labelDataDirectory(optionsOf(dataDir, world, repository))).toMatchObject({ labelled: 2 });
  const rows = await rowsOf(`SELECT item, click FROM ${labels} ORDER BY item`);
  expect(rows[0]?.["click"]).toBeCloseTo(0.5 * 0.25 + 0.25 * 0.8, 6);
  expect(rows[1]?.["click"]).toBeCloseTo(0.5 * 0.75 + 0.25 * 0.8, 6);
});

test("an impression with a pseudonym is labelled from what was served, or counted; defaults of nobody are no label", async () => {
  const { dataDir, world, repository, labels } = await labelHouse(0);
  const log = await openTestLog(join(dataDir, "log"));
  const pseudonymous = new PseudonymousLog(log, "0123456789abcdef0123456789abcdef");
  const shown = (requestId: string) => impressionOf(requestId, "u1", "kd", ["t1", "t5"]);
  const served = [await servedOf({ taste: [0.8, 0], popularity: [0.25, 0.75] })];
  await pseudonymous.appendImpression(shown("bare"));
  await pseudonymous.appendImpression({ ...shown("served"), served });
  await pseudonymous.appendImpression({ ...shown("sent"), sent: { user: { taste: [0.6, 0] } } });
  await log.close();
  expect(await labelDataDirectory(optionsOf(dataDir, world, repository))).toMatchObject({
    impressions: 3,
    labelled: 4,
    unlabelled: 2,
    pseudonymous: 2,
    coverage: 4 / 6,
  });
  const rows = await rowsOf(`SELECT request, click FROM ${labels} WHERE item = 't1' ORDER BY request`);
  expect(rows.map(({ request }) => request)).toEqual(["sent", "served"]);
  expect(rows[0]?.["click"]).toBeCloseTo(0.5 * 0.1 + 0.25 * 0.6, 6);
  expect(rows[1]?.["click"]).toBeCloseTo(0.5 * 0.25 + 0.25 * 0.8, 6);
});

/** All that `linear` reads of a user and two items: zeros but for these. */
async function servedOf(values: Readonly<Record<string, readonly number[]>>): Promise<ServedFeatures> {
  const { features } = (await manifestOf("linear")) as unknown as { features: readonly FeatureSpec[] };
  return {
    model: { name: "home-kd", version: "1" },
    rows: 2,
    features: features.map(({ name, entity, input, width, encoding }) => {
      const given = values[name] ?? new Array<number>((entity === "item" ? 2 : 1) * width).fill(0);
      return {
        name,
        entity,
        input,
        width,
        encoding: encodingName(encoding),
        values: encoding.kind === "number" ? Float32Array.from(given) : Int32Array.from(given),
      };
    }),
  };
}

function optionsOf(dataDir: string, world: string, repository: string) {
  return {
    dataDir,
    models: repository,
    world,
    cacheRowsMax: 100,
    signal: new AbortController().signal,
    onWarning: () => undefined,
  };
}
