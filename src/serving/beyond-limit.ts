import type { RankedItem, RankRequest } from "../domain/rank.ts";
import type { InterleavedOrder } from "./interleaved-order.ts";
import type { Ordered } from "./order.ts";

type AnyOrder = Ordered & Partial<InterleavedOrder>;

/** The request with a limit that so many more candidates fit into; itself where it has none, or none are asked for. */
export function withLongerLimit(request: RankRequest, more: number): RankRequest {
  return request.limit === undefined || more === 0 ? request : { ...request, limit: request.limit + more };
}

/** The order of such a request, parted again: what `limit` lets out, and what came behind it. */
export function splitAtLimit(
  ordered: AnyOrder,
  limit: number | undefined,
): { readonly ordered: AnyOrder; readonly beyondLimit: readonly RankedItem[] | undefined } {
  const { items, explanation, interleaving, interleavingExplanation } = ordered;
  if (limit === undefined || items.length <= limit) return { ordered, beyondLimit: undefined };
  return {
    beyondLimit: items.slice(limit),
    ordered: {
      ...ordered,
      items: items.slice(0, limit),
      explanation: explanation && { ...explanation, items: explanation.items.slice(0, limit) },
      interleaving: interleaving && { ...interleaving, slots: interleaving.slots.slice(0, limit) },
      interleavingExplanation: interleavingExplanation && {
        ...interleavingExplanation,
        slots: interleavingExplanation.slots.slice(0, limit),
        items: interleavingExplanation.items.slice(0, limit),
      },
    },
  };
}
