import type { ApiAnswer, ApiClient } from "./api-client.ts";

/** One outcome as `POST /v1/outcomes` takes it. */
export interface WireOutcome {
  readonly outcomeId: string;
  readonly requestId: string;
  readonly itemId: string;
  readonly type: string;
  readonly value: number;
  readonly occurredAt: string;
}

export interface SentOutcomes {
  /** Acknowledged as new. */
  readonly accepted: number;
  /** Acknowledged as known already: sent again after an answer that never arrived. */
  readonly duplicates: number;
  readonly rejected: number;
  /** Never acknowledged, however often sent. */
  readonly lost: number;
  readonly batches: number;
}

export interface OutcomeSender {
  /** Takes outcomes to be sent. Resolves at once, or, where too many wait already, once there is room again. */
  send(outcomes: readonly WireOutcome[]): Promise<void>;
  /** Sends what waits and resolves once everything was answered or given up. */
  flush(): Promise<SentOutcomes>;
}

/** Outcomes of one batch: far under the server's 1,000, enough that one sync of its disk serves many. */
const batchOutcomes = 200;
/** So many waiting outcomes that whoever makes them has to wait. */
const waitingOutcomesMax = 4 * batchOutcomes;

/** Batches outcomes from many visits, one batch in flight at a time; a batch is sent again until acknowledged. */
export function createOutcomeSender(client: ApiClient): OutcomeSender {
  const waiting: WireOutcome[] = [];
  const sent = { accepted: 0, duplicates: 0, rejected: 0, lost: 0, batches: 0 };
  let sending: Promise<void> | undefined;

  async function sendWaiting(smallest: number): Promise<void> {
    while (waiting.length >= Math.max(smallest, 1)) {
      const batch = waiting.splice(0, batchOutcomes);
      count(
        batch.length,
        await client.postPatiently("/v1/outcomes", { outcomes: batch }).catch(() => undefined),
      );
    }
  }

  function count(size: number, answer: ApiAnswer | undefined): void {
    sent.batches++;
    if (answer?.status !== 200) {
      sent.lost += size;
      return;
    }
    const receipt = answer.body as { accepted: number; duplicates: number; rejected: unknown[] };
    sent.accepted += receipt.accepted;
    sent.duplicates += receipt.duplicates;
    sent.rejected += receipt.rejected.length;
  }

  function start(smallest: number): Promise<void> {
    sending ??= sendWaiting(smallest).finally(() => {
      sending = undefined;
    });
    return sending;
  }

  return {
    async send(outcomes) {
      waiting.push(...outcomes);
      if (waiting.length < batchOutcomes) return;
      const room = start(batchOutcomes);
      if (waiting.length >= waitingOutcomesMax) await room;
    },
    async flush() {
      while (sending !== undefined || waiting.length > 0) await start(1);
      return sent;
    },
  };
}
