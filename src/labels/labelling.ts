import type { LabelFacts } from "./label-segment.ts";
import type { Teacher } from "./ports.ts";

/** What a run did; candidates of segments that were done before it began count as already labelled. */
export interface Labelling {
  readonly impressions: number;
  readonly labelled: number;
  readonly alreadyLabelled: number;
  /** Candidates that the teacher could not score. */
  readonly unlabelled: number;
  /** Of those, the ones whose user's features are behind a pseudonym; undefined where there are none. */
  readonly pseudonymous?: number;
  /** The share of the candidates of all segments that are done, which have a label. */
  readonly coverage: number;
  /** Now minus the time of the newest labelled impression; null where there is none. */
  readonly delayMs: number | null;
  readonly teacher: { readonly name: string; readonly version: string };
  /** Segments that this run labelled. */
  readonly segments: number;
  readonly segmentsDoneBefore: number;
  readonly segmentsOpen: number;
}

/** Adds up the segments of one pass. */
export class LabelTally {
  readonly #total = { impressions: 0, labelled: 0, alreadyLabelled: 0, unlabelled: 0 };
  #pseudonymous = 0;
  #newestAt = 0;
  #segments = 0;
  #before = 0;

  /** @param isBefore it was done before the run began. */
  add(facts: LabelFacts, isBefore: boolean): void {
    this.#total.impressions += facts.impressions;
    this.#total.labelled += isBefore ? 0 : facts.labelled;
    this.#total.alreadyLabelled += facts.alreadyLabelled + (isBefore ? facts.labelled : 0);
    this.#total.unlabelled += facts.unlabelled;
    this.#pseudonymous += facts.pseudonymous ?? 0;
    this.#newestAt = Math.max(this.#newestAt, facts.newestAt);
    if (isBefore) this.#before += 1;
    else this.#segments += 1;
  }

  labelling({ name, version }: Teacher, segmentsOpen: number, now: number): Labelling {
    const labels = this.#total.labelled + this.#total.alreadyLabelled;
    const candidates = labels + this.#total.unlabelled;
    return {
      ...this.#total,
      ...(this.#pseudonymous > 0 && { pseudonymous: this.#pseudonymous }),
      coverage: candidates === 0 ? 1 : labels / candidates,
      delayMs: this.#newestAt === 0 ? null : Math.max(0, now - this.#newestAt),
      teacher: { name, version },
      segments: this.#segments,
      segmentsDoneBefore: this.#before,
      segmentsOpen,
    };
  }
}
