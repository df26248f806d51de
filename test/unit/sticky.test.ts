import { describe, expect, test } from "vitest";
import type { Assignment } from "../../src/domain/assignment.ts";
import type { Experiment } from "../../src/domain/experiment.ts";
import { compileAssigner, revise } from "../../src/experiments/experiments.ts";
import { hasStickyArms, StickyArmsFile } from "../../src/registry/sticky-arms.ts";
import { arm, documentWith, experimentWith, noAttributes } from "../support/experiments.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const units = Array.from({ length: 200 }, (_, i) => `u${i}`);
const weighed = (control: number, treated: number) => [
  arm("control", { weight: control }),
  arm("treated", { weight: treated }),
];
const standing = experimentWith({ sticky: true });
const document = documentWith({ sticky: true });

async function opened() {
  const folder = await temporaryFolder();
  return { folder, sticky: open(folder) };
}

function open(folder: string): StickyArmsFile {
  return new StickyArmsFile(folder, false, (error) => {
    throw error;
  });
}

function show(experiment: Experiment, sticky: StickyArmsFile): Assignment[] {
  const assigner = compileAssigner([experiment], { keptArm: (id, unit) => sticky.get(id, unit) });
  const shown = units.flatMap((unit) => assigner.assign("home", unit, noAttributes));
  for (const one of shown) if (assigner.isToBeKept(one)) sticky.keep(one);
  return shown;
}

describe("units of a sticky experiment", () => {
  test("keep their arm, its phase and its propensity when the weights change, also after a restart", async () => {
    const { folder, sticky } = await opened();
    const first = show(standing, sticky);
    await sticky.close();
    const again = open(folder);
    const reweighed = revise(standing, { ...document, arms: weighed(1, 9) }, []);
    expect(reweighed.phase).toBe(2);
    expect(show(reweighed, again)).toEqual(first);
    const [decision] = compileAssigner([reweighed], { keptArm: (id, unit) => again.get(id, unit) }).explain(
      "home",
      "u1",
      noAttributes,
    );
    expect(decision).toMatchObject({ reason: "sticky", detail: expect.stringContaining("in phase 1") });
    await again.close();
  });

  test("that come later are dealt by the new weights, in the new phase", async () => {
    const { sticky } = await opened();
    const reweighed = revise(standing, { ...document, arms: weighed(1, 0) }, []);
    expect(new Set(show(reweighed, sticky).map(({ arm, phase }) => `${arm} ${phase}`))).toEqual(
      new Set(["control 2"]),
    );
    await sticky.close();
  });

  test("leave and come back with the traffic, to the arm they had", async () => {
    const { sticky } = await opened();
    const first = show(standing, sticky);
    const reweighed = revise(standing, { ...document, traffic: 0.1, arms: weighed(9, 1) }, []);
    expect(show(reweighed, sticky).length).toBeLessThan(60);
    expect(show(revise(reweighed, { ...reweighed, traffic: 1 }, []), sticky)).toEqual(first);
    await sticky.close();
  });

  test("are dealt anew where their arm is gone, and keep the new one", async () => {
    const { sticky } = await opened();
    show(standing, sticky);
    const renamed = revise(standing, { ...document, arms: [arm("control"), arm("other")] }, []);
    const second = show(renamed, sticky);
    const other = second.filter(({ arm }) => arm === "other");
    expect(other.length).toBeGreaterThan(50);
    expect(other.every(({ unit, phase }) => phase === 2 && sticky.get("exp", unit)?.arm === "other")).toBe(
      true,
    );
    await sticky.close();
  });
});

test("an override is never kept, and holds over a kept arm", async () => {
  const { sticky } = await opened();
  const forced = revise(standing, { ...document, overrides: { u1: "treated", u2: "control" } }, []);
  show(forced, sticky);
  expect(sticky.get("exp", "u1")).toBeUndefined();
  sticky.keep({ ...(show(standing, sticky)[1] as Assignment), unit: "u1", arm: "control" });
  expect(show(forced, sticky).find(({ unit }) => unit === "u1")).toMatchObject({
    arm: "treated",
    overridden: true,
  });
  await sticky.close();
});

test("an experiment that is not sticky asks nobody and keeps nothing", async () => {
  const { sticky } = await opened();
  show(experimentWith(), sticky);
  expect(units.every((unit) => sticky.get("exp", unit) === undefined)).toBe(true);
  await sticky.close();
});

test("a folder without kept arms says so, and an over-long unit is passed over", async () => {
  const folder = await temporaryFolder();
  expect(hasStickyArms(folder)).toBe(false);
  const sticky = open(folder);
  expect(hasStickyArms(folder)).toBe(true);
  const [one] = show(standing, sticky);
  sticky.keep({ ...(one as Assignment), unit: "u".repeat(5_000) });
  expect(sticky.get("exp", "u".repeat(5_000))).toBeUndefined();
  await sticky.close();
});
