import type { Candidate, CandidateList, RankedItem, RankRequest } from "../domain/rank.ts";

/** The same request for its first `count` candidates; itself where it has no more. */
export function reducedRequest(request: RankRequest, count: number): RankRequest {
  if (request.candidates.length <= count) return request;
  return {
    ...request,
    candidates: new FirstCandidates(request.candidates, count),
    idBytes: request.idBytes?.first(count),
  };
}

class FirstCandidates implements CandidateList {
  readonly #all: CandidateList;
  readonly length: number;

  constructor(all: CandidateList, count: number) {
    this.#all = all;
    this.length = count;
  }

  at(place: number): Candidate | undefined {
    return place < this.length ? this.#all.at(place) : undefined;
  }

  *[Symbol.iterator](): Iterator<Candidate> {
    for (let place = 0; place < this.length; place++) yield this.#all.at(place) as Candidate;
  }
}

/**
 * The ranked items, and behind them those that were not scored, in their order, as far as `limit` reaches. Their score is
 * 0, or the last ranked item's where that is less: no score is above one that stands before it.
 */
export function withUnscored(
  ranked: readonly RankedItem[],
  { candidates, limit }: RankRequest,
  scored: number,
): readonly RankedItem[] {
  const count = Math.min(limit ?? candidates.length, candidates.length);
  const items = [...ranked];
  const score = Math.min(0, ranked.at(-1)?.score ?? 0);
  for (let place = scored; items.length < count; place++) {
    const { id } = candidates.at(place) as Candidate;
    items.push({ id, position: items.length + 1, score, tasks: noTasks });
  }
  return items;
}

const noTasks: RankedItem["tasks"] = Object.freeze({});
