import type { ItemLabels } from "../domain/feature-store.ts";
import { labelOf } from "../domain/item-label.ts";
import type { DiversityStep } from "../domain/model.ts";
import type { Candidate, CandidateList } from "../domain/rank.ts";
import type { Labels } from "../ranking/ranking.ts";

export interface DiversityLabels {
  /** One an entry of the value model's `diversity`. */
  readonly labels: readonly Labels[];
  /** What the store said where it could not be asked: what the request did not bring has no label then. */
  readonly storeError: unknown;
}

/**
 * Each candidate's label for each step: from the request's own features, else from the store. Never rejects, so that
 * it can be begun before the scores are there.
 */
export async function diversityLabels(
  steps: readonly DiversityStep[],
  candidates: CandidateList,
  store: ItemLabels | undefined,
): Promise<DiversityLabels> {
  let storeError: unknown;
  const labels: Labels[] = [];
  for (const { by } of steps) {
    const found: (string | undefined)[] = new Array(candidates.length);
    const strangers: number[] = [];
    for (let place = 0; place < candidates.length; place++) {
      found[place] = labelOf(candidates.at(place)?.features?.[by]);
      if (found[place] === undefined) strangers.push(place);
    }
    labels.push(found);
    if (store === undefined || strangers.length === 0) continue;
    try {
      const ids = strangers.map((place) => (candidates.at(place) as Candidate).id);
      const stored = await store.labels(by, ids);
      for (const [index, place] of strangers.entries()) found[place] = stored[index];
    } catch (error) {
      storeError = error;
    }
  }
  return { labels, storeError };
}
