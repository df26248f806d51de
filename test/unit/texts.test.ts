import { expect, test } from "vitest";
import { parseExperimentDocument, validateExperiment } from "../../src/experiments/experiments.ts";
import { writerOf } from "../../src/rollout/write-terms.ts";
import { nearest } from "../../src/schema/schema.ts";
import { cpuMsOf } from "../support/cpu-time.ts";
import { documentWith } from "../support/experiments.ts";

const written = {
  id: "exp",
  surface: "home",
  layer: "ranker",
  arms: [
    { id: "control", control: true, model: { name: "home-control" } },
    { id: "kd", model: { name: "home-kd" } },
  ],
};

test.each<[string, object, RegExp]>([
  ["a NUL, which PostgreSQL does not take", { salt: "a\0" }, /^salt: .*U\+0000/],
  ["an escape, which a terminal obeys", { description: "\x1b[2J" }, /^description: .*U\+001B/],
  ["half of a surrogate pair", { salt: "\ud800" }, /^salt: expected Unicode text/],
  ["one in a unit's id", { overrides: { "\ud800": "kd" } }, /^overrides: expected Unicode text/],
  ["one within a list", { metrics: [{ id: "m", type: "mean", outcome: "\0" }] }, /^metrics\[0\]\.outcome: /],
])("a document with %s is refused", (_, more, complaint) => {
  expect(() => parseExperimentDocument({ ...written, ...more }, "body")).toThrow(complaint);
});

test("a description may have lines, tabs and any letters", () => {
  const description = "Erste Zeile\r\n\tzweite 🎵";
  expect(parseExperimentDocument({ ...written, description }, "body").description).toBe(description);
});

test("who writes is one that a terminal can show", () => {
  expect(() => writerOf("\x1b]0;title\x07")).toThrow(/^setlist-actor: /);
  expect(writerOf("Zoë <zoe@example.org>")).toBe("Zoë <zoe@example.org>");
});

test("a very long name is near to none, at once", () => {
  const long = "x".repeat(1_000_000);
  const known = Array.from({ length: 100 }, (_, i) => `arm-${i}`);
  const document = documentWith({ overrides: { u1: long } });
  const cost = cpuMsOf(() => {
    expect(nearest(long, known)).toMatch(/^ \(known: arm-0, /);
    expect(() => parseExperimentDocument({ ...written, [long]: 1 }, "body")).toThrow(
      /unknown field \(known: id, /,
    );
    expect(() => validateExperiment(document, { others: [] })).toThrow(/no arm "x{63}…"/);
  });
  expect(cost).toBeLessThan(1_000);
});
