import type { LogRecord } from "../src/domain/outcome-log.ts";

/** What a client knows of its own requests, kept on its side of the wire while servers die. */
export interface Book {
  /** About to be sent. */
  asked(requestId: string): void;
  /** Answered with a ranking: from now on the impression must be in the log. */
  answered(requestId: string): void;
  sent(outcomeIds: readonly string[]): void;
  /** Acknowledged: from now on the outcomes must be in the log. */
  acknowledged(outcomeIds: readonly string[]): void;
  readonly answeredCount: number;
  readonly acknowledgedCount: number;
  /** Compares the book with a log; reads it once, to its end. */
  audit(log: AsyncIterable<LogRecord>): Promise<Audit>;
}

/** What the log holds, and where it does not agree with the book: every list should be empty. */
export interface Audit {
  readonly impressions: number;
  readonly outcomes: number;
  /** Answered, but not in the log. */
  readonly lostImpressions: readonly string[];
  /** Acknowledged, but not in the log. */
  readonly lostOutcomes: readonly string[];
  /** In the log more than once. */
  readonly repeated: readonly string[];
  /** In the log, but never sent. */
  readonly unknown: readonly string[];
}

export function createBook(): Book {
  const asked = new Set<string>();
  const answered = new Set<string>();
  const sent = new Set<string>();
  const acknowledged = new Set<string>();
  return {
    asked: (requestId) => void asked.add(requestId),
    answered: (requestId) => void answered.add(requestId),
    sent(outcomeIds) {
      for (const id of outcomeIds) sent.add(id);
    },
    acknowledged(outcomeIds) {
      for (const id of outcomeIds) acknowledged.add(id);
    },
    get answeredCount() {
      return answered.size;
    },
    get acknowledgedCount() {
      return acknowledged.size;
    },
    async audit(log) {
      const impressions = new Map<string, number>();
      const outcomes = new Map<string, number>();
      for await (const record of log) {
        if (record.kind === "impression") count(impressions, record.requestId);
        else if (record.kind === "outcome") count(outcomes, record.outcomeId);
      }
      return {
        impressions: impressions.size,
        outcomes: outcomes.size,
        lostImpressions: missing(answered, impressions),
        lostOutcomes: missing(acknowledged, outcomes),
        repeated: [...repeatedOf(impressions), ...repeatedOf(outcomes)],
        unknown: [...unknownOf(impressions, asked), ...unknownOf(outcomes, sent)],
      };
    },
  };
}

/** True where the log and the book agree. */
export function agrees({ lostImpressions, lostOutcomes, repeated, unknown }: Audit): boolean {
  return [lostImpressions, lostOutcomes, repeated, unknown].every((ids) => ids.length === 0);
}

function count(counts: Map<string, number>, id: string): void {
  counts.set(id, (counts.get(id) ?? 0) + 1);
}

function missing(expected: ReadonlySet<string>, found: ReadonlyMap<string, number>): string[] {
  return [...expected].filter((id) => !found.has(id));
}

function repeatedOf(found: ReadonlyMap<string, number>): string[] {
  return [...found].filter(([, times]) => times > 1).map(([id]) => id);
}

function unknownOf(found: ReadonlyMap<string, number>, expected: ReadonlySet<string>): string[] {
  return [...found.keys()].filter((id) => !expected.has(id));
}
