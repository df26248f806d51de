/** Runs of one scenario; each run has a stream of its own, so that who runs it and in which part makes no difference. */
import { randomStream } from "../../src/simulation/random-stream.ts";
import type { Count, Scenario } from "./scenario.ts";

export interface Part {
  readonly id: string;
  readonly from: number;
  /** Not included. */
  readonly to: number;
}

type Simulation = ReturnType<Scenario["prepare"]>;

/** Remembers what a scenario's runs share. */
export function simulator(scenarios: readonly Scenario[], seed: string): (part: Part) => Count[] {
  const prepared = new Map<string, Simulation>();
  return ({ id, from, to }) => {
    const scenario = scenarios.find((one) => one.id === id);
    if (scenario === undefined) throw new Error(`no scenario ${id}`);
    const simulation = prepared.get(id) ?? scenario.prepare();
    prepared.set(id, simulation);
    const counts = scenario.questions.map(() => ({ happened: 0, answered: 0 }));
    for (let run = from; run < to; run++) {
      for (const [i, happened] of simulation(randomStream(seed, id, run)).entries()) {
        const count = counts[i] as { happened: number; answered: number };
        if (happened === undefined) continue;
        count.answered += 1;
        count.happened += happened ? 1 : 0;
      }
    }
    return counts;
  };
}

export function addCounts(a: readonly Count[], b: readonly Count[]): Count[] {
  return a.map(({ happened, answered }, i) => ({
    happened: happened + (b[i]?.happened ?? 0),
    answered: answered + (b[i]?.answered ?? 0),
  }));
}
