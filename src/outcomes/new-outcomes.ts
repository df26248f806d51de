import type { Outcome } from "../domain/outcome.ts";
import type { AppendedOutcomes } from "../domain/outcome-log.ts";
import type { Batch } from "./batch.ts";
import { frameEnd, frameHeaderBytes } from "./frame.ts";
import type { KnownIds } from "./known-ids.ts";
import { type LogWriter, refused } from "./log-writer.ts";
import { answeredRequestBytes, idBytes, receivedAtOf, writeOutcomeFrame } from "./record-codec.ts";
import { RecordComparison, type RecordWindows } from "./record-windows.ts";
import { RecordWriter } from "./record-writer.ts";

type OutcomeCounts = { -readonly [Count in keyof AppendedOutcomes]: number };

/** Outcomes of one call that went into a batch. */
interface Attempt {
  readonly batch: Batch;
  readonly comparison: RecordComparison;
  readonly counts: OutcomeCounts;
}

/** Appends the outcomes that the log does not have yet, and counts the others. */
export class NewOutcomes {
  readonly #writer: LogWriter;
  readonly #known: KnownIds;
  readonly #windows: RecordWindows;
  readonly #id = new Uint32Array(3);

  constructor(writer: LogWriter, known: KnownIds, windows: RecordWindows) {
    this.#writer = writer;
    this.#known = known;
    this.#windows = windows;
  }

  async append(outcomes: readonly Outcome[]): Promise<AppendedOutcomes> {
    const comparison = new RecordComparison(this.#windows);
    const attempt = this.#attempt(comparison, (batch, keepNew) => {
      for (const outcome of outcomes) keepNew(writeOutcomeFrame(batch.outcomes, outcome));
    });
    if (attempt !== undefined) return this.#acknowledge(attempt);
    const frames = new RecordWriter();
    for (const outcome of outcomes) writeOutcomeFrame(frames, outcome);
    return this.#appendOnceRead(frames.bytes(), comparison);
  }

  async appendFrames(frames: Buffer): Promise<AppendedOutcomes> {
    const comparison = new RecordComparison(this.#windows);
    const attempt = this.#attemptFrames(comparison, frames);
    return attempt === undefined
      ? this.#appendOnceRead(Buffer.from(frames), comparison)
      : this.#acknowledge(attempt);
  }

  /** After something had to be read back, until all can be said. */
  async #appendOnceRead(frames: Buffer, comparison: RecordComparison): Promise<AppendedOutcomes> {
    for (;;) {
      try {
        await comparison.readMissing();
      } catch (error) {
        throw refused(error);
      }
      const attempt = this.#attemptFrames(comparison, frames);
      if (attempt !== undefined) return this.#acknowledge(attempt);
    }
  }

  #attemptFrames(comparison: RecordComparison, frames: Buffer): Attempt | undefined {
    return this.#attempt(comparison, ({ outcomes }, keepNew) => {
      for (let start = 0; start < frames.length; start = frameEnd(frames, start)) {
        const at = outcomes.used;
        outcomes.copy(frames, start, frameEnd(frames, start));
        keepNew(at);
      }
    });
  }

  /**
   * Puts into the pending batch what `write` writes there, each outcome followed by `keepNew` with its start, as far as it
   * is new. All or nothing: undefined, and nothing was put there, where something has to be read first to say what is.
   */
  #attempt(
    comparison: RecordComparison,
    write: (batch: Batch, keepNew: (start: number) => void) => void,
  ): Attempt | undefined {
    const batch = this.#writer.batch();
    const attempt: Attempt = { batch, comparison, counts: { accepted: 0, duplicates: 0, unmatched: 0 } };
    const before = { used: batch.outcomes.used, ids: batch.outcomeIds.length };
    let done = false;
    try {
      write(batch, (start) => this.#keepNew(attempt, start));
      done = !comparison.incomplete;
    } finally {
      if (!done) {
        this.#known.outcomes.takeBack(batch, before.ids);
        batch.outcomes.used = before.used;
      }
    }
    return done ? attempt : undefined;
  }

  /** The outcome written last, at `start`, is counted, and taken back where it is known. */
  #keepNew({ batch, comparison, counts }: Attempt, start: number): void {
    const { outcomes } = batch;
    const id = idBytes(outcomes.buffer, start + frameHeaderBytes, outcomes.used);
    this.#identify(outcomes, id);
    // From its length on, as it is written: so no id is taken for one that it begins with.
    if (this.#isKnown(comparison, outcomes.buffer, start + frameHeaderBytes + 1, id.end)) {
      outcomes.used = start;
      counts.duplicates++;
      return;
    }
    this.#known.outcomes.add(this.#id, batch, start, receivedAtOf(outcomes.buffer, outcomes.used));
    counts.accepted++;
    this.#identify(outcomes, answeredRequestBytes(outcomes.buffer, start + frameHeaderBytes, outcomes.used));
    if (!this.#known.hasRequest(this.#id)) counts.unmatched++;
  }

  /** Whether the log has an outcome of the id in `bytes[start, end)`, whose fingerprint is `#id`; never by that alone. */
  #isKnown(comparison: RecordComparison, bytes: Buffer, start: number, end: number): boolean {
    let known = false;
    this.#known.outcomes.each(this.#id, (place) => {
      if ("segment" in place) {
        if (comparison.hasId(place.segment, place.offset, bytes, start, end) === true) known = true;
        return;
      }
      const { buffer } = place.batch;
      const from = place.offset + frameHeaderBytes + 1;
      const to = from + end - start;
      if (to <= buffer.length && bytes.compare(buffer, from, to, start, end) === 0) known = true;
    });
    return known;
  }

  async #acknowledge({ batch, counts }: Attempt): Promise<AppendedOutcomes> {
    // The first of two equal outcomes may still be on its way to the disk: nobody hears of it before it is there.
    if (counts.duplicates > 0) await this.#writer.allSynced();
    else if (counts.accepted > 0) await batch.synced.promise;
    return counts;
  }

  #identify(records: RecordWriter, { start, end }: { start: number; end: number }): void {
    this.#known.fingerprint(records.buffer, start, end, this.#id);
  }
}
