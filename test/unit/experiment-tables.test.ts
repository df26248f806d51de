import { expect, test } from "vitest";
import { renderSurfaces } from "../../src/cli/experiment-tables.ts";

test("surfaces that are served by one model are told apart by what stands over its value model", () => {
  const model = { name: "home-control" };
  const from = { model, origin: "shipped", experiment: "vm", revision: 1 } as const;
  const lines = renderSurfaces([
    { ...from, surface: "plain", arm: "control" },
    {
      ...from,
      surface: "weighed",
      arm: "likes",
      valueModel: { kind: "weighted-sum", weights: { click: 1, like: 3 } },
    },
    {
      ...from,
      surface: "roomy",
      arm: "room",
      valueModel: { diversity: [{ by: "artist", decay: 0.7, floor: 0 }] },
    },
    { ...from, surface: "bare", arm: "none", valueModel: { diversity: [] } },
  ]).split("\n");
  const of = (surface: string) => lines.find((line) => line.includes(surface));
  expect(of("plain")).toContain("the model's");
  expect(of("weighed")).toContain("weighted-sum: click 1, like 3 ");
  expect(of("roomy")).toContain("diversity: artist ");
  expect(of("bare")).toContain("diversity: none ");
});
