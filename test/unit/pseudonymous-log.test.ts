import { expect, test } from "vitest";
import type { Impression } from "../../src/domain/impression.ts";
import { type Outcome, userRequestId } from "../../src/domain/outcome.ts";
import type { LogRecord, OutcomeLog } from "../../src/domain/outcome-log.ts";
import { isPseudonym } from "../../src/domain/pseudonym.ts";
import { PseudonymousLog } from "../../src/outcomes/outcomes.ts";
import { counterfactualOf, fullImpressionOf, impressionOf, outcomeOf } from "../support/log-records.ts";

const key = "0123456789abcdef0123456789abcdef";

/** What Python's `hmac` and `openssl dgst -hmac` say of these ids under the key. */
const known = {
  u1: "hmac:OVNrwMIObvzSLsMLuW7sWg",
  "visit-7": "hmac:BjJ-LAvwktrtHhpiuh7CoA",
  ü1: "hmac:12RGl36w8y_MCD7Xdk7SzQ",
};

function pseudonymousLog(secret = key): { log: OutcomeLog; written: LogRecord[] } {
  const written: LogRecord[] = [];
  const log: OutcomeLog = {
    appendImpression: async (impression) => void written.push(impression),
    async appendOutcomes(outcomes) {
      written.push(...outcomes);
      return { accepted: outcomes.length, duplicates: 0, unmatched: 0 };
    },
    appendShadow: async (comparison) => void written.push(comparison),
    close: async () => {},
  };
  return { log: new PseudonymousLog(log, secret), written };
}

const unitOf = (record: LogRecord | undefined): unknown => (record as Impression).assignments[0]?.unit;

test("users and units of every kind are written as the HMAC of their ids, and nothing else changes", async () => {
  const { log, written } = pseudonymousLog();
  const ofUser = fullImpressionOf("r1", "u1");
  const ofVisit = impressionOf("r2", "ü1", "kd", ["t1"], { assignment: { unit: "visit-7" } });
  await log.appendImpression(ofUser);
  await log.appendImpression(ofVisit);
  await log.appendShadow(counterfactualOf("r1"));
  expect(written).toStrictEqual([
    {
      ...ofUser,
      userId: known.u1,
      assignments: [{ ...ofUser.assignments[0], unit: known.u1 }],
    },
    {
      ...ofVisit,
      userId: known.ü1,
      assignments: [{ ...ofVisit.assignments[0], unit: known["visit-7"] }],
    },
    counterfactualOf("r1"),
  ]);
  expect(JSON.stringify(written)).not.toMatch(/"u1"|visit-7/);
});

test("an outcome of a user has the user's pseudonym, one of a request stays as it is", async () => {
  const { log, written } = pseudonymousLog();
  const ofUser: Outcome = { ...outcomeOf("o1", userRequestId("u1"), ""), type: "signup" };
  // The id of a request may look like that of a user's outcome; what it answers is an item.
  const ofItem = outcomeOf("o2", "user:u1", "t1");
  expect(await log.appendOutcomes([ofUser, ofItem])).toMatchObject({ accepted: 2 });
  expect(written).toStrictEqual([{ ...ofUser, requestId: `user:${known.u1}` }, ofItem]);
});

test("a unit stays one unit over restarts with the same key, and only with it", async () => {
  const [one, again, other] = [pseudonymousLog(), pseudonymousLog(), pseudonymousLog(key.toUpperCase())];
  for (const { log } of [one, again, other]) await log.appendImpression(impressionOf("r1", "u1", "kd"));
  expect(unitOf(one.written[0])).toBe(unitOf(again.written[0]));
  expect(unitOf(other.written[0])).not.toBe(unitOf(one.written[0]));
});

test("pseudonyms are told from ids", () => {
  expect(Object.values(known).every(isPseudonym)).toBe(true);
  expect(["u1", "hmac:", "hmac:short", `${known.u1}x`, `x${known.u1}`].some(isPseudonym)).toBe(false);
});
