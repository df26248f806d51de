import { postRequest } from "./http-connection.ts";
import { httpTarget } from "./http-target.ts";
import { protobufField } from "./protobuf-field.ts";
import type { Target } from "./target.ts";

const everyAnswer = 10;
const batchSize = 50;

/**
 * Wraps a target so that every tenth good answer is followed by a click on its first item, sent in batches
 * beside the load. `finish` sends the rest and says what was acknowledged.
 */
export function sendOutcomesBeside(
  ranks: Target,
  url: string,
): { target: Target; finish(): Promise<string> } {
  const { host } = new URL(url);
  const outcomes = httpTarget(url, 4);
  const underWay = new Set<Promise<void>>();
  let waiting: object[] = [];
  let answers = 0;
  let acknowledged = 0;
  let failed = 0;

  async function sendBatch(batch: object[]): Promise<void> {
    const answer = await outcomes.send(postRequest(host, "/v1/outcomes", { outcomes: batch }));
    if (answer.ok) acknowledged += batch.length;
    else failed += batch.length;
  }

  function flush(): void {
    if (waiting.length === 0) return;
    const sending = sendBatch(waiting).finally(() => underWay.delete(sending));
    underWay.add(sending);
    waiting = [];
  }

  return {
    target: {
      name: `${ranks.name}, with outcomes`,
      async send(request) {
        const answer = await ranks.send(request);
        if (answer.ok && answers++ % everyAnswer === 0) {
          const { requestId, itemId } = firstItemOf(answer.body);
          if (requestId !== undefined) {
            waiting.push({ outcomeId: `${requestId}-click`, requestId, itemId, type: "click", value: 1 });
          }
          if (waiting.length >= batchSize) flush();
        }
        return answer;
      },
      close() {
        ranks.close();
        outcomes.close();
      },
    },
    async finish() {
      flush();
      await Promise.all(underWay);
      return `outcomes: ${acknowledged} acknowledged, ${failed} failed`;
    },
  };
}

/** `request_id`, `items` of RankResponse and `id` of RankedItem in ranking.proto. */
const fields = { requestId: 1, items: 3, itemId: 1 };
const jsonStart = "{".charCodeAt(0);

/** Of an answer in JSON or protobuf, read no further than needed. */
function firstItemOf(body: Buffer): { requestId: string | undefined; itemId: string | undefined } {
  if (body[0] === jsonStart) {
    const start = body.toString("latin1", 0, 2_000);
    const [, requestId, itemId] = /"requestId":"([^"]+)".*?"items":\[\{"id":"([^"]+)"/s.exec(start) ?? [];
    return { requestId, itemId };
  }
  const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString();
  const item = protobufField(body, fields.items);
  return {
    requestId: text(protobufField(body, fields.requestId)),
    itemId: item && text(protobufField(item, fields.itemId)),
  };
}
