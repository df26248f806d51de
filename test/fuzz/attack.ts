/** Runs one target over its inputs, which its name, the seed and the input's number decide. */
import { randomStream } from "../../src/simulation/random-stream.ts";
import { Mutator } from "./mutator.ts";
import type { Target } from "./target.ts";
import { documentTargets } from "./targets/documents.ts";
import { doorTargets } from "./targets/doors.ts";
import { experimentTargets } from "./targets/experiments.ts";
import { logTargets } from "./targets/log.ts";
import { shippingTargets } from "./targets/shipping.ts";
import { tableTargets } from "./targets/table.ts";

export const targets: readonly Target[] = [
  ...doorTargets,
  ...documentTargets,
  ...experimentTargets,
  ...logTargets,
  ...shippingTargets,
  ...tableTargets,
];

/** Of processor time: a hang is more, and so is what a sender of a few kilobytes may cost. */
const cpuMsMax = 2_000;
/** Of a process that parses one small input after the other. */
const residentBytesMax = 1_500 * 1_048_576;

export interface Attack {
  readonly accepted: number;
  readonly refused: number;
  readonly slowestMs: number;
  readonly findings: readonly Finding[];
}

export interface Finding {
  readonly number: number;
  readonly input: Buffer;
  readonly error: Error;
}

/** The valid examples come first, as they are. */
export function inputOf(target: Target, seed: number, number: number): Buffer {
  const example = target.corpus[number];
  if (example !== undefined) return example;
  const mutator = new Mutator(randomStream(seed, target.name, number), target.corpus, target.tokens);
  return target.mutate(mutator, mutator.seed());
}

/**
 * @param from the number of the first input, and `to` that behind the last.
 * @param onInput called before each.
 */
export async function attack(
  target: Target,
  {
    seed,
    from,
    to,
    findingsMax,
  }: { readonly seed: number; readonly from: number; readonly to: number; readonly findingsMax: number },
  onInput: (number: number) => void = () => undefined,
): Promise<Attack> {
  const findings: Finding[] = [];
  let [accepted, refused, slowestMs] = [0, 0, 0];
  const open = await target.open();
  for (let number = from; number < to && findings.length < findingsMax; number++) {
    onInput(number);
    const input = inputOf(target, seed, number);
    const before = process.cpuUsage();
    try {
      if (await open.take(input)) accepted += 1;
      else refused += 1;
      const { user, system } = process.cpuUsage(before);
      const tookMs = (user + system) / 1_000;
      slowestMs = Math.max(slowestMs, tookMs);
      if (tookMs > cpuMsMax) throw new Error(`took ${Math.round(tookMs)} ms`);
      if (number % 1_000 === 0 && process.memoryUsage.rss() > residentBytesMax)
        throw new Error(`the process has ${process.memoryUsage.rss()} bytes`);
    } catch (error) {
      findings.push({ number, input, error: error as Error });
    }
  }
  await open.close();
  return { accepted, refused, slowestMs, findings };
}
