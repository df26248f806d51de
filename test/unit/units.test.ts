import { describe, expect, test } from "vitest";
import type { Unit } from "../../src/domain/experiment.ts";
import { compileAssigner, type RequestFacts } from "../../src/experiments/experiments.ts";
import { experimentWith, noAttributes } from "../support/experiments.ts";

function ask(unit: Unit, facts: Partial<RequestFacts>) {
  const assigner = compileAssigner([experimentWith({ unit })]);
  const whole = { ...noAttributes, ...facts };
  const [decision] = assigner.explain("home", "u1", whole);
  return { assigned: assigner.assign("home", "u1", whole), decision };
}

describe("an experiment splits by", () => {
  test.each<[Unit, Partial<RequestFacts>, string]>([
    ["user", {}, "u1"],
    ["session", { session: "s7" }, "s7"],
    ["request", { request: "r9" }, "r9"],
    ["user.household", { user: { household: "h3" } }, "h3"],
    ["user.household", { user: { household: 1234 } }, "1234"],
    ["context.device id", { context: { "device id": "d 1" } }, "d 1"],
  ])("%s, and its assignment says so", (unit, facts, id) => {
    const { assigned, decision } = ask(unit, facts);
    expect(assigned).toMatchObject([{ experiment: "exp", unit: id }]);
    expect(decision).toMatchObject({ reason: "assigned", unit: id, arm: assigned[0]?.arm });
    // The same place as any other unit of that id.
    const [user] = compileAssigner([experimentWith()]).explain("home", id, noAttributes);
    expect(decision?.armBucket).toBe(user?.armBucket);
    expect(decision?.layerBucket).toBe(user?.layerBucket);
  });
});

describe("a request without the unit is not in the experiment, and hears which field is missing or wrong:", () => {
  test.each<[Unit, Partial<RequestFacts>, string, RegExp]>([
    ["session", {}, "unit-missing", /carries no session\.id/],
    ["request", {}, "unit-missing", /carries no requestId/],
    ["user.household", {}, "unit-missing", /carries no user\.attributes\.household/],
    ["user.constructor", {}, "unit-missing", /carries no user\.attributes\.constructor/],
    ["user.household", { user: { household: 1.5 } }, "unit-invalid", /a text or a whole number/],
    ["user.household", { user: { household: true } }, "unit-invalid", /a text or a whole number/],
    ["user.household", { user: { household: "" } }, "unit-invalid", /1 to 256 bytes/],
    ["user.household", { user: { household: "ü".repeat(129) } }, "unit-invalid", /1 to 256 bytes/],
    ["context.device", { context: { device: "\ud800" } }, "unit-invalid", /Unicode text/],
  ])("%s of %j", (unit, facts, reason, detail) => {
    const { assigned, decision } = ask(unit, facts);
    expect(assigned).toEqual([]);
    expect(decision).toMatchObject({ reason, detail: expect.stringMatching(detail) });
    expect(decision).toMatchObject({ unit: undefined, layerBucket: undefined, armBucket: undefined });
  });
});

test("overrides are of the experiment's own unit", () => {
  const assigner = compileAssigner([experimentWith({ unit: "session", overrides: { s1: "treated" } })]);
  const facts = { ...noAttributes, session: "s1" };
  expect(assigner.assign("home", "u1", facts)).toMatchObject([
    { unit: "s1", arm: "treated", overridden: true },
  ]);
  expect(assigner.explain("home", "s1", { ...facts, session: "s2" })[0]?.reason).toBe("assigned");
});
