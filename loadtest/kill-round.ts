import { setTimeout as sleep } from "node:timers/promises";
import type { ServerProcess } from "../src/app/server-process.ts";
import { createApiClient } from "../src/simulation/api-client.ts";
import type { Book } from "./book.ts";
import type { RankRequestBody } from "./rank-requests.ts";

/** Outcomes whose fate is unknown: the server died before it answered. They are sent again to the next one. */
export type Unacknowledged = object & { readonly outcomeId: string };

export interface KillRound {
  readonly server: ServerProcess;
  readonly book: Book;
  /** Prefix of this round's ids. */
  readonly name: string;
  readonly bodies: readonly RankRequestBody[];
  readonly clients: number;
  readonly killAfterMs: number;
  readonly resend: readonly Unacknowledged[];
}

export interface KillRoundResult {
  readonly answered: number;
  readonly acknowledged: number;
  /** Rank requests and outcomes that were under way at the end. */
  readonly cutOff: number;
  readonly unacknowledged: readonly Unacknowledged[];
}

/**
 * Ranks and reports from `clients` clients at once, then kills the server without warning in the middle of it. What
 * was answered by then stands in the book.
 */
export async function runKillRound(round: KillRound): Promise<KillRoundResult> {
  const { server, book, name, bodies } = round;
  const url = `http://127.0.0.1:${server.httpPort}`;
  const client = createApiClient({ url, connectionsMax: round.clients });
  const before = { answered: book.answeredCount, acknowledged: book.acknowledgedCount };
  const unacknowledged: Unacknowledged[] = [];
  let alive = true;
  let cutOff = 0;
  let number = 0;

  async function report(outcomes: readonly Unacknowledged[]): Promise<void> {
    if (outcomes.length === 0) return;
    const ids = outcomes.map(({ outcomeId }) => outcomeId);
    book.sent(ids);
    try {
      const { status } = await client.post("/v1/outcomes", { outcomes });
      if (status === 200) book.acknowledged(ids);
      else unacknowledged.push(...outcomes);
    } catch {
      cutOff++;
      unacknowledged.push(...outcomes);
    }
  }

  async function rank(): Promise<void> {
    const requestId = `${name}-${number++}`;
    const body = { ...bodies[number % bodies.length], requestId };
    book.asked(requestId);
    try {
      const { status, body: answer } = await client.post("/v1/rank", body);
      if (status !== 200) return;
      book.answered(requestId);
      const items = (answer as { items: { id: string }[] }).items.slice(0, 3);
      await report(
        items.map(({ id }) => ({ outcomeId: `${requestId}-${id}`, requestId, itemId: id, type: "click" })),
      );
    } catch {
      cutOff++;
    }
  }

  async function work(): Promise<void> {
    while (alive) await rank();
  }

  const clients = [report(round.resend), ...Array.from({ length: round.clients }, work)];
  await sleep(round.killAfterMs);
  const killed = server.kill();
  alive = false;
  await Promise.all([killed, ...clients]);
  client.close();
  return {
    answered: book.answeredCount - before.answered,
    acknowledged: book.acknowledgedCount - before.acknowledged,
    cutOff,
    unacknowledged,
  };
}
