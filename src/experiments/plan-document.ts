import Type from "typebox";
import { invalidArgument } from "../domain/error.ts";
import type { ExperimentDocument } from "../domain/experiment.ts";

/** More looks than anybody takes by a calendar; whoever wants more wants always-valid. */
const looksMax = 50;
const unitsMax = 1e12;

export const planSchema = Type.Object(
  {
    kind: Type.Union([Type.Literal("fixed"), Type.Literal("always-valid"), Type.Literal("group-sequential")]),
    units: Type.Optional(Type.Integer({ minimum: 2, maximum: unitsMax })),
    end: Type.Optional(
      Type.String({
        pattern: "^\\d{4}-\\d{2}-\\d{2}(T\\d{2}:\\d{2}(:\\d{2}(\\.\\d{1,3})?)?Z)?$",
        description: "a date such as 2026-12-24, or an instant in UTC such as 2026-12-24T12:00:00Z",
      }),
    ),
    looks: Type.Optional(
      Type.Array(Type.Number({ exclusiveMinimum: 0, maximum: 1 }), { minItems: 1, maxItems: looksMax }),
    ),
    spending: Type.Optional(Type.Union([Type.Literal("obrien-fleming"), Type.Literal("pocock")])),
  },
  { additionalProperties: false },
);

/** Looks that are nearer to each other than this add nothing that a bound could be solved for. */
const closestLooks = 1e-3;

/** @throws {SetlistError} INVALID_ARGUMENT where the plan lacks what its kind needs, or has what it does not take. */
export function checkPlan({ plan, kind }: ExperimentDocument): void {
  if (plan === undefined) return;
  if (kind === "interleave" && plan.kind === "group-sequential") {
    throw invalidArgument(
      "plan.kind: expected fixed or always-valid with kind interleave, whose sign test has no group-sequential bounds",
    );
  }
  const { units, end, looks, spending } = plan;
  if (end !== undefined && !isDate(end)) {
    throw invalidArgument(`plan.end: expected a date that exists, got ${JSON.stringify(end)}`);
  }
  if (plan.kind !== "fixed" && end !== undefined) {
    throw invalidArgument(`plan.end: expected none with kind ${plan.kind}, which goes by units`);
  }
  if (plan.kind !== "group-sequential") {
    const stray = looks === undefined ? (spending === undefined ? undefined : "spending") : "looks";
    if (stray !== undefined) {
      throw invalidArgument(`plan.${stray}: expected none with kind ${plan.kind}`);
    }
  }
  if (plan.kind === "fixed" && units === undefined && end === undefined) {
    throw invalidArgument("plan: expected units or end, which say when a fixed plan is over");
  }
  if (plan.kind === "group-sequential") checkLooks(units, looks);
}

/** The 31st of February parses too, as some day of March. */
function isDate(text: string): boolean {
  const time = Date.parse(text);
  return !Number.isNaN(time) && new Date(time).toISOString().slice(0, 10) === text.slice(0, 10);
}

function checkLooks(units: number | undefined, looks: readonly number[] | undefined): void {
  if (units === undefined || looks === undefined) {
    throw invalidArgument("plan: expected units and looks, which a group-sequential plan needs");
  }
  const wrong = looks.findIndex((look, at) => look - (looks[at - 1] ?? 0) < closestLooks);
  if (wrong >= 0) {
    throw invalidArgument(
      `plan.looks[${wrong}]: expected shares that ascend by at least ${closestLooks}, got ${looks[wrong]}`,
    );
  }
  if (looks.at(-1) !== 1) {
    throw invalidArgument(`plan.looks: expected the last one to be 1, all of the units, got ${looks.at(-1)}`);
  }
}
