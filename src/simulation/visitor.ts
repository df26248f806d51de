import { setTimeout as sleep } from "node:timers/promises";
import { type ApiClient, isBusy } from "./api-client.ts";
import { drawActs } from "./behaviour.ts";
import type { OutcomeSender, WireOutcome } from "./outcome-sender.ts";
import type { Retrieval } from "./retrieval.ts";
import type { Tally } from "./tally.ts";
import { ask, rankBody, type Visit } from "./visit.ts";
import type { Truth, World } from "./world.ts";

export interface VisitorParts {
  readonly world: World;
  readonly truth: Truth;
  readonly retrieval: Retrieval;
  readonly client: ApiClient;
  readonly outcomes: OutcomeSender;
  readonly tally: Tally;
  readonly run: string;
  readonly limit: number;
}

/** Candidates of one visit: what a retrieval stage hands on. */
const candidateCounts = { min: 100, max: 200 };
/** Times that a ranking is asked for again where the server says that it is busy; then the listener has left. */
const rankAttemptsMax = 5;
/** After a broken connection, so that a server that restarts is not answered with a storm. */
const brokenWaitMs = 100;

interface RankAnswerBody {
  readonly items: readonly { readonly id: string }[];
  readonly degraded: readonly string[];
}

/** Walks one visit from the request to the outcomes. Never rejects over the server's faults: it counts them. */
export function createVisitor(parts: VisitorParts): { visit(visit: Visit): Promise<void> } {
  const { world, truth, client, tally } = parts;
  const rowOf = new Map(world.tracks.map((track, row) => [track.id, row]));

  /**
   * Busy answers are asked again. A broken connection is not: the server may have written the impression
   * already, and a second one under the same id would be a lie.
   */
  async function rank(body: object): Promise<RankAnswerBody | undefined> {
    for (let attempt = 1; ; attempt++) {
      const start = performance.now();
      try {
        const answer = await client.post("/v1/rank", body);
        if (answer.status === 200) {
          tally.ranked(performance.now() - start, (answer.body as RankAnswerBody).degraded);
          return answer.body as RankAnswerBody;
        }
        tally.failed(`HTTP ${answer.status}`, isBusy(answer.status) && attempt < rankAttemptsMax);
        if (!isBusy(answer.status) || attempt >= rankAttemptsMax) return undefined;
        await sleep(brokenWaitMs * attempt);
      } catch (error) {
        tally.failed((error as { code?: string }).code ?? (error as Error).message, false);
        await sleep(brokenWaitMs);
        return undefined;
      }
    }
  }

  return {
    async visit(visit) {
      const requestId = `${parts.run}-${visit.number}`;
      const asked = ask(world, parts.retrieval, visit, candidateCounts);
      const answer = await rank(rankBody(world, visit, asked, requestId, parts.limit));
      if (answer === undefined) return;
      const tracks = answer.items.map((item) => rowOf.get(item.id) ?? -1);
      const shown = { surface: visit.surface, listener: visit.listener, tracks, seedTrack: asked.seedTrack };
      const acts = drawActs(visit.surface, await truth(shown), visit.random);
      tally.shown(visit.surface, tracks.length, acts);
      const occurredAt = new Date().toISOString();
      const outcomes = acts.map(
        ({ place, type }): WireOutcome => ({
          outcomeId: `${requestId}-${place + 1}-${type}`,
          requestId,
          itemId: answer.items[place]?.id ?? "",
          type,
          value: 1,
          occurredAt,
        }),
      );
      await parts.outcomes.send(outcomes);
    },
  };
}
