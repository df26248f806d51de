import { SetlistError } from "../domain/error.ts";

/** Where a log is damaged: `offset` in bytes from the start of the segment's file, `record` counted from 0. */
export interface Corruption {
  readonly segment: string;
  readonly offset: number;
  readonly record: number;
  readonly reason: string;
}

/** The sentence that stops a start or a reader. */
export function corruptionError(
  directory: string,
  { segment, offset, record, reason }: Corruption,
): SetlistError {
  return new SetlistError(
    "INTERNAL",
    `log segment ${segment} in ${directory} is damaged in its record ${record} at offset ${offset}: ${reason}. ` +
      "This is no torn tail, so nothing was cut: put the file back from a copy, or keep what is good with " +
      "`setlist verify-log --salvage <new folder>`, which counts what is lost and changes nothing here",
  );
}
