/** Several metrics and arms in one experiment: what each p-value is worth, by the role its metric was given beforehand. */
import { benjaminiHochberg } from "./benjamini-hochberg.ts";
import { holm } from "./holm.ts";

export type Role = "primary" | "secondary" | "guardrail";

/** One metric of one arm against control. `pValue` is undefined where its test has no answer. */
export interface Tested {
  readonly role: Role;
  readonly pValue: number | undefined;
}

export interface AdjustedTest {
  readonly pValue: number | undefined;
  readonly by: "holm" | "benjamini-hochberg" | "none";
}

/**
 * Primaries are one family under Holm: a decision rests on them. Secondaries are one under Benjamini-Hochberg: they
 * suggest what to try next. Guardrails are left as they are: each tests "not worse than its margin", and all must pass,
 * which needs no correction (an intersection-union test: Berger, Technometrics 24, 1982).
 * A test without an answer still counts in its family: what was asked was fixed beforehand.
 * The answers stand in the order of the arguments.
 */
export function adjustByRole(tests: readonly Tested[]): AdjustedTest[] {
  const primary = within(tests, "primary", holm);
  const secondary = within(tests, "secondary", benjaminiHochberg);
  return tests.map(({ role, pValue }, at) => {
    if (role === "guardrail") return { pValue, by: "none" };
    const adjusted = role === "primary" ? primary[at] : secondary[at];
    return {
      pValue: pValue === undefined ? undefined : adjusted,
      by: role === "primary" ? "holm" : "benjamini-hochberg",
    };
  });
}

/**
 * The level at which each of `count` intervals is to be taken so that all hold at once with `1 - alpha` (Bonferroni).
 * One that leaves zero out has a Holm-adjusted p-value below alpha; not always the other way round, since Holm finds more.
 */
export function simultaneousAlpha(alpha: number, count: number): number {
  return alpha / Math.max(1, count);
}

function within(tests: readonly Tested[], role: Role, adjust: (pValues: number[]) => number[]): number[] {
  const places = tests.flatMap((test, at) => (test.role === role ? [at] : []));
  const adjusted = adjust(places.map((at) => tests[at]?.pValue ?? 1));
  const byPlace = new Array<number>(tests.length).fill(1);
  for (const [i, at] of places.entries()) byPlace[at] = adjusted[i] as number;
  return byPlace;
}
