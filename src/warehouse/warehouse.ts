/**
 * The log as Parquet: written once from sealed segments, and read together with what is not sealed yet;
 * docs/outcome-log-format.md has the layout.
 */
export { type Compaction, compactLog } from "./compact.ts";
export { withLogFiles } from "./log-files.ts";
export { markerCounts, type SegmentFacts, stageSegment } from "./segment-rows.ts";
