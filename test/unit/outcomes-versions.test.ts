import { cp } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { verifyLog } from "../../src/outcomes/outcomes.ts";
import { impressionOf, outcomeOf, shadowOf } from "../support/log-records.ts";
import { openTestLog, recordsIn } from "../support/outcomes-log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const sent = { context: { seed_content: [0.5, 0] } };
const second = impressionOf("r2", "u2", "control", ["t9"], { model: undefined });
const outcome = outcomeOf("o1", "r1", "t1");

/** Bytes that a Setlist wrote whose schema version was this. */
const versions = [
  { version: 1, records: [impressionOf("r1", "u1", "kd"), second, outcome] },
  { version: 2, records: [{ ...impressionOf("r1", "u1", "kd"), sent }, second, outcome] },
];

test.each(versions)(
  "a log of schema version $version is read as it stands and goes on in version 3",
  async ({ version, records }) => {
    const directory = join(await temporaryFolder(), "log");
    await cp(join(import.meta.dirname, `../support/log-version-${version}`), directory, { recursive: true });
    expect(await recordsIn(directory)).toStrictEqual(records);
    const log = await openTestLog(directory);
    const later = { ...impressionOf("r3", "u3", "kd"), sent };
    await log.appendImpression(later);
    await log.appendShadow(shadowOf("r3"));
    expect(await log.appendOutcomes([outcome])).toMatchObject({ duplicates: 1 });
    await log.close();
    expect(await recordsIn(directory)).toStrictEqual([...records, later, shadowOf("r3")]);
    expect(await verifyLog(directory)).toStrictEqual({
      impressions: 3,
      outcomes: 1,
      shadows: 1,
      truncatedBytes: 0,
      corrupt: [],
    });
  },
);
