import type { AppliedValueModel, ScoreExplanation } from "../domain/explanation.ts";
import type { Slot } from "../domain/interleaving.ts";
import type { RankedItem } from "../domain/rank.ts";
import { type Coin, type Pick, teamDraft } from "./interleave.ts";
import { explainList, itemAt, type RankedList } from "./ranked-list.ts";

/** Two lists drafted into one. */
export interface InterleavedList {
  readonly items: readonly RankedItem[];
  /** One an item, in their order. */
  readonly slots: readonly Slot[];
  readonly picks: readonly Pick[];
}

/**
 * Drafts two arms' lists of the same candidates into one as long as they are; an item has the score and the tasks that
 * the arm which picked it gave it.
 * @param teams the arms' names.
 */
export function interleaveLists(
  lists: readonly [RankedList, RankedList],
  teams: readonly [string, string],
  coin: Coin,
): InterleavedList {
  const picks = teamDraft([lists[0].order, lists[1].order], coin);
  return {
    picks,
    items: picks.map(({ place, team }, at) => itemAt(lists[team], place, at + 1)),
    slots: picks.map(({ team, competitive }) => ({ team: teams[team], competitive })),
  };
}

/** What orders each list, and how each item came by the score that it brought from its own. */
export function explainInterleaving(
  lists: readonly [RankedList, RankedList],
  { picks }: InterleavedList,
): {
  readonly applied: readonly [AppliedValueModel, AppliedValueModel];
  readonly items: readonly (ScoreExplanation | undefined)[];
} {
  const explained = [explainList(lists[0]), explainList(lists[1])] as const;
  return { applied: explained, items: picks.map(({ team, rank }) => explained[team].items[rank]) };
}
