import type { Marker } from "../columnar/columnar.ts";
import { SetlistError } from "../domain/error.ts";

/** @throws {SetlistError} INTERNAL where the segment of that name is another one than was compacted. */
export function checkSameLog(
  warehouse: string,
  marker: Pick<Marker<unknown>, "segment" | "salt">,
  salt: number,
): void {
  if (marker.salt === salt) return;
  throw new SetlistError(
    "INTERNAL",
    `${warehouse} holds segment ${marker.segment} of another log: give each log a data directory of its own, or move the folder away`,
  );
}
