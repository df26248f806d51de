import { cp } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { verifyLog } from "../../src/outcomes/outcomes.ts";
import { impressionOf, outcomeOf } from "../support/log-records.ts";
import { openTestLog, recordsIn } from "../support/outcomes-log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** Bytes that a Setlist wrote whose schema version was 1. */
const versionOne = join(import.meta.dirname, "../support/log-version-1");
const recordsOfOne = [
  impressionOf("r1", "u1", "kd"),
  impressionOf("r2", "u2", "control", ["t9"], { model: undefined }),
  outcomeOf("o1", "r1", "t1"),
];

test("a log of schema version 1 is read as it stands and goes on in version 2", async () => {
  const directory = join(await temporaryFolder(), "log");
  await cp(versionOne, directory, { recursive: true });
  expect(await recordsIn(directory)).toStrictEqual(recordsOfOne);
  const log = await openTestLog(directory);
  const later = { ...impressionOf("r3", "u3", "kd"), sent: { context: { seed_content: [0.5, 0] } } };
  await log.appendImpression(later);
  expect(await log.appendOutcomes([outcomeOf("o1", "r1", "t1")])).toMatchObject({ duplicates: 1 });
  await log.close();
  expect(await recordsIn(directory)).toStrictEqual([...recordsOfOne, later]);
  expect(await verifyLog(directory)).toStrictEqual({
    impressions: 3,
    outcomes: 1,
    truncatedBytes: 0,
    corrupt: [],
  });
});
