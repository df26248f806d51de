import { setTimeout as delay } from "node:timers/promises";
import { postRequest } from "./http-connection.ts";
import { httpTarget } from "./http-target.ts";

/** Between two looks, ms: finer than what is measured, and far from being a load. */
const lookMs = 2;

/** Asks a server again and again which arm of an experiment one unit gets, as a frontend would: it ranks. */
export interface Obedience {
  /** Resolves with the monotonic time, ms, at which the first answer with this arm came. @throws {Error} after `msMax`. */
  arrival(arm: string, msMax: number): Promise<number>;
  /** Answers that came with another arm than the answer before them: changes, if nobody goes back and forth. */
  readonly turns: number;
  close(): Promise<void>;
}

export function watchObedience(url: string, unit: string, experiment: string): Obedience {
  const target = httpTarget(url, 1);
  const body = { surface: "home", user: { id: unit }, candidateIds: ["t1", "t2"], limit: 1 };
  const request = postRequest(new URL(url).host, "/v1/rank", body);
  let latest: { arm: string | undefined; at: number } = { arm: undefined, at: 0 };
  let turns = 0;
  let closed = false;

  async function look(): Promise<void> {
    while (!closed) {
      const answer = await target.send(request);
      if (answer.ok) {
        const { assignments } = JSON.parse(answer.body.toString()) as {
          assignments: { experiment: string; arm: string }[];
        };
        const arm = assignments.find((one) => one.experiment === experiment)?.arm;
        if (arm !== latest.arm) {
          if (latest.arm !== undefined) turns += 1;
          latest = { arm, at: performance.now() };
        }
      }
      await delay(lookMs);
    }
  }

  const looking = look();
  return {
    get turns() {
      return turns;
    },
    async arrival(arm, msMax) {
      const until = performance.now() + msMax;
      while (latest.arm !== arm) {
        if (performance.now() > until) throw new Error(`${url} did not obey within ${msMax} ms`);
        await delay(lookMs);
      }
      return latest.at;
    },
    async close() {
      closed = true;
      await looking;
      target.close();
    },
  };
}
