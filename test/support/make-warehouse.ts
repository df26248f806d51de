/**
 * `node test/support/make-warehouse.ts DIR`: a small data directory whose log is Parquet, for readers in other languages:
 * two segments, two days, all that may be logged of a request, an outcome whose clock is ages off, comparisons of both kinds.
 */
import { join } from "node:path";
import { compactDataDirectory } from "../../src/app/data/compact-data.ts";
import {
  counterfactualOf,
  fullImpressionOf,
  impressionOf,
  interleavingOf,
  outcomeOf,
  shadowOf,
} from "./log-records.ts";
import { openTestLog } from "./outcomes-log.ts";

const dataDir = process.argv[2];
if (dataDir === undefined) throw new Error("expected the folder to make it in");
const day = 86_400_000;
for (const n of [1, 2]) {
  const log = await openTestLog(join(dataDir, "log"));
  const first = fullImpressionOf(`r${n}`, `ü${n}`);
  await log.appendImpression({
    ...first,
    sent: { context: { device: "ios" }, items: [undefined, { genre: "pop" }, undefined] },
  });
  await log.appendImpression({
    ...impressionOf(`s${n}`, "u1", "interleaved", [], { model: undefined }),
    at: first.at + day,
  });
  await log.appendImpression({
    ...impressionOf(`i${n}`, "u1", "interleaved"),
    interleaving: interleavingOf("page-1"),
  });
  await log.appendShadow(shadowOf(`r${n}`));
  await log.appendShadow(counterfactualOf(`r${n}`));
  await log.appendOutcomes([
    outcomeOf(`o${n}`, `r${n}`, "t1"),
    { ...outcomeOf(`p${n}`, `s${n}`, "t1"), occurredAt: first.at + day },
    { ...outcomeOf(`q${n}`, `r${n}`, "t2"), occurredAt: Date.parse("9999-12-31T23:59:59-12:00") },
  ]);
  await log.close();
}
console.log(JSON.stringify(await compactDataDirectory({ dataDir })));
