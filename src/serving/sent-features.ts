import type { Features } from "../domain/feature.ts";
import type { SentFeatures } from "../domain/impression.ts";
import type { RankedItem, RankRequest } from "../domain/rank.ts";

/** What a request sent inline, of its user, its context and the items that were ranked; undefined where nothing. */
export function sentFeatures(
  { user, context, candidates, idBytes }: RankRequest,
  ranked: readonly RankedItem[],
): SentFeatures | undefined {
  const items = idBytes === undefined ? itemFeatures(candidates, ranked) : undefined;
  const ofUser = orNothing(user.features);
  const ofContext = orNothing(context.features);
  if (items === undefined && ofUser === undefined && ofContext === undefined) return undefined;
  return {
    ...(ofUser && { user: ofUser }),
    ...(ofContext && { context: ofContext }),
    ...(items && { items }),
  };
}

function itemFeatures(
  candidates: RankRequest["candidates"],
  ranked: readonly RankedItem[],
): readonly (Features | undefined)[] | undefined {
  const sent = new Map<string, Features>();
  for (const candidate of candidates) {
    const some = orNothing(candidate.features);
    if (some !== undefined) sent.set(candidate.id, some);
  }
  if (sent.size === 0) return undefined;
  const items = ranked.map(({ id }) => sent.get(id));
  return items.some((features) => features !== undefined) ? items : undefined;
}

function orNothing(features: Features | undefined): Features | undefined {
  for (const _ in features) return features;
  return undefined;
}
