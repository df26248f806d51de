import { ConcurrencyLimit } from "../../src/serving/concurrency-limit.ts";
import { type Doors, openDoors } from "./doors.ts";

export interface FullDoors {
  readonly doors: Doors;
  /** The answer of the one request. */
  readonly first: ReturnType<Doors["post"]>;
  letGo(): void;
}

/** Doors behind which `request` is being answered, with room for no other until it is let go. */
export async function openFullDoors(request: object): Promise<FullDoors> {
  const held = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const doors = await openDoors({
    ports: {
      concurrency: new ConcurrencyLimit({ clock, answerMsTarget: 25, inFlightMax: 1 }),
      log: {
        appendImpression: async () => {
          begun.resolve();
          await held.promise;
        },
        appendShadow: async () => {},
        appendOutcomes: async (outcomes) => ({ accepted: outcomes.length, duplicates: 0, unmatched: 0 }),
        close: async () => {},
      },
    },
  });
  const first = doors.post("/v1/rank", request);
  await begun.promise;
  return { doors, first, letGo: held.resolve };
}
