import { invalidArgument } from "../domain/error.ts";
import type { RankAnswer } from "../domain/rank.ts";
import { serverTiming } from "../serving/answer-headers.ts";
import type { WireRankRequest } from "../serving/serving.ts";
import type { GrpcContext } from "./context.ts";
import type { Call } from "./unary.ts";
import {
  type AttributeValueMessage,
  attributesOf,
  type FeatureValueMessage,
  featuresOf,
} from "./value-codec.ts";

interface EntityMessage {
  readonly attributes: Readonly<Record<string, AttributeValueMessage>>;
  readonly features: Readonly<Record<string, FeatureValueMessage>>;
}

/** `setlist.v1.RankRequest` as proto-loader hands it over. */
interface RankRequestMessage {
  readonly requestId?: string;
  readonly surface: string;
  readonly user: (EntityMessage & { readonly id: string }) | null;
  readonly context: EntityMessage | null;
  readonly candidates: readonly {
    readonly id: string;
    readonly features: Readonly<Record<string, FeatureValueMessage>>;
  }[];
  readonly candidateIds: readonly string[];
  readonly limit?: number;
  readonly timeoutMs?: number;
  readonly explain: boolean;
}

/** RankingService/Rank. */
export async function rank({ serving }: GrpcContext, message: unknown, call: Call): Promise<object> {
  const request = message as RankRequestMessage;
  if (request.requestId !== undefined) call.named(request.requestId);
  const wire = { ...wireOf(request), requestId: request.requestId ?? call.requestId };
  const answer = await serving.rank(wire, call.receivedAt, call.timeoutMs);
  call.trailer.set("server-timing", serverTiming(answer.timings));
  return responseOf(answer);
}

/** What is empty in protobuf is absent: there is no difference on the wire. */
function wireOf(message: RankRequestMessage): WireRankRequest {
  const { user, context, candidates, candidateIds } = message;
  if (message.surface === "") throw invalidArgument("surface: expected, but missing");
  if (user === null) throw invalidArgument("user: expected, but missing");
  return {
    surface: message.surface,
    user: {
      id: user.id,
      attributes: attributesOf(user.attributes, "user.attributes"),
      features: featuresOf(user.features, "user.features"),
    },
    context:
      context === null
        ? undefined
        : {
            attributes: attributesOf(context.attributes, "context.attributes"),
            features: featuresOf(context.features, "context.features"),
          },
    candidates:
      candidates.length === 0
        ? undefined
        : candidates.map(({ id, features }, index) => ({
            id,
            features: featuresOf(features, `candidates[${index}].features`),
          })),
    candidateIds: candidateIds.length === 0 ? undefined : candidateIds,
    limit: message.limit,
    timeoutMs: message.timeoutMs,
    explain: message.explain,
  };
}

function responseOf(answer: RankAnswer): object {
  return {
    requestId: answer.requestId,
    surface: answer.surface,
    items: answer.items,
    assignments: answer.assignments.map(({ experiment, arm, layer }) => ({ experiment, arm, layer })),
    model: answer.model,
    degraded: answer.degraded,
    decisions: answer.decisions,
  };
}
