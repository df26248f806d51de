import { describe, expect, test } from "vitest";
import type { Experiment, ExperimentDocument } from "../../src/domain/experiment.ts";
import { emptyState, type StoreState } from "../../src/domain/store-state.ts";
import {
  created,
  documentOf,
  imported,
  moved,
  parseExperimentDocument,
  replaced,
  validateExperiment,
} from "../../src/experiments/experiments.ts";
import { applied } from "../../src/registry/applied.ts";
import { storeOf, writesOf } from "../support/experiment-store.ts";
import { arm, documentWith, experimentWith } from "../support/experiments.ts";

const written = (over: object) => ({
  id: "exp",
  surface: "home",
  layer: "ranker",
  arms: [
    { id: "control", control: true, model: { name: "home-control" } },
    { id: "treated", model: { name: "home-treated" } },
  ],
  metrics: [{ id: "completions", type: "mean", outcome: "completion" }],
  ...over,
});
const parsed = (over: object): ExperimentDocument => parseExperimentDocument(written(over), "body");
const check = (over: object) => () => validateExperiment(parsed(over), { others: [] });
const ramp = [{ traffic: 0.01, for: "1h" }, { traffic: 0.1, for: "24h" }, { traffic: 0.5 }];

test("a rollback needs a control that is the surface's default; a hold does not", () => {
  const withDefault = (name: string, action: string) => () =>
    validateExperiment(parsed({ guardrails: [{ kind: "latency-p99", maxMs: 80, action }] }), {
      others: [],
      defaultModels: new Map([["home", { name, version: "7" }]]),
    });
  expect(withDefault("home-control", "rollback")).not.toThrow();
  expect(withDefault("home-other", "hold")).not.toThrow();
  expect(withDefault("home-other", "rollback")).toThrow(
    "guardrails[0].action: a rollback serves surface home's default, home-other, and control is home-control: expected hold, or one model for both",
  );
});

test("whose arm became the surface's default may still be described while it is stopped", () => {
  const guardrails = [{ kind: "latency-p99", maxMs: 80, action: "rollback" }];
  const defaultModels = new Map([["home", { name: "home-treated" }]]);
  const inStatus = (status: string) => () =>
    validateExperiment(parsed({ guardrails, status }), { others: [], defaultModels });
  expect(inStatus("stopped")).not.toThrow();
  expect(inStatus("running")).toThrow("guardrails[0].action: a rollback serves");
});

test("an import of what stands already is not refused for a default that was shipped since", () => {
  const document = parsed({ guardrails: [{ kind: "latency-p99", maxMs: 80, action: "rollback" }] });
  const state: StoreState = {
    ...emptyState,
    experiments: [{ ...document, revision: 3, phase: 1, ranges: [] }],
  };
  const known = { defaultModels: new Map([["home", { name: "home-treated" }]]) };
  const importing = (one: ExperimentDocument) => () =>
    imported(state, [{ document: one, revision: 3 }], { known, confirmed: [] });
  expect(importing(document)()).toEqual({ experiments: [] });
  expect(importing({ ...document, description: "new" })).toThrow("guardrails[0].action: a rollback serves");
});

test("what is no duration is told what one is", () => {
  expect(check({ ramp: [{ traffic: 0.1, for: "0s" }] })).toThrow(
    'ramp[0].for: expected a whole number from 1 to 999999 of s, m, h or d, such as 90s, 30m, 24h or 7d, got "0s"',
  );
});

describe("a ramp", () => {
  test("says the traffic of a document that says none: that of its first step", () => {
    expect(parsed({ ramp })).toMatchObject({ traffic: 0.01, ramp });
    expect(check({ ramp })).not.toThrow();
  });

  test.each<[string, object, string]>([
    [
      "goes down",
      { ramp: [{ traffic: 0.5, for: "1h" }, { traffic: 0.1 }] },
      "ramp[1].traffic: expected more than",
    ],
    [
      "stands still",
      { ramp: [{ traffic: 0.5, for: "1h" }, { traffic: 0.5 }] },
      "ramp[1].traffic: expected more",
    ],
    [
      "begins with nothing",
      { ramp: [{ traffic: 0, for: "1h" }, { traffic: 0.5 }] },
      "ramp[0].traffic: expected a",
    ],
    [
      "has a step without an end",
      { ramp: [{ traffic: 0.1 }, { traffic: 0.5 }] },
      "ramp[0].for: expected how long",
    ],
    ["has no step", { ramp: [] }, "ramp: "],
    ["takes no time", { ramp: [{ traffic: 0.1, for: "0h" }, { traffic: 0.5 }] }, "ramp[0].for: "],
    [
      "takes a time without a unit",
      { ramp: [{ traffic: 0.1, for: "90" }, { traffic: 0.5 }] },
      "ramp[0].for: ",
    ],
    ["goes past the layer", { ramp: [{ traffic: 0.1, for: "1h" }, { traffic: 1.5 }] }, "ramp[1].traffic: "],
    ["begins elsewhere", { ramp, traffic: 0.1 }, "traffic: expected 0.01, that of the ramp's first step"],
    [
      "is not at one of its steps",
      { ramp, traffic: 0.2, status: "running" },
      "traffic: expected one of the ramp's steps, 0.01, 0.1, 0.5, got 0.2",
    ],
  ])("that %s is refused with its field and why", (_what, over, detail) => {
    expect(check(over)).toThrow(detail);
  });

  const stateOf = (...experiments: Experiment[]): StoreState => ({ ...emptyState, experiments });

  test("is refused at the start where its last step is not free in the layer", () => {
    const mate = experimentWith({ id: "mate", traffic: 0.6 });
    const draft = applied(stateOf(mate), created(stateOf(mate), parsed({ ramp }), {}));
    expect(() => moved(draft, "start", { id: "exp", revision: 1, known: {} })).toThrow(
      "ramp[2].traffic: expected at most 0.4, the free share of the layer, got 0.5",
    );
  });

  test("begins anew where its experiment is started after a stop, and goes on after a pause", () => {
    const at = (status: "paused" | "stopped") => stateOf(experimentWith({ ramp, traffic: 0.1, status }));
    const started = (status: "paused" | "stopped") =>
      moved(at(status), "start", { id: "exp", revision: 1, known: {} }).experiments?.[0]?.document.traffic;
    expect(started("paused")).toBe(0.1);
    expect(started("stopped")).toBe(0.01);
  });

  test("may be skipped ahead, goes back only where that is confirmed, and elsewhere not at all", () => {
    const standing = experimentWith({ ramp, traffic: 0.1 });
    const put = (traffic: number, ...confirmed: "less-traffic"[]) =>
      replaced(
        stateOf(standing),
        { ...documentOf(standing), traffic },
        { revision: 1, confirmed, known: {} },
      );
    expect(put(0.5).experiments?.[0]?.what).toBe("traffic 0.1 to 0.5");
    expect(() => put(0.01)).toThrow("confirm=less-traffic");
    expect(put(0.01, "less-traffic").experiments?.[0]?.what).toBe("traffic 0.1 to 0.01");
    expect(() => put(0.3)).toThrow("traffic: expected one of the ramp's steps");
  });

  test("keeps its step where a document from a file, which says no traffic, is written again", async () => {
    const writes = writesOf(storeOf([experimentWith({ ramp, traffic: 0.1 })]));
    const { experiment } = await writes.replace("exp", 1, written({ ramp, description: "new" }), {
      who: "ada",
    });
    expect(experiment).toMatchObject({ traffic: 0.1, description: "new", status: "running" });
  });
});

describe("a guardrail", () => {
  test("has an id, an action, an alpha, a window and a number of requests that it need not say", () => {
    const guardrails = [
      { kind: "latency-p99", maxMs: 80 },
      { kind: "metric", metric: "completions", margin: 0.05 },
    ];
    expect(parsed({ guardrails }).guardrails).toEqual([
      {
        kind: "latency-p99",
        id: "latency-p99",
        action: "hold",
        alpha: 0.01,
        minimum: 100,
        window: "1h",
        maxMs: 80,
      },
      {
        kind: "metric",
        id: "completions",
        action: "hold",
        alpha: 0.01,
        minimum: 100,
        metric: "completions",
        margin: 0.05,
      },
    ]);
    expect(check({ guardrails })).not.toThrow();
  });

  test.each<[string, object, string]>([
    ["of an unknown kind", { kind: "cpu" }, "guardrails[0].kind: "],
    [
      "with a stray field",
      { kind: "srm", window: "1h" },
      "guardrails[0].window: expected none of kind srm, which takes id",
    ],
    ["with a misspelt field", { kind: "error-rate", maximum: 1 }, "guardrails[0].maximum: unknown field"],
    [
      "without a bound",
      { kind: "latency-p99" },
      "guardrails[0]: expected maxMs, an absolute bound, or margin",
    ],
    [
      "with two bounds",
      { kind: "error-rate", max: 0.1, margin: 0.1 },
      "guardrails[0]: expected max, an absolute bound, or margin, how much worse than control an arm may be, got both",
    ],
    ["with a share above 1", { kind: "fallback-rate", max: 1.5 }, "guardrails[0].max: "],
    [
      "with a margin of everything",
      { kind: "fallback-rate", margin: 1 },
      "guardrails[0].margin: expected a share below 1",
    ],
    ["without a metric", { kind: "metric", margin: 0.1 }, "guardrails[0].metric: expected one of"],
    [
      "of a metric that is not there",
      { kind: "metric", metric: "completion", margin: 0.1 },
      'guardrails[0].metric: no metric "completion" (did you mean "completions"?)',
    ],
    [
      "of a metric without a margin",
      { kind: "metric", metric: "completions" },
      "guardrails[0].margin: expected how much",
    ],
    ["with another action", { kind: "srm", action: "stop" }, "guardrails[0].action: "],
    ["that may always be wrong", { kind: "srm", alpha: 1 }, "guardrails[0].alpha: "],
  ])("%s is refused with its field and why", (_what, guardrail, detail) => {
    expect(check({ guardrails: [guardrail] })).toThrow(detail);
  });

  test("of an id that another has is refused, and so is one that compares with nobody", () => {
    expect(check({ guardrails: [{ kind: "srm" }, { kind: "srm" }] })).toThrow(
      'guardrails[1].id: another guardrail is called "srm"',
    );
    expect(
      check({
        arms: [{ id: "control", control: true, model: { name: "m" } }],
        guardrails: [{ kind: "srm" }],
      }),
    ).toThrow("guardrails[0]: expected a control and another arm");
  });

  test("of an interleaving is refused: both arms have a part in every answer", () => {
    expect(check({ kind: "interleave", guardrails: [{ kind: "error-rate", max: 0.1 }] })).toThrow(
      "guardrails: expected none with kind interleave",
    );
  });

  test("that is added to a running experiment starts no new phase", () => {
    const standing = experimentWith({ arms: [arm("control"), arm("treated")] });
    const { guardrails } = parsed({ guardrails: [{ kind: "error-rate", max: 0.1 }] });
    const state = { ...emptyState, experiments: [standing] };
    const change = replaced(
      state,
      { ...documentWith(), guardrails },
      { revision: 1, confirmed: [], known: {} },
    );
    expect(change.experiments?.[0]).toMatchObject({ what: "guardrails", document: { phase: 1, guardrails } });
  });
});
