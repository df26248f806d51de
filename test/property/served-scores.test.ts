import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import type { Features } from "../../src/domain/feature.ts";
import { IdBytes } from "../../src/domain/id-bytes.ts";
import type { Model } from "../../src/domain/model.ts";
import type { Candidate, RankRequest } from "../../src/domain/rank.ts";
import { RequestEncoder } from "../../src/features/request-encoder.ts";
import { Backlog } from "../../src/inference/backlog.ts";
import { randomStream } from "../../src/simulation/random-stream.ts";
import { eventually } from "../support/eventually.ts";
import { mortalWorkers, observeWorkers } from "../support/observed-workers.ts";
import { splitModel } from "../support/split-model.ts";
import { openTinyScorer } from "../support/tiny-models.ts";

const linear = { name: "linear", version: "1" };
const genres = ["ambient", "pop", "jazz", "drone"];
const itemsKept = 60;
const waves = 16;

/** Half of them longer than what is indexed by bytes, some of no ASCII, the last few unknown to the store. */
function idOf(item: number): string {
  const long = item % 2 === 0 ? "" : "-of-a-collection-with-a-long-name".repeat(1 + (item % 7));
  return `${item % 5 === 0 ? "\ufeffü" : "t"}${item}${long}`;
}

const items = new Map(
  Array.from({ length: itemsKept }, (_, item) => [
    idOf(item),
    { popularity: item / itemsKept, genre: genres[item % 4] as string },
  ]),
);

/** By hand: click = 0.5 popularity + 0.25 taste, like = 0.01 genre + 0.1 device. */
function expected({ user, context, candidates }: RankRequest): number[] {
  const [taste] = (user.features["taste"] ?? [0]) as number[];
  const device = ["ios", "android"].indexOf(context.features["device"] as string) + 1;
  return [...candidates].flatMap(({ id, features }) => {
    const { popularity, genre } = { popularity: 0.5, genre: "", ...items.get(id), ...features };
    return [0.5 * popularity + 0.25 * (taste as number), 0.01 * (genres.indexOf(genre) + 1) + 0.1 * device];
  });
}

function bytesOf(ids: readonly string[]): IdBytes {
  const taken = new IdBytes(Buffer.from(ids.join("")));
  let at = 0;
  for (const id of ids) {
    const end = at + Buffer.byteLength(id);
    taken.add(at, end);
    at = end;
  }
  return taken;
}

function requestFrom(draw: () => number): RankRequest {
  const below = (most: number): number => Math.floor(draw() * most);
  const chosen = new Set(Array.from({ length: 1 + below(25) }, () => idOf(below(itemsKept + 10))));
  const ids = [...chosen];
  const inline = (): Features => ({
    ...(draw() < 0.5 ? { popularity: below(100) / 100 } : {}),
    ...(draw() < 0.5 ? { genre: genres[below(4)] as string } : {}),
  });
  const form = below(3);
  const candidates: Candidate[] = ids.map((id) =>
    form === 2 && draw() < 0.5 ? { id, features: inline() } : { id },
  );
  return {
    requestId: "r",
    surface: "home",
    user: {
      id: `u${below(5)}`,
      attributes: {},
      features: draw() < 0.7 ? { taste: [below(100) / 100, 0] } : {},
    },
    context: { attributes: {}, features: draw() < 0.5 ? { device: "android" } : {} },
    candidates,
    idBytes: form === 0 ? bytesOf(ids) : undefined,
    limit: undefined,
    timeoutMs: undefined,
    explain: false,
  };
}

/** A store of the items above, whose answers come now, soon or later. */
function sourceFrom(draw: () => number) {
  return {
    columns: () => undefined,
    close: async () => undefined,
    async read(entity: "user" | "item", ids: readonly string[]) {
      for (let turns = Math.floor(draw() * 3); turns > 0; turns--) await nextTurn();
      return ids.map((id) => (entity === "item" ? items.get(id) : undefined));
    },
  };
}

test.each([
  [0, 40, 1, "thread"],
  [1, 40, 2, "process"],
  [3, 150, 3, "thread"],
  [40, 40, 4, "process"],
] as const)(
  "with %i rows kept and %i requests at once, an answer is what the request would get alone (seed %i, each worker a %s)",
  async (cacheRowsMax, requestsAtOnce, seed, isolation) => {
    const { next: draw } = randomStream(seed);
    const waits = vi.spyOn(Backlog.prototype, "wait");
    const begun = vi.spyOn(Backlog.prototype, "begin");
    const ended = vi.spyOn(Backlog.prototype, "end");
    const workers = observeWorkers(mortalWorkers[isolation]);
    const { repository } = await splitModel();
    const scorer = await openTinyScorer({
      repository,
      workers: 2,
      batchRowsMax: 40,
      queueRequestsMax: 1_000,
      spawn: workers.spawn,
    });
    const model = scorer.resolve(linear) as Model;
    const encoder = new RequestEncoder(sourceFrom(draw), cacheRowsMax, (warning) => {
      throw new Error(warning);
    });
    let answered = 0;
    let slots = 0;

    async function ask(): Promise<void> {
      const request = requestFrom(draw);
      const encoded = await encoder.encode(model, request);
      slots = Math.max(slots, encoded.table.versions.length);
      const controller = new AbortController();
      const fate = draw();
      // A row that no slab has breaks the run for everybody in it.
      const broken = fate < 0.02;
      const asked = broken ? { ...encoded, slots: encoded.slots.map(() => 1_000_000_000) } : encoded;
      const scored = Promise.allSettled([
        scorer.score(linear, asked, performance.now() + 20_000, controller.signal),
      ]);
      if (fate > 0.9) {
        for (let turns = Math.floor(draw() * 4); turns > 0; turns--) await nextTurn();
        controller.abort(new Error("nobody waits"));
      }
      const [outcome] = await scored;
      if (outcome.status === "rejected") {
        if (!broken && fate <= 0.9) expect(outcome.reason.message).toMatch(/was interrupted/);
        return;
      }
      expect(broken).toBe(false);
      answered += 1;
      const { probabilities } = outcome.value;
      const right = expected(request);
      expect(probabilities).toHaveLength(right.length);
      const wrong = right.findIndex((p, at) => !(Math.abs(p - (probabilities[at] as number)) < 1e-6));
      expect(wrong).toBe(-1);
    }

    for (let wave = 0; wave < waves; wave++) {
      const asking = Array.from({ length: requestsAtOnce }, ask);
      if (wave % 8 === 3) workers.started.at(-1)?.tell("die");
      await Promise.all(asking);
      // The model's rows are then kept in another table, whose slots are numbered from 0 again.
      if (wave % 5 === 4 && !encoder.isEncoding(model)) encoder.forget(model);
    }
    expect(answered).toBeGreaterThan(waves * requestsAtOnce * 0.6);
    // What was given back is used again: no more rows than the requests of one wave can have.
    expect(slots).toBeLessThanOrEqual(requestsAtOnce > 40 ? 4_096 : 1_024);
    await eventually(() => {
      expect(waits.mock.calls.reduce((sum, [candidates]) => sum + candidates, 0)).toBe(0);
      expect(ended.mock.calls.length).toBe(begun.mock.calls.length);
    });
    expect(begun.mock.calls.reduce((sum, [candidates]) => sum + candidates, 0)).toBe(
      ended.mock.calls.reduce((sum, [candidates]) => sum + candidates, 0),
    );
    vi.restoreAllMocks();
  },
);
