/** The path of one rank request and of one outcome batch; both transports call this and nothing else. */
import type { Assignment, Decision } from "../domain/assignment.ts";
import { SetlistError } from "../domain/error.ts";
import type { DeclaredAttributes } from "../domain/feature.ts";
import type { Limits } from "../domain/limits.ts";
import type { OutcomeReceipt } from "../domain/outcome.ts";
import type { RankAnswer } from "../domain/rank.ts";
import type { RequestFacts } from "../experiments/experiments.ts";
import { checkAttributes } from "./attributes.ts";
import type { ConcurrencyLimit } from "./concurrency-limit.ts";
import { checkId } from "./id.ts";
import { parseOutcomes } from "./outcome-batch.ts";
import { type RankDependencies, rank, type Surface } from "./rank.ts";
import { parseRankRequest, type WireRankRequest } from "./rank-request.ts";

export { wireOutcomeSchema } from "./outcome-batch.ts";
export type { WireRankRequest } from "./rank-request.ts";

export interface Serving {
  /** Whether one more rank request would be taken now: a transport that can tell beforehand need not read it. */
  hasRoom(): boolean;
  /** One was turned away for that, which took so long. */
  refused(tookMs: number): void;
  /**
   * @param wire what the transport decoded: right in its types, not yet in its meaning.
   * @param receivedAt monotonic ms at which the request arrived.
   * @param transportTimeoutMs the transport's own deadline (`grpc-timeout`); the least of all deadlines counts.
   * @param signal aborted where nobody waits for the answer any more: then nothing is logged as shown.
   * @throws {SetlistError} INVALID_ARGUMENT, also for an unknown surface; RESOURCE_EXHAUSTED where there is no room. A
   *   fault that has a fallback never throws: the answer then says `degraded`. Anything, once the signal is aborted.
   */
  rank(
    wire: WireRankRequest,
    receivedAt: number,
    transportTimeoutMs?: number,
    signal?: AbortSignal,
  ): Promise<RankAnswer>;
  /**
   * Each outcome is checked on its own: a wrong one is rejected by its index and the rest are taken.
   * Resolves once every accepted outcome is on the disk and synced.
   * @throws {SetlistError} INVALID_ARGUMENT where the batch itself is wrong (too many), UNAVAILABLE where the disk refuses.
   */
  recordOutcomes(outcomes: readonly unknown[]): Promise<OutcomeReceipt>;
  /**
   * What a user gets on every surface, and why not where it gets nothing.
   * @throws {SetlistError} INVALID_ARGUMENT for an id that is none, too many attributes, or one of another type than it
   *   is declared.
   */
  assignments(
    unit: string,
    facts: RequestFacts,
  ): { assignments: readonly Assignment[]; decisions: readonly Decision[] };
}

export interface ServingDependencies extends RankDependencies {
  readonly concurrency: ConcurrencyLimit;
  readonly limits: Limits;
  /** Undefined where attributes may be anything. */
  readonly attributes?: DeclaredAttributes | undefined;
  readonly newRequestId: () => string;
}

/** The same for all, made once: a stack for each would be one more thing to do for a server that has too much to do. */
export const tooManyRequests = new SetlistError(
  "RESOURCE_EXHAUSTED",
  "more rank requests come than can be answered in time",
  { retryAfterSeconds: 1 },
);

export function createServing(deps: ServingDependencies): Serving {
  const rules = {
    limits: deps.limits,
    surfaces: [...deps.surfaces.keys()],
    attributes: deps.attributes,
    newRequestId: deps.newRequestId,
  };
  const { clock, concurrency } = deps;
  return {
    refused: (tookMs) => concurrency.refused(tookMs),
    hasRoom: () => !concurrency.isReached(),

    async rank(wire, receivedAt, transportTimeoutMs = Number.POSITIVE_INFINITY, signal) {
      if (concurrency.isReached()) throw tooManyRequests;
      const request = parseRankRequest(wire, rules);
      const surface = deps.surfaces.get(request.surface) as Surface;
      const timeoutMs = Math.min(request.timeoutMs ?? surface.timeoutMs, transportTimeoutMs);
      // Not since its arrival: a body that a slow network took its time to bring is no sign of overload.
      const since = concurrency.begin();
      deps.shadows?.begin();
      try {
        return await rank(request, surface, receivedAt + timeoutMs, deps, signal);
      } finally {
        concurrency.end(since);
        deps.shadows?.end();
      }
    },

    async recordOutcomes(batch) {
      const { outcomes, rejected } = parseOutcomes(batch, clock.now(), deps.limits);
      const appended =
        outcomes.length === 0
          ? { accepted: 0, duplicates: 0, unmatched: 0 }
          : await deps.log.appendOutcomes(outcomes);
      const { accepted, duplicates, unmatched } = appended;
      deps.observer.outcomes(accepted, duplicates, rejected.length, unmatched);
      return { accepted, duplicates, rejected };
    },

    assignments(unit, facts) {
      const { limits, attributes } = deps;
      checkId(unit, "unit", limits);
      if (facts.session !== undefined) checkId(facts.session, "session.id", limits);
      if (facts.request !== undefined) checkId(facts.request, "requestId", limits);
      checkAttributes(facts.user, "attributes.user", limits, attributes?.user);
      checkAttributes(facts.context, "attributes.context", limits, attributes?.context);
      const assigner = deps.assigner();
      return {
        assignments: rules.surfaces.flatMap((surface) => assigner.assign(surface, unit, facts)),
        decisions: assigner.explain(undefined, unit, facts),
      };
    },
  };
}
