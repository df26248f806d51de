import { expect, test } from "vitest";
import { attack, targets } from "./attack.ts";

/** The same inputs with every run, so that a change is red by its own fault; `npm run fuzz` draws new ones. */
const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_126);

/** Together 20,000: most go where an input takes least. */
const inputsOf = (share: number): number => Math.round((20_000 * share) / shares);
const shares = targets.reduce((sum, { share }) => sum + share, 0);

test.each(targets.map((target) => [target.name, target] as const))(
  `nothing that comes in crashes, hangs or leaks: %s (FUZZ_SEED=${seed})`,
  async (name, target) => {
    const to = inputsOf(target.share);
    const { accepted, refused, findings } = await attack(target, { seed, from: 0, to, findingsMax: 1 });
    const found = findings.map(({ number, error }) => `${name} ${number}: ${error.stack}`);
    expect(found).toEqual([]);
    expect(refused).toBeGreaterThan(0);
    expect(accepted + refused).toBe(to);
  },
  120_000,
);
