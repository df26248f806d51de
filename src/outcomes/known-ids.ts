import { randomBytes } from "node:crypto";
import { type Fingerprint, FingerprintSet, fingerprintOf } from "./fingerprint-set.ts";

/**
 * What the log remembers of what it holds: every outcome's id, and the requests of the latest impressions.
 * Ids are looked at as the UTF-8 that is on the disk, so a fresh start knows them the same way.
 */
export class KnownIds {
  /** Of this process alone: nobody outside can aim at one slot. */
  readonly #seed = randomBytes(4).readUInt32LE(0);
  readonly #outcomes = new FingerprintSet();
  readonly #rememberedMax: number;
  #requests = new FingerprintSet();
  #olderRequests = new FingerprintSet();

  /** @param rememberedImpressionsMax at least this many of the latest impressions are remembered, at most twice. */
  constructor(rememberedImpressionsMax: number) {
    this.#rememberedMax = rememberedImpressionsMax;
  }

  fingerprint(bytes: Uint8Array, start: number, end: number, to: Fingerprint): void {
    fingerprintOf(bytes, start, end, this.#seed, to);
  }

  /** False where the outcome is known. */
  addOutcome(id: Fingerprint): boolean {
    return this.#outcomes.add(id);
  }

  /** For an outcome that did not reach the disk: sent again it is new. */
  forgetOutcome(id: Fingerprint): void {
    this.#outcomes.delete(id);
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
