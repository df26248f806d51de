import { expect, test } from "vitest";
import { attack, targets } from "./attack.ts";

/** Another one with every run; whoever wants one again names it. */
const seed = Number(process.env["FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 32));

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
