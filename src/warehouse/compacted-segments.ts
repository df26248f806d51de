import { markedSegments } from "../columnar/marker.ts";

/**
 * The segments that are compacted already. By itself, without DuckDB, whose library a server that only asks this should
 * not load.
 */
export function compactedSegments(warehouse: string): Promise<ReadonlySet<string>> {
  return markedSegments(warehouse);
}
