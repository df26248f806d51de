import { grpcTarget } from "../grpc-target.ts";
import { httpTarget } from "../http-target.ts";
import { drawRankRequests } from "../rank-requests.ts";
import { type Answer, noAnswer, type Target } from "../target.ts";
import { worldSize } from "../world-size.ts";
import type { Ledger } from "./ledger.ts";
import type { NumberedBook } from "./numbered-book.ts";
import {
  codeOf,
  type Door,
  outcomesRequest,
  type RankTemplate,
  rankTemplate,
  readOutcomesAnswer,
  readRankAnswer,
  withRequestId,
} from "./wire.ts";

export interface MixedLoadOptions {
  readonly url: string;
  readonly grpcAddress: string;
  readonly seed: number;
  readonly candidates: number;
  readonly limit: number;
  readonly ledger: Ledger;
  readonly impressions: NumberedBook;
  readonly outcomes: NumberedBook;
}

export interface MixedLoad {
  readonly target: Target;
  /** For `Load.requests`: places in what is sent, both doors and both surfaces in turns. */
  readonly requests: readonly Buffer[];
  /** Sends the outcomes that wait, and returns once all are answered. */
  finish(): Promise<void>;
}

/** Of five requests one is the radio's; every second one goes over gRPC. */
const radioEvery = 5;
const templates = 2_000;
/** A click on the first item of every so many-th answer, and a completion of every third of those. */
const clickEvery = 5;
const completionEvery = 15;
const batchSize = 50;
/** Every so many-th batch is sent again, as by a client that missed the answer. */
const repeatEvery = 20;
const connections = 64;
const grpcConnections = 8;

/**
 * Rank requests under ids of our own over both doors, and outcomes of their answers in batches beside them. What is
 * answered is entered into the ledger, and into the books of what must be in the log.
 */
export function createMixedLoad(options: MixedLoadOptions): MixedLoad {
  const { url, grpcAddress, ledger, impressions, outcomes } = options;
  const { host } = new URL(url);
  const doors: Record<
    Door,
    { ranks: Target; outcomes: Target; route: (http: string, grpc: string) => string }
  > = {
    http: {
      ranks: httpTarget(url, connections),
      outcomes: httpTarget(url, 4),
      route: (http) => `http ${http}`,
    },
    grpc: {
      ranks: grpcTarget(grpcAddress, grpcConnections),
      outcomes: grpcTarget(grpcAddress, 1, "/setlist.v1.OutcomeService/Record"),
      route: (_, grpc) => `grpc ${grpc}`,
    },
  };
  const made = new Map(madeTemplates(options).map((template) => [template.bytes, template]));
  const underWay = new Set<Promise<void>>();
  let waiting: { outcomeId: string }[] = [];
  let answers = 0;
  let batches = 0;

  async function sendBatch(door: Door, batch: readonly { outcomeId: string }[]): Promise<void> {
    const answer = await doors[door].outcomes.send(outcomesRequest(door, batch, host));
    ledger.add(
      `request ${doors[door].route("/v1/outcomes", "OutcomeService/Record")} ${codeOf(answer.code)}`,
    );
    if (!answer.ok) return;
    const { accepted, duplicates, rejected } = readOutcomesAnswer(door, answer.body);
    ledger.add("outcomes accepted", accepted);
    ledger.add("outcomes duplicate", duplicates);
    ledger.add("outcomes rejected", rejected.length);
    if (rejected.length === 0) for (const { outcomeId } of batch) outcomes.promised(outcomeId);
  }

  async function sendBatches(
    door: Door,
    batch: readonly { outcomeId: string }[],
    again: boolean,
  ): Promise<void> {
    await sendBatch(door, batch);
    if (again) await sendBatch(door, batch);
  }

  function flush(): void {
    if (waiting.length === 0) return;
    const door = batches % 2 === 0 ? "http" : "grpc";
    const again = batches++ % repeatEvery === repeatEvery - 1;
    const sending = sendBatches(door, waiting, again).finally(() => underWay.delete(sending));
    underWay.add(sending);
    waiting = [];
  }

  function report(requestId: string, itemId: string): void {
    const answer = answers++;
    if (answer % clickEvery !== 0) return;
    const types = answer % completionEvery === 0 ? ["click", "completion"] : ["click"];
    for (const type of types) waiting.push({ ...{ outcomeId: outcomes.send(), requestId, itemId, type } });
    if (waiting.length >= batchSize) flush();
  }

  function enter(door: Door, id: string, body: Buffer): void {
    const { surface, items, assignments, model, degraded } = readRankAnswer(door, body);
    ledger.add(`rank ${surface} ${model?.name ?? "none"} ${model?.version ?? ""}`);
    for (const reason of degraded) ledger.add(`degraded ${reason.split(":")[0]}`);
    for (const { experiment, arm } of assignments) ledger.add(`assigned ${experiment} ${arm}`);
    const [first] = items;
    if (first !== undefined) report(id, first.id);
  }

  return {
    requests: [...made.keys()],
    target: {
      name: "HTTP and gRPC, with outcomes",
      async send(request): Promise<Answer> {
        const template = made.get(request);
        if (template === undefined) return noAnswer("not of requests");
        const { door } = template;
        const id = impressions.send();
        const answer = await doors[door].ranks.send(withRequestId(template, id));
        ledger.add(`request ${doors[door].route("/v1/rank", "RankingService/Rank")} ${codeOf(answer.code)}`);
        if (!answer.ok) return answer;
        impressions.promised(id);
        enter(door, id, answer.body);
        return answer;
      },
      close() {
        for (const { ranks, outcomes: door } of Object.values(doors)) {
          ranks.close();
          door.close();
        }
      },
    },
    async finish() {
      flush();
      await Promise.all(underWay);
    },
  };
}

function madeTemplates({ url, seed, candidates, limit }: MixedLoadOptions): RankTemplate[] {
  const shape = { ...worldSize(), seed, candidates, limit };
  const home = drawRankRequests({ ...shape, surface: "home" }, templates);
  const radio = drawRankRequests({ ...shape, surface: "radio" }, templates);
  return home.map((body, index) =>
    rankTemplate(
      index % 2 === 0 ? "http" : "grpc",
      index % radioEvery === 0 ? (radio[index] ?? body) : body,
      url,
    ),
  );
}
