import { httpTarget } from "./http-target.ts";
import { drawRankRequests, httpRankRequests } from "./rank-requests.ts";
import { worldSize } from "./world-size.ts";

/** What a server ranked: the items that it shows, best first. */
export interface RankedItem {
  readonly id: string;
  readonly score: number;
}

const requests = 20;
/** Kernels of two builds differ in the last bits of a float32. */
const scoreDifferenceMax = 1e-5;

/**
 * Asks two servers the same and compares what they answer: a comparison of servers that do different work says nothing.
 * @throws {Error} naming the first difference.
 */
export async function checkSameAnswers(oneUrl: string, otherUrl: string): Promise<void> {
  const shape = { ...worldSize(), seed: 1, surface: "home", candidates: 200, limit: 20 };
  const bodies = drawRankRequests(shape, requests);
  const [one = [], other = []] = await Promise.all([oneUrl, otherUrl].map((url) => answersOf(url, bodies)));
  for (const [request, items] of one.entries()) {
    const difference = differenceOf(items, other[request] ?? []);
    if (difference !== undefined)
      throw new Error(`${oneUrl} and ${otherUrl}, request ${request}: ${difference}`);
  }
}

/** In words; undefined where both show the same items in the same order, those of equal scores in any. */
export function differenceOf(one: readonly RankedItem[], other: readonly RankedItem[]): string | undefined {
  if (one.length !== other.length) return `${one.length} items and ${other.length}`;
  const scores = new Map(other.map(({ id, score }) => [id, score]));
  for (const [place, { id, score }] of one.entries()) {
    const there = other[place] as RankedItem;
    if (Math.abs(there.score - score) > scoreDifferenceMax) {
      return `place ${place}: ${id} with ${score}, ${there.id} with ${there.score}`;
    }
    const same = scores.get(id);
    // An item that is missing there must have had an equal at the end of the list.
    if (same === undefined ? place < one.length - 1 : Math.abs(same - score) > scoreDifferenceMax) {
      return `place ${place}: ${id} with ${score}, there with ${same}`;
    }
  }
  return undefined;
}

async function answersOf(
  url: string,
  bodies: ReturnType<typeof drawRankRequests>,
): Promise<readonly (readonly RankedItem[])[]> {
  const target = httpTarget(url, 1);
  const answers: (readonly RankedItem[])[] = [];
  for (const request of httpRankRequests(bodies, url)) {
    const { ok, code, body } = await target.send(request);
    if (!ok) throw new Error(`${url} answered with ${code}: ${body}`);
    answers.push((JSON.parse(body.toString()) as { items: RankedItem[] }).items);
  }
  target.close();
  return answers;
}
