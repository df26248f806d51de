import { join } from "node:path";
import { expect, test } from "vitest";
import { labelDataDirectory } from "../../src/app/label-data.ts";
import { labelHouse, rowsOf } from "../support/label-house.ts";
import { impressionOf } from "../support/log-records.ts";
import { openTestLog } from "../support/outcomes-log.ts";

test("labels are what the teacher answers, each candidate's once, and a second run labels nothing", async () => {
  const { dataDir, world, repository, labels } = await labelHouse(3);
  const options = {
    dataDir,
    models: repository,
    world,
    cacheRowsMax: 100,
    signal: new AbortController().signal,
    onWarning: () => undefined,
  };
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
