/** The append-only log of what was shown and what came of it; docs/outcome-log-format.md has bytes and promises. */

export { logIdentity } from "./log-identity.ts";
export { serveLog } from "./log-service.ts";
export { openLogTail } from "./log-tail.ts";
export { type OpenedOutcomeLog, type OutcomeLogOptions, openOutcomeLog } from "./outcome-log.ts";
export { PseudonymousLog } from "./pseudonymous-log.ts";
export { readLog, readLogBatches } from "./read-log.ts";
export { RemoteLog } from "./remote-log.ts";
export { type LogSalvage, type SegmentLoss, salvageLog, unfinishedLog } from "./salvage-log.ts";
export { logSegments, sealedSegments } from "./sealed-segments.ts";
export { type LogVerification, verifyLog } from "./verify-log.ts";
