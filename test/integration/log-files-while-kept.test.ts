import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { withDataLogFiles } from "../../src/app/data/log-files.ts";
import { logSegments } from "../../src/outcomes/outcomes.ts";
import { compactLog } from "../../src/warehouse/warehouse.ts";
import { impressionOf, outcomeOf } from "../support/log-records.ts";
import { openTestLog, segmentsIn } from "../support/outcomes-log.ts";
import { columnOf } from "../support/parquet.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const rounds = 300;

test("while records are appended, sealed, compacted and their segments deleted, every reader finds each record that was acknowledged before it began, once, and no outcome without its impression", async () => {
  const dataDir = await temporaryFolder();
  const directory = join(dataDir, "log");
  const warehouse = join(dataDir, "warehouse");
  const log = await openTestLog(directory, { segmentBytesMax: 4 * 1024 });
  const seen = { readers: 0, compacted: 0, deleted: 0 };
  let written = 0;
  let done = false;

  const write = async (): Promise<void> => {
    for (let n = 0; n < rounds; n++) {
      await log.appendImpression(impressionOf(`r${n}`, "u1", "kd"));
      await log.appendOutcomes([outcomeOf(`o${n}`, `r${n}`, "t1")]);
      written = n + 1;
      await sleep(5);
    }
    done = true;
  };
  const keep = async (): Promise<void> => {
    while (!done) {
      const { segments, retained } = await compactLog({
        segments: () => logSegments(directory),
        warehouse,
        retention: {
          log: { bytesMax: 1 },
          warehouse: {},
          dedupeWindowMs: 0,
          now: () => Date.now(),
          onWarning: () => undefined,
        },
      });
      seen.compacted += segments;
      seen.deleted += retained?.segments ?? 0;
      await sleep(1);
    }
  };
  const read = async (): Promise<void> => {
    while (!done) {
      const before = written;
      const { requests, outcomes } = await withDataLogFiles(dataDir, async (files) => ({
        requests: await columnOf("request", files.impressions),
        outcomes: await columnOf("outcome", files.outcomes),
      }));
      const names = new Set(requests);
      expect(requests, "an impression twice").toHaveLength(names.size);
      expect(outcomes, "an outcome twice").toHaveLength(new Set(outcomes).size);
      expect(missing(before, "r", requests), "impressions missing").toEqual([]);
      expect(missing(before, "o", outcomes), "outcomes missing").toEqual([]);
      expect(
        outcomes.filter((name) => !names.has(`r${name.slice(1)}`)),
        "outcomes alone",
      ).toEqual([]);
      seen.readers += 1;
    }
  };
  await Promise.all([write(), keep(), read(), read()]);
  await log.close();
  console.log(
    `${seen.readers} readers, ${seen.compacted} segments compacted, ${seen.deleted} deleted meanwhile`,
  );
  expect(seen.readers).toBeGreaterThan(3);
  expect(seen.compacted).toBeGreaterThan(5);
  expect(seen.deleted).toBeGreaterThan(5);
  expect((await segmentsIn(directory))[0]).not.toBe("0000000001.seg");
}, 300_000);

function missing(count: number, prefix: string, names: readonly string[]): string[] {
  const there = new Set(names);
  return Array.from({ length: count }, (_, n) => `${prefix}${n}`).filter((name) => !there.has(name));
}
