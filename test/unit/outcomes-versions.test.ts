import { cp } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { verifyLog } from "../../src/outcomes/outcomes.ts";
import {
  counterfactualOf,
  fullImpressionOf,
  impressionOf,
  interleavingOf,
  outcomeOf,
  shadowOf,
} from "../support/log-records.ts";
import { openTestLog, recordsIn } from "../support/outcomes-log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const sent = { context: { seed_content: [0.5, 0] } };
const second = impressionOf("r2", "u2", "control", ["t9"], { model: undefined });
const outcome = outcomeOf("o1", "r1", "t1");

/** Bytes that a Setlist wrote whose schema version was this. */
const versions = [
  { version: 1, records: [impressionOf("r1", "u1", "kd"), second, outcome] },
  { version: 2, records: [{ ...impressionOf("r1", "u1", "kd"), sent }, second, outcome] },
  { version: 3, records: [{ ...impressionOf("r1", "u1", "kd"), sent }, second, shadowOf("r1"), outcome] },
  {
    version: 4,
    records: [
      { ...impressionOf("r1", "u1", "kd"), sent, interleaving: interleavingOf("r1") },
      second,
      shadowOf("r1"),
      counterfactualOf("r1"),
      outcome,
    ],
  },
];

test.each(versions)(
  "a log of schema version $version is read as it stands and goes on in version 5",
  async ({ version, records }) => {
    const directory = join(await temporaryFolder(), "log");
    await cp(join(import.meta.dirname, `../support/log-version-${version}`), directory, { recursive: true });
    expect(await recordsIn(directory)).toStrictEqual(records);
    const log = await openTestLog(directory);
    const later = { ...fullImpressionOf("r3", "u3"), sent, interleaving: interleavingOf("r3") };
    const comparisons = [shadowOf("r3"), counterfactualOf("r3")];
    await log.appendImpression(later);
    for (const comparison of comparisons) await log.appendShadow(comparison);
    expect(await log.appendOutcomes([outcome])).toMatchObject({ duplicates: 1 });
    await log.close();
    expect(await recordsIn(directory)).toStrictEqual([...records, later, ...comparisons]);
    expect(await verifyLog(directory)).toStrictEqual({
      impressions: 3,
      outcomes: 1,
      shadows: records.filter(({ kind }) => kind === "shadow" || kind === "counterfactual").length + 2,
      truncatedBytes: 0,
      corrupt: [],
    });
  },
);
