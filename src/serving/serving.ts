/** The path of one rank request and of one outcome batch; both transports call this and nothing else. */
import type { Assignment, Decision } from "../domain/assignment.ts";
import type { Attributes } from "../domain/feature.ts";
import type { OutcomeReceipt } from "../domain/outcome.ts";
import type { RankAnswer } from "../domain/rank.ts";
import type { WireRankRequest } from "./rank-request.ts";

export type { WireRankRequest } from "./rank-request.ts";

export interface Serving {
  /**
   * @param wire what the transport decoded: right in its types, not yet in its meaning.
   * @param receivedAt monotonic ms at which the request arrived.
   * @param transportTimeoutMs the transport's own deadline (`grpc-timeout`); the least of all deadlines counts.
   * @throws {SetlistError} INVALID_ARGUMENT, NOT_FOUND for an unknown surface. A fault that has a fallback
   *   never throws: the answer then says `degraded`.
   */
  rank(wire: WireRankRequest, receivedAt: number, transportTimeoutMs?: number): Promise<RankAnswer>;
  /**
   * Each outcome is checked on its own: a wrong one is rejected by its index and the rest are taken.
   * Resolves once every accepted outcome is on the disk and synced.
   * @throws {SetlistError} INVALID_ARGUMENT where the batch itself is wrong (too many), UNAVAILABLE where the disk refuses.
   */
  recordOutcomes(outcomes: readonly unknown[]): Promise<OutcomeReceipt>;
  /** What a unit gets on every surface, and why not where it gets nothing. */
  assignments(
    unit: string,
    attributes: { user: Attributes; context: Attributes },
  ): { assignments: readonly Assignment[]; decisions: readonly Decision[] };
}
