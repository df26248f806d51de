import type { LogRecord } from "./outcome-log.ts";

/** A place in a log: where a record's frame begins, or where the next one will. */
export interface LogPlace {
  readonly segment: number;
  /** The segment's own random number; undefined where the segment has not been looked at yet. */
  readonly salt: number | undefined;
  /** Bytes from the segment's start. */
  readonly offset: number;
}

export interface PlacedRecord {
  readonly record: LogRecord;
  readonly place: LogPlace;
  /** Of the record in the log, its frame included. */
  readonly bytes: number;
}

/** A segment as it was listed; a sealed one never changes again. */
export interface LogSegment {
  /** Its number as the directory writes it: `0000000012`. */
  readonly name: string;
  readonly sealed: boolean;
  /**
   * Its own random number.
   * @throws {SetlistError} NOT_FOUND where it was taken away; INTERNAL where the header is damaged or of another schema
   *   version.
   */
  salt(): Promise<number>;
  /**
   * Some dozens of records at a time, to the end of the segment; no batch is empty. Of one that is being written they are
   * those that were there when it was opened, at the first batch.
   * @throws {SetlistError} NOT_FOUND where it was taken away; INTERNAL at a damaged record, naming segment, offset and
   *   record.
   */
  read(): AsyncIterable<readonly LogRecord[]>;
  /** How many bytes it has. @throws {SetlistError} NOT_FOUND as above. */
  size(): Promise<number>;
  /**
   * Deletes it for good. Only ever the oldest, never the newest sealed one, and one after the other: numbers have no gaps,
   * and the next segment's follows from those that are there.
   */
  remove(): Promise<void>;
}

/** How much of a segment that is still being written is known to be on the disk. */
export interface SyncedEnd {
  readonly segment: number;
  readonly bytes: number;
}

/** Reads a log on and on, in its order, and only what no power cut takes back. */
export interface LogTail {
  /**
   * The next records, some dozens; none where there are no more for now.
   * @throws {SetlistError} INTERNAL at a damaged record, naming segment, offset and record.
   */
  next(): Promise<readonly PlacedRecord[]>;
  /** Behind the last record that `next` has answered: where another tail would go on. */
  readonly place: LogPlace;
  /** Bytes of the log that are on the disk from a place on, headers and seals included. */
  bytesBehind(place: LogPlace): Promise<number>;
  close(): Promise<void>;
}

/**
 * The log as Parquet files in the layout of docs/outcome-log-format.md, as absolute paths: every record is in exactly one
 * of them. They stay as they are while they are being read.
 */
export interface LogFiles {
  readonly impressions: readonly string[];
  readonly outcomes: readonly string[];
  readonly shadows: readonly string[];
  readonly counterfactuals: readonly string[];
  /** Retention has removed records from before this time, ms since 1970, UTC; undefined where nothing is gone. */
  readonly missingBefore: number | undefined;
}
