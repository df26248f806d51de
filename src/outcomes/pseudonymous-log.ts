import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import type { Impression } from "../domain/impression.ts";
import { type Outcome, userOf, userRequestId } from "../domain/outcome.ts";
import type { AppendedOutcomes, Comparison, OutcomeLog } from "../domain/outcome-log.ts";
import { pseudonymPrefix } from "../domain/pseudonym.ts";

/** Of HMAC-SHA256's 32: that two of a billion ids share 128 bits has a chance below 1e-20. */
const pseudonymBytes = 16;

/**
 * A log that is given ids and writes pseudonyms: users, units, and the users of outcomes that belong to no request. The
 * same id has the same pseudonym wherever the key is the same, so that units stay units and joins find what they found.
 * Every unit gets one, of whatever kind: a session's or an account's id leads to a person too.
 */
export class PseudonymousLog implements OutcomeLog {
  readonly #log: OutcomeLog;
  readonly #key: KeyObject;

  /** @param key secret text; its UTF-8 is the key. */
  constructor(log: OutcomeLog, key: string) {
    this.#log = log;
    this.#key = createSecretKey(key, "utf8");
  }

  appendImpression(impression: Impression): Promise<void> {
    const userId = this.#pseudonym(impression.userId);
    const assignments = impression.assignments.map((assignment) => ({
      ...assignment,
      unit: assignment.unit === impression.userId ? userId : this.#pseudonym(assignment.unit),
    }));
    return this.#log.appendImpression({ ...impression, userId, assignments });
  }

  appendOutcomes(outcomes: readonly Outcome[]): Promise<AppendedOutcomes> {
    return this.#log.appendOutcomes(
      outcomes.map((outcome) => {
        const user = userOf(outcome);
        return user === undefined ? outcome : { ...outcome, requestId: userRequestId(this.#pseudonym(user)) };
      }),
    );
  }

  /** Names no unit. */
  appendShadow(comparison: Comparison): Promise<void> {
    return this.#log.appendShadow(comparison);
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  #pseudonym(id: string): string {
    const digest = createHmac("sha256", this.#key).update(id, "utf8").digest();
    return pseudonymPrefix + digest.toString("base64url", 0, pseudonymBytes);
  }
}
