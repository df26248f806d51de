/** The path of one rank request, of one outcome batch and of one flag; both transports call this and nothing else. */
import type { Assignment, Decision } from "../domain/assignment.ts";
import { SetlistError } from "../domain/error.ts";
import type { DeclaredAttributes } from "../domain/feature.ts";
import type { FlagEvaluation } from "../domain/flag.ts";
import type { Limits } from "../domain/limits.ts";
import type { Outcome, OutcomeReceipt } from "../domain/outcome.ts";
import type { RankAnswer } from "../domain/rank.ts";
import type { Surface } from "../domain/surface.ts";
import type { RequestFacts } from "../experiments/experiments.ts";
import { checkAttributes } from "./attributes.ts";
import type { ConcurrencyLimit } from "./concurrency-limit.ts";
import { type EvaluationContext, parseEvaluationContext } from "./evaluation-context.ts";
import { evaluateFlag, evaluateFlags } from "./flags.ts";
import { checkId } from "./id.ts";
import { parseOutcomes } from "./outcome-batch.ts";
import { type RankDependencies, rank } from "./rank.ts";
import { parseRankRequest, type WireRankRequest } from "./rank-request.ts";
import { parseTrackingEvents } from "./tracking.ts";

export { TargetingKeyMissing } from "./evaluation-context.ts";
export { wireOutcomeSchema } from "./outcome-batch.ts";
export type { WireRankRequest } from "./rank-request.ts";
export { trackingEventSchema } from "./tracking.ts";

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
  /**
   * One experiment as OpenFeature's flag. Computed, not recorded: it is no exposure.
   * @param context OpenFeature's, as it came.
   * @throws {SetlistError} NOT_FOUND for an unknown key, `TargetingKeyMissing`, INVALID_ARGUMENT for another fault of the
   *   context, RESOURCE_EXHAUSTED while rank requests are refused.
   */
  evaluateFlag(key: string, context: unknown): FlagEvaluation;
  /** All of them. @throws {SetlistError} as `evaluateFlag`. */
  evaluateFlags(context: unknown): readonly FlagEvaluation[];
  /**
   * OpenFeature's tracked events: exposures, and outcomes of users. Each is checked on its own, and answered for, as by
   * `recordOutcomes`.
   * @throws {SetlistError} as `recordOutcomes`.
   */
  track(events: readonly unknown[]): Promise<OutcomeReceipt>;
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
  const { clock, concurrency, observer } = deps;
  const contextOf = (value: unknown): EvaluationContext => {
    // Whoever evaluates waits for the same thread: where rank requests would be late, so would this be.
    if (concurrency.isReached()) throw tooManyRequests;
    return parseEvaluationContext(value, "context", rules);
  };
  const append = async (outcomes: readonly Outcome[]) =>
    outcomes.length === 0 ? { accepted: 0, duplicates: 0, unmatched: 0 } : deps.log.appendOutcomes(outcomes);
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
      const { accepted, duplicates, unmatched } = await append(outcomes);
      observer.outcomes(accepted, duplicates, rejected.length, unmatched);
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

    evaluateFlag(key, context) {
      const flag = evaluateFlag(deps.assigner(), key, contextOf(context));
      observer.evaluated(flag.reason);
      return flag;
    },

    evaluateFlags(context) {
      const flags = evaluateFlags(deps.assigner(), contextOf(context));
      for (const { reason } of flags) observer.evaluated(reason);
      return flags;
    },

    async track(events) {
      const assigner = deps.assigner();
      const parsed = parseTrackingEvents(events, clock.now(), { ...rules, assigner });
      const { exposures, ofRequests, ofUsers, rejected } = parsed;
      const exposed = exposures.flatMap(({ assignments }) => assignments);
      for (const shown of exposed) if (assigner.isToBeKept(shown)) deps.sticky?.keep(shown);
      // Written ahead of the outcomes, whose sync then covers them.
      await Promise.all(exposures.map((impression) => deps.log.appendImpression(impression)));
      for (const assignment of exposed) observer.exposed(assignment);
      const [requests, users] = await Promise.all([append(ofRequests), append(ofUsers)]);
      const accepted = requests.accepted + users.accepted;
      const duplicates = requests.duplicates + users.duplicates;
      // A user's outcome answers no request, so that none can be missing.
      observer.outcomes(accepted, duplicates, rejected.length, requests.unmatched);
      return { accepted, duplicates, rejected };
    },
  };
}
