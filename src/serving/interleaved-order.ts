import type { AppliedValueModel } from "../domain/explanation.ts";
import type { InterleavedArm, Interleaving, InterleavingExplanation, Slot } from "../domain/interleaving.ts";
import type { RankedItem, RankRequest } from "../domain/rank.ts";
import {
  coinOf,
  explainInterleaving,
  explainList,
  incomingOrder,
  interleaveLists,
  itemsOf,
  type RankedList,
} from "../ranking/ranking.ts";
import { type ArmPart, allSeen, allShortcomings, armParts, sideBySide } from "./arm-parts.ts";
import type { Draft } from "./draft.ts";
import type { OrderDependencies, Ordered } from "./order.ts";
import { reducedRequest, withUnscored } from "./reduced-request.ts";

export interface InterleavedOrder extends Omit<Ordered, "scored"> {
  /** Undefined where an arm had no list. */
  readonly interleaving?: Interleaving | undefined;
  readonly interleavingExplanation?: InterleavingExplanation | undefined;
}

/**
 * Both arms' scores side by side, and a draft of their lists. Where one has none, for whatever reason, the other's alone
 * is the order; where neither has, the order of arrival.
 * @throws {SetlistError} INVALID_ARGUMENT where an inline feature does not fit one of the models.
 */
export async function interleavedOrder(
  request: RankRequest,
  draft: Draft,
  deadline: number,
  deps: OrderDependencies,
  signal: AbortSignal | undefined,
): Promise<InterleavedOrder> {
  const scored = reducedRequest(request, deps.scorer.candidatesMax());
  const parts = await armParts(scored, draft.rankers, deadline, deps, signal);
  const mark = deps.clock.monotonic();
  const made = orderOf(request, scored.candidates.length, draft, parts);
  return { ...made, timings: { ...sideBySide(parts), rank: deps.clock.monotonic() - mark } };
}

function orderOf(
  request: RankRequest,
  scoredCount: number,
  draft: Draft,
  parts: readonly [ArmPart, ArmPart],
): Omit<InterleavedOrder, "timings"> {
  const degraded = allShortcomings(parts);
  const [first, second] = [parts[0].list, parts[1].list];
  const list = first ?? second;
  if (list === undefined) {
    return { items: incomingOrder(request.candidates, request.limit), model: undefined, degraded };
  }
  const left = request.candidates.length - scoredCount;
  if (left > 0) degraded.push(`truncated:${left}`);
  const whole = (items: readonly RankedItem[]): readonly RankedItem[] =>
    left === 0 ? items : withUnscored(items, request, scoredCount);

  if (first === undefined || second === undefined) {
    degraded.push("one-arm");
    const explanation = request.explain ? explainList(list) : undefined;
    const seen = allSeen(parts);
    return { items: whole(itemsOf(list)), model: list.input.model, degraded, explanation, seen };
  }
  const id = request.interleaveId ?? request.requestId;
  const lists = [first, second] as const;
  const drafted = interleaveLists(lists, draft.teams, coinOf(`interleave:${draft.salt}:${draft.unit}:${id}`));
  const items = whole(drafted.items);
  const interleaving: Interleaving = {
    id,
    arms: [armOf(draft.teams[0], first), armOf(draft.teams[1], second)],
    slots: items.map((_, at) => drafted.slots[at] ?? nobodys),
  };
  return {
    items,
    model: lists[draft.control].input.model,
    degraded,
    seen: allSeen(parts),
    interleaving,
    interleavingExplanation: request.explain
      ? explanationOf(interleaving, explainInterleaving(lists, drafted))
      : undefined,
  };
}

function explanationOf(
  interleaving: Interleaving,
  { applied, items }: ReturnType<typeof explainInterleaving>,
): InterleavingExplanation {
  const { arms, slots } = interleaving;
  const explained = (
    arm: InterleavedArm,
    { valueModel, origin }: AppliedValueModel,
  ): InterleavedArm & AppliedValueModel => ({ ...arm, valueModel, origin });
  return {
    ...interleaving,
    arms: [explained(arms[0], applied[0]), explained(arms[1], applied[1])],
    items: slots.map((_, at) => items[at]),
  };
}

function armOf(arm: string, { input }: RankedList): InterleavedArm {
  const { name, version } = input.model;
  return { arm, model: { name, version } };
}

/** Of what stands behind the draft, since no model scored it. */
const nobodys: Slot = { team: undefined, competitive: false };
