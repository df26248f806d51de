import { randomBytes } from "node:crypto";
import { type Fingerprint, FingerprintSet, fingerprintOf } from "./fingerprint-set.ts";
import { KnownOutcomes, type KnownOutcomesOptions } from "./known-outcomes.ts";

/** Writes the fingerprint of the id in `bytes[start, end)` to `to`. */
export type FingerprintFunction = (bytes: Uint8Array, start: number, end: number, to: Fingerprint) => void;

export interface KnownIdsOptions extends KnownOutcomesOptions {
  /** At least this many of the latest impressions are remembered, at most twice. */
  readonly rememberedImpressionsMax: number;
  readonly fingerprint?: FingerprintFunction | undefined;
}

/**
 * What the log remembers of what it holds: outcomes of a window of time, and the requests of the latest impressions.
 * Ids are looked at as the UTF-8 that is on the disk, so a fresh start knows them the same way.
 */
export class KnownIds {
  readonly outcomes: KnownOutcomes;
  readonly fingerprint: FingerprintFunction;
  readonly #rememberedMax: number;
  #requests = new FingerprintSet();
  #olderRequests = new FingerprintSet();

  constructor(options: KnownIdsOptions) {
    this.outcomes = new KnownOutcomes(options);
    this.#rememberedMax = options.rememberedImpressionsMax;
    // Of this process alone: nobody outside can aim at one slot.
    const seed = randomBytes(4).readUInt32LE(0);
    this.fingerprint =
      options.fingerprint ?? ((bytes, start, end, to) => fingerprintOf(bytes, start, end, seed, to));
  }

  /** Two generations instead of one entry dropped for each that comes: no order to keep, no deleting. */
  addRequest(id: Fingerprint): void {
    if (this.#requests.size >= this.#rememberedMax) {
      this.#olderRequests = this.#requests;
      this.#requests = new FingerprintSet();
    }
    this.#requests.add(id);
  }

  hasRequest(id: Fingerprint): boolean {
    return this.#requests.has(id) || this.#olderRequests.has(id);
  }
}
