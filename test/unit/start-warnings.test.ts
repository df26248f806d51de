import { expect, test } from "vitest";
import { startWarnings } from "../../src/experiments/experiments.ts";
import { arm, experimentWith } from "../support/experiments.ts";

const off = { on: false, reason: "", revision: 0 };

test("says nothing of an experiment that acts, whatever runs elsewhere", () => {
  const all = [
    experimentWith(),
    experimentWith({ id: "a", layer: "other", surface: "radio" }),
    experimentWith({ id: "b", layer: "other", status: "paused" }),
    experimentWith({ id: "z" }),
  ];
  expect(startWarnings(experimentWith(), all, off)).toEqual([]);
  expect(startWarnings(experimentWith({ traffic: 0, ramp: [{ traffic: 0.1 }] }), all, off)).toEqual([]);
});

test.each([
  ["its traffic is 0", { traffic: 0 }],
  ["only treated has a weight", { arms: [arm("control", { weight: 0 }), arm("treated")] }],
  ["show the same", { arms: [arm("control"), arm("treated", { model: { name: "home-control" } })] }],
  [
    "asks for an arm of before, which does not run",
    { prerequisites: [{ experiment: "before", arms: ["x"] }] },
  ],
])("%s", (sentence, over) => {
  const before = experimentWith({ id: "before", layer: "other", surface: "radio", status: "draft" });
  expect(startWarnings(experimentWith(over), [before], off)).toEqual([expect.stringContaining(sentence)]);
});

test("names the experiment of another layer whose model a surface gets first", () => {
  const first = experimentWith({ id: "a", layer: "other" });
  expect(startWarnings(experimentWith(), [first], off)).toEqual([
    expect.stringMatching(/^a runs on surface home too, in layer other, .* get the model of a/),
  ]);
});

test("names those of other layers that run, and that lose to it the units that are in both", () => {
  const all = [
    experimentWith({ id: "radio", layer: "other", surface: "radio" }),
    experimentWith({ id: "stopped", layer: "other", status: "stopped" }),
    experimentWith({ id: "y", layer: "other" }),
    experimentWith({ id: "z", layer: "another" }),
  ];
  expect(startWarnings(experimentWith(), all, off)).toEqual([
    expect.stringMatching(
      /^it stands before y, z on surface home .* get the model of exp, and count for it alone/,
    ),
  ]);
});

test("tells what is switched off", () => {
  const killed = { ...experimentWith(), killed: "latency" };
  expect(startWarnings(killed, [killed], { on: true, reason: "", revision: 1 })).toEqual([
    expect.stringContaining("the kill switch is on"),
    expect.stringContaining("it is killed"),
  ]);
});
