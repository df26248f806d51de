import type { Assignment } from "../domain/assignment.ts";
import type { Impression } from "../domain/impression.ts";
import type { OutcomeLog } from "../domain/outcome-log.ts";
import type { RankAnswer, RankRequest } from "../domain/rank.ts";
import type { StickyArms } from "../domain/sticky-arms.ts";
import type { Surface, Surfaces } from "../domain/surface.ts";
import type { Assigner } from "../experiments/experiments.ts";
import type { ArmTraffic } from "./arm-traffic.ts";
import { splitAtLimit, withLongerLimit } from "./beyond-limit.ts";
import { draftOf } from "./draft.ts";
import { type InterleavedOrder, interleavedOrder } from "./interleaved-order.ts";
import { type OrderDependencies, type Ordered, order } from "./order.ts";
import { otherArms } from "./other-arms.ts";
import { rankerOf } from "./ranker.ts";
import type { RecentRequests } from "./recent-requests.ts";
import { isInShare } from "./request-share.ts";
import { sentAttributes } from "./sent-attributes.ts";
import { sentFeatures } from "./sent-features.ts";
import { servedFeatures } from "./served-features.ts";
import type { Shadows } from "./shadows.ts";

export interface RankDependencies extends OrderDependencies {
  readonly surfaces: Surfaces;
  readonly assigner: () => Assigner;
  readonly log: OutcomeLog;
  /** Keeps the arms of sticky experiments once they are shown; without it none is kept. */
  readonly sticky?: Pick<StickyArms, "keep"> | undefined;
  /** Is shown every request that was answered. */
  readonly recent?: Pick<RecentRequests, "note"> | undefined;
  /** Counts what becomes of the requests of arms, for guardrails. */
  readonly armTraffic?: Pick<ArmTraffic, "answered" | "failed"> | undefined;
  /** Scores answered requests once more: the shares of surfaces' shadow models and of experiments' other arms. */
  readonly shadows?: Shadows | undefined;
  /** How many of the candidates that the limit keeps out are logged; none where undefined. */
  readonly candidatesBeyondLimit?: number | undefined;
}

/**
 * One rank request, from the door to the log: assign, features, score, order, record.
 * @param deadline monotonic ms.
 * @param signal aborted where nobody waits for the answer any more: it then stops at the next step and throws.
 * @throws {SetlistError} INVALID_ARGUMENT where an inline feature does not fit the model. Every other fault has a
 *   fallback, in the worst case the order in which the candidates came.
 */
export async function rank(
  request: RankRequest,
  surface: Surface,
  deadline: number,
  deps: RankDependencies,
  signal?: AbortSignal,
): Promise<RankAnswer> {
  const { clock, observer } = deps;
  const began = clock.monotonic();
  const assigner = deps.assigner();
  const facts = {
    user: request.user.attributes,
    context: request.context.attributes,
    session: request.sessionId,
    request: request.requestId,
  };
  const assignments = assigner.assign(request.surface, request.user.id, facts);
  const assigned = clock.monotonic();

  const [acted] = exposures(assignments);
  const draft = acted === undefined ? undefined : draftOf(assigner.experimentOf(acted), acted, surface);
  const hasArm = acted !== undefined && draft === undefined;
  const ranker = rankerOf(hasArm ? assigner.armOf(acted) : undefined, surface);
  const longer = withLongerLimit(request, deps.candidatesBeyondLimit ?? 0);
  let all: Ordered & Partial<InterleavedOrder>;
  try {
    all =
      draft === undefined
        ? await order(longer, ranker, deadline, deps, signal)
        : await interleavedOrder(longer, draft, deadline, deps, signal);
  } catch (error) {
    if (acted !== undefined && signal?.aborted !== true) {
      deps.armTraffic?.failed(assigner.experimentOf(acted), acted);
    }
    throw error;
  }
  signal?.throwIfAborted();
  const { ordered, beyondLimit } = splitAtLimit(all, request.limit);
  const answer: RankAnswer = {
    requestId: request.requestId,
    surface: request.surface,
    items: ordered.items,
    assignments,
    model: ordered.model && { name: ordered.model.name, version: ordered.model.version },
    degraded: ordered.degraded,
    timings: { assign: assigned - began, ...ordered.timings },
    decisions: request.explain ? assigner.explain(request.surface, request.user.id, facts) : undefined,
    explanation: ordered.explanation,
    interleaving: ordered.interleavingExplanation,
  };

  const { interleaving, seen } = ordered;
  const served = seen && servedFeatures(seen, request.candidates, all.items);
  const impression = impressionOf(request, answer, { interleaving, beyondLimit, served }, clock.now());
  for (const shown of impression.assignments) {
    if (assigner.isToBeKept(shown)) deps.sticky?.keep(shown);
  }
  try {
    await deps.log.appendImpression(impression);
  } catch (error) {
    observer.impressionDropped(request.requestId, error);
  }
  observer.ranked(impression);
  if (acted !== undefined && deps.armTraffic !== undefined) {
    const tookMs = clock.monotonic() - began;
    deps.armTraffic.answered(assigner.experimentOf(acted), acted, impression, tookMs);
  }
  deps.recent?.note(request);
  const { shadow } = surface;
  if (shadow !== undefined && isInShare(shadow.share, request.requestId)) {
    const { surface, arm } = ranker;
    deps.shadows?.offer({ request, shadow, served: ordered.scored, surface, arm });
  }
  if (acted !== undefined) {
    const answered = { request, served: ordered.scored, surface: surface.valueModel };
    for (const other of otherArms(assigner.experimentOf(acted), acted, answered)) deps.shadows?.offer(other);
  }
  return answer;
}

/**
 * The assignments that were acted on: every arm names a model and a request has one, so where layers of one surface
 * both assign an arm, only the first one's was. The others were computed and are in the answer, but they are no exposures.
 */
function exposures(assignments: readonly Assignment[]): readonly Assignment[] {
  return assignments.slice(0, 1);
}

function impressionOf(
  request: RankRequest,
  answer: RankAnswer,
  details: Pick<Impression, "interleaving" | "beyondLimit" | "served">,
  at: number,
): Impression {
  return {
    kind: "impression",
    requestId: request.requestId,
    at,
    surface: request.surface,
    userId: request.user.id,
    assignments: exposures(answer.assignments),
    model: answer.model,
    degraded: answer.degraded,
    timings: answer.timings,
    candidateCount: request.candidates.length,
    items: answer.items,
    sent: sentFeatures(request, answer.items),
    attributes: sentAttributes(request.user.attributes, request.context.attributes),
    ...details,
  };
}
