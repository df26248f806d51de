import type { LogRecord } from "../domain/ports.ts";

/** A segment of the log, as the log's reader gives it. */
export interface LogSegment {
  /** Its number as the directory writes it: `0000000012`. */
  readonly name: string;
  /** Whether it was sealed when the directory was listed: then it never changes again. */
  readonly sealed: boolean;
  /** Its own random number. @throws {SetlistError} NOT_FOUND where it was taken away. */
  salt(): Promise<number>;
  /**
   * Some dozens of records at a time; of one that is being written those that were there when reading began. No batch
   * is empty.
   * @throws {SetlistError} NOT_FOUND where it was taken away; INTERNAL at a damaged record.
   */
  read(): AsyncIterable<readonly LogRecord[]>;
  /** How many bytes it has. @throws {SetlistError} NOT_FOUND as above. */
  size(): Promise<number>;
  /** Deletes it for good: only ever the oldest, and never the newest sealed one. */
  remove(): Promise<void>;
}
