import type { Fingerprint } from "./fingerprint-set.ts";
import type { IdGeneration } from "./id-generation.ts";
import { RecordWriter } from "./record-writer.ts";

/** A batch's buffers are used again; those that a rush made larger than this are not kept. */
const keptBytesMax = 1024 * 1024;

/**
 * What goes to the disk in one write. Impressions and comparisons stand before outcomes: where a sync fails after the
 * write, those, which are answered by then, can be told from the outcomes, which are not.
 */
export class Batch {
  readonly impressions = new RecordWriter();
  readonly shadows = new RecordWriter();
  readonly outcomes = new RecordWriter();
  /** The fingerprint of each impression's request: three words. */
  readonly requestIds: number[] = [];
  /** Two words of each outcome's fingerprint, and its offset in `outcomes`. */
  readonly outcomeIds: number[] = [];
  /** Where the outcomes are known, once there are any. */
  generation: IdGeneration | undefined;
  place = 0;
  /** Settles when the impressions are written, or kept until the disk takes them, or will not be. */
  written = quiet();
  /** Settles when the comparisons are written, or will not be. */
  compared = quiet();
  /** Settles when the batch is synced, or will not be. */
  synced = quiet();

  get bytes(): number {
    return this.impressions.used + this.shadows.used + this.outcomes.used;
  }

  reset(): void {
    this.impressions.reset(keptBytesMax);
    this.shadows.reset(keptBytesMax);
    this.outcomes.reset(keptBytesMax);
    this.requestIds.length = 0;
    this.outcomeIds.length = 0;
    this.generation = undefined;
    this.written = quiet();
    this.compared = quiet();
    this.synced = quiet();
  }
}

/** Calls `each` with every fingerprint in a flat list. */
export function eachFingerprint(words: readonly number[], each: (id: Fingerprint) => void): void {
  const id = new Uint32Array(3);
  for (let at = 0; at < words.length; at += 3) {
    id[0] = words[at] as number;
    id[1] = words[at + 1] as number;
    id[2] = words[at + 2] as number;
    each(id);
  }
}

/** A promise that may be refused without anyone waiting for it: a batch may have no outcomes, or no impressions. */
function quiet(): PromiseWithResolvers<void> {
  const promise = Promise.withResolvers<void>();
  promise.promise.catch(() => undefined);
  return promise;
}
