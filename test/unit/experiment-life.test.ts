import { describe, expect, test } from "vitest";
import type { Experiment } from "../../src/domain/experiment.ts";
import { emptyState, type StoreChange, type StoreState } from "../../src/domain/store-state.ts";
import {
  created,
  documentOf,
  imported,
  killed,
  moved,
  replaced,
  restored,
  revived,
  shipped,
  switched,
} from "../../src/experiments/experiments.ts";
import { applied } from "../../src/registry/applied.ts";
import { arm, documentWith, experimentWith } from "../support/experiments.ts";

const known = {};

const stateOf = (...experiments: Experiment[]): StoreState => ({ ...emptyState, experiments });
const afterwards = (state: StoreState, change: StoreChange): StoreState => applied(state, change);
const only = ({ experiments = [] }: StoreChange) => experiments[0]?.document as Experiment;
const whatOf = ({ experiments = [] }: StoreChange) => experiments.map(({ what }) => what);
const running = stateOf(experimentWith({ traffic: 0.5 }));
const standing = running.experiments[0] as Experiment;

const put = (change: Partial<Experiment>, ...confirmed: ("new-phase" | "less-traffic")[]) =>
  replaced(running, documentOf({ ...standing, ...change }), { revision: 1, confirmed, known });

describe("a new experiment", () => {
  test("is a draft that holds nothing of its layer", () => {
    const change = created(emptyState, documentWith({ status: "draft" }), known);
    expect(only(change)).toMatchObject({ status: "draft", revision: 1, phase: 1, ranges: [] });
    expect(whatOf(change)).toEqual(["created, draft"]);
  });

  test("is refused where its id is taken, and where it would be more than a draft", () => {
    expect(() => created(running, documentWith({ status: "draft" }), known)).toThrow(
      expect.objectContaining({
        code: "ABORTED",
        message: "id: there is an experiment exp already, at revision 1",
      }),
    );
    expect(() => created(emptyState, documentWith({ status: "running" }), known)).toThrow(
      "status: a new experiment is a draft, got running",
    );
  });
});

describe("a document in the place of a running experiment", () => {
  test("that says the same writes nothing", () => {
    expect(put({})).toEqual({});
  });

  test("may ramp its traffic up, and describe it better", () => {
    const change = put({ traffic: 0.8, description: "better" });
    expect(only(change)).toMatchObject({ revision: 2, phase: 1, traffic: 0.8 });
    expect(whatOf(change)).toEqual(["description, traffic 0.5 to 0.8"]);
  });

  test("of a stale revision is aborted", () => {
    const stale = () => replaced(running, documentOf(standing), { revision: 4, confirmed: [], known });
    expect(stale).toThrow(
      expect.objectContaining({
        code: "ABORTED",
        message: "revision: exp stands at revision 1, and 4 was read: read it again",
      }),
    );
  });

  test.each<[string, Partial<Experiment>]>([
    ["arms", { arms: [arm("control"), arm("treated", { weight: 3 })] }],
    ["salt", { salt: "other" }],
    ["targeting", { targeting: "user.country == 'DE'" }],
    ["layer", { layer: "another" }],
  ])("that spoils its %s starts a phase once that is confirmed, and is refused before", (field, change) => {
    expect(() => put(change)).toThrow(
      `${field}: exp has begun, so this would start phase 2: what phase 1 measured is not analysed with what comes then`,
    );
    expect(() => put(change, "less-traffic")).toThrow("--confirm-new-phase");
    expect(only(put(change, "new-phase"))).toMatchObject({ revision: 2, phase: 2 });
  });

  test("that takes traffic away is refused until that is confirmed", () => {
    expect(() => put({ traffic: 0.2 })).toThrow("traffic: exp would go down from 0.5 to 0.2");
    expect(only(put({ traffic: 0.2 }, "less-traffic"))).toMatchObject({ traffic: 0.2, phase: 1 });
  });

  test("that needs more traffic than is free is refused, with who holds it", () => {
    const mate = experimentWith({ id: "mate", traffic: 0.5 }, running.experiments);
    const both = stateOf(standing, mate);
    expect(() =>
      replaced(both, documentOf({ ...standing, traffic: 0.6 }), { revision: 1, confirmed: [], known }),
    ).toThrow(
      "traffic: expected at most 0.5, the free share of the layer, got 0.6; layer ranker is held by mate",
    );
  });
});

describe("a move", () => {
  const move = (state: StoreState, name: Parameters<typeof moved>[1], winner?: string) =>
    moved(state, name, { id: "exp", revision: state.experiments[0]?.revision ?? 0, winner, known });

  test("leads from draft to running, paused and back, and to stopped with a winner, in one phase", () => {
    let state = afterwards(emptyState, created(emptyState, documentWith({ status: "draft" }), known));
    const seen: string[] = [];
    for (const [name, winner] of [["start"], ["pause"], ["start"], ["stop", "treated"]] as const) {
      const change = move(state, name, winner);
      seen.push(...whatOf(change));
      state = afterwards(state, change);
    }
    expect(seen).toEqual([
      "status draft to running",
      "status running to paused",
      "status paused to running",
      "status running to stopped, winner treated",
    ]);
    expect(state.experiments).toMatchObject([{ revision: 5, phase: 1, ranges: [], winner: "treated" }]);
    expect(afterwards(state, move(state, "start")).experiments[0]).not.toHaveProperty("winner");
  });

  test("that starts a ramp begins with its first step, and one that starts it again goes on where it was paused", () => {
    const ramp = [{ traffic: 0.01, for: "1h" }, { traffic: 0.1, for: "1h" }, { traffic: 0.5 }];
    const from = (status: "paused" | "stopped") =>
      only(move(stateOf(experimentWith({ ramp, traffic: 0.1, status })), "start")).traffic;
    expect([from("stopped"), from("paused")]).toEqual([0.01, 0.1]);
  });

  test("that its status does not allow is refused", () => {
    expect(() => move(running, "start")).toThrow(
      "status: exp is running; start takes one that is draft or paused or stopped",
    );
    expect(() => move(stateOf(experimentWith({ status: "draft" })), "pause")).toThrow("status: exp is draft");
  });

  test("to an arm that there is not is refused with the nearest", () => {
    expect(() => move(running, "stop", "traeted")).toThrow(
      'winner: no arm "traeted" of exp (did you mean "treated"?)',
    );
  });

  test("that stops asks nobody whether its models are still there; one that starts does", () => {
    const options = { id: "exp", revision: 1, known: { models: [] } };
    expect(only(moved(running, "stop", options))).toMatchObject({ status: "stopped" });
    expect(() => moved(stateOf(experimentWith({ status: "draft" })), "start", options)).toThrow(
      'arms[0].model.name: no model "home-control"',
    );
  });

  test("of an experiment that there is not is NOT_FOUND with the nearest", () => {
    expect(() => moved(running, "stop", { id: "exq", revision: 1, known })).toThrow(
      expect.objectContaining({
        code: "NOT_FOUND",
        message: 'id: no experiment "exq" (did you mean "exp"?)',
      }),
    );
  });
});

describe("a shipped arm", () => {
  const valueModel = { kind: "weighted-sum", weights: { click: 2 } } as const;
  const state = stateOf(experimentWith({ arms: [arm("control"), arm("treated", { valueModel })] }));

  test("stops the experiment with it as the winner, and serves the surface, model and value model", () => {
    const change = shipped(state, { id: "exp", revision: 1, arm: "treated" });
    expect(only(change)).toMatchObject({ status: "stopped", winner: "treated", ranges: [] });
    expect(whatOf(change)).toEqual(["status running to stopped, winner treated; treated shipped to home"]);
    expect(change.surfaces).toEqual([
      {
        document: {
          surface: "home",
          shipped: { model: { name: "home-treated" }, valueModel, experiment: "exp", arm: "treated" },
          revision: 1,
        },
        what: "arm treated of exp shipped",
      },
    ]);
  });

  test("that says half of a value model leaves the other half as it was shipped before", () => {
    const diversity = [{ by: "artist", decay: 0.5 }];
    const earlier = {
      surface: "home",
      shipped: { model: { name: "m" }, valueModel: { ...valueModel, diversity }, experiment: "x", arm: "y" },
      revision: 4,
    };
    const arms = [arm("control"), arm("treated", { valueModel: { diversity: [] } })];
    const later = { ...stateOf(experimentWith({ arms })), surfaces: [earlier] };
    expect(shipped(later, { id: "exp", revision: 1, arm: "treated" }).surfaces).toMatchObject([
      { document: { revision: 5, shipped: { valueModel: { ...valueModel, diversity: [] } } } },
    ]);
  });

  test("whose weights are its own takes over no powers of what was shipped before", () => {
    const powers = { click: 2 };
    const earlier = {
      surface: "home",
      shipped: { model: { name: "m" }, valueModel: { ...valueModel, powers }, experiment: "x", arm: "y" },
      revision: 4,
    };
    const change = shipped({ ...state, surfaces: [earlier] }, { id: "exp", revision: 1, arm: "treated" });
    expect(change.surfaces?.[0]?.document.shipped?.valueModel).toEqual(valueModel);
  });

  test("is the winner of one that was stopped for it, or has to be named", () => {
    const options = { id: "exp", revision: 1, arm: undefined };
    expect(() => shipped(state, options)).toThrow(
      "arm: expected the arm to ship, one of control, treated, since exp has no winner",
    );
    const stopped = afterwards(
      state,
      moved(state, "stop", { id: "exp", revision: 1, winner: "treated", known }),
    );
    expect(shipped(stopped, { ...options, revision: 2 }).surfaces).toHaveLength(1);
  });

  test("that serves the surface already is written once, until another one is shipped", () => {
    const options = { id: "exp", revision: 2, arm: "treated" };
    const served = afterwards(state, shipped(state, { ...options, revision: 1 }));
    expect(shipped(served, options)).toEqual({});
    const other = afterwards(served, shipped(served, { ...options, arm: "control" }));
    expect(shipped(other, { ...options, revision: 3 }).surfaces).toHaveLength(1);
    const back = afterwards(served, restored(served, "home", 1));
    expect(shipped(back, options).surfaces).toHaveLength(1);
  });

  test("of a draft is refused", () => {
    const draft = stateOf(experimentWith({ status: "draft" }));
    expect(() => shipped(draft, { id: "exp", revision: 1, arm: "treated" })).toThrow(
      "status: exp is a draft",
    );
  });

  test("can be taken back: the configuration's default serves again, and what was shipped stays in the history", () => {
    const served = afterwards(state, shipped(state, { id: "exp", revision: 1, arm: "treated" }));
    expect(() => restored(served, "home", 0)).toThrow(expect.objectContaining({ code: "ABORTED" }));
    const back = afterwards(served, restored(served, "home", 1));
    expect(back.surfaces).toEqual([{ surface: "home", revision: 2 }]);
    expect(() => restored(back, "home", 2)).toThrow("surface: nothing is shipped to home");
  });
});

describe("a kill", () => {
  test("needs no revision, keeps status, phase and place, and can be taken back", () => {
    const dead = afterwards(running, killed(running, { id: "exp", revision: undefined, reason: "latency" }));
    expect(dead.experiments).toMatchObject([
      { killed: "latency", status: "running", phase: 1, revision: 2, ranges: standing.ranges },
    ]);
    expect(killed(dead, { id: "exp", revision: undefined, reason: "latency" })).toEqual({});
    const change = revived(dead, { id: "exp", revision: 2 });
    expect(whatOf(change)).toEqual(["no longer killed"]);
    expect(only(change)).toEqual({ ...standing, revision: 3 });
  });

  test("stays through other writes, and ends where the experiment is stopped", () => {
    const dead = afterwards(running, killed(running, { id: "exp", revision: 1, reason: "latency" }));
    const document = documentOf({ ...standing, description: "still" });
    const written = afterwards(dead, replaced(dead, document, { revision: 2, confirmed: [], known }));
    expect(written.experiments).toMatchObject([{ killed: "latency", description: "still" }]);
    const stopped = afterwards(written, moved(written, "stop", { id: "exp", revision: 3, known }));
    expect(stopped.experiments[0]).not.toHaveProperty("killed");
  });

  test("of one that assigns nobody anyway, or of a stale revision, is refused", () => {
    const draft = stateOf(experimentWith({ status: "draft" }));
    expect(() => killed(draft, { id: "exp", revision: undefined, reason: "x" })).toThrow(
      "status: exp is draft: it assigns nobody",
    );
    expect(() => killed(running, { id: "exp", revision: 7, reason: "x" })).toThrow(
      expect.objectContaining({ code: "ABORTED" }),
    );
    expect(() => revived(running, { id: "exp", revision: 1 })).toThrow("id: exp was not killed");
  });
});

describe("the kill switch", () => {
  test("goes on and off with a history, and writes nothing where it stands so already", () => {
    const on = afterwards(
      emptyState,
      switched(emptyState, { on: true, reason: "latency", revision: undefined }),
    );
    expect(on.killSwitch).toEqual({ on: true, reason: "latency", revision: 1 });
    expect(switched(on, { on: true, reason: "latency", revision: undefined })).toEqual({});
    expect(switched(on, { on: false, reason: "", revision: 1 }).killSwitch).toEqual({
      document: { on: false, reason: "", revision: 2 },
      what: "off",
    });
    expect(() => switched(on, { on: false, reason: "", revision: 0 })).toThrow(
      "revision: the kill switch stands at revision 1, and 0 was read",
    );
  });
});

describe("an import", () => {
  const write = (documents: Parameters<typeof imported>[1], ...confirmed: ("new-phase" | "less-traffic")[]) =>
    imported(running, documents, { confirmed, known });
  const half = documentWith({ id: "new", traffic: 0.5 });

  test("creates, changes and leaves alone; what one gives back another may take", () => {
    const document = documentOf({ ...standing, traffic: 0.3 });
    const taking = { document: { ...half, traffic: 0.7 }, revision: 0 };
    const change = write([{ document, revision: 1 }, taking], "less-traffic");
    expect(whatOf(change)).toEqual(["traffic 0.5 to 0.3", "created, running"]);
    expect(write([{ document: documentOf(standing), revision: 1 }])).toEqual({ experiments: [] });
  });

  test("is refused whole, with the experiment before the field", () => {
    expect(() => write([{ document: half, revision: 3 }])).toThrow(
      "experiment new: revision: new does not exist, and 3 was read",
    );
    expect(() =>
      write([
        { document: half, revision: 0 },
        { document: half, revision: 0 },
      ]),
    ).toThrow("experiment new: id: it is there twice");
    expect(() => write([{ document: documentOf({ ...standing, salt: "x" }), revision: 1 }])).toThrow(
      "experiment exp: salt: exp has begun",
    );
    expect(() => write([{ document: { ...half, arms: [arm("treated")] }, revision: 0 }])).toThrow(
      "experiment new: arms: expected exactly one with control: true, got none",
    );
  });
});
