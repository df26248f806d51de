/**
 * What every experiment store promises, whatever keeps it. Each implementation runs this suite in a test file of its
 * own.
 */
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Clock } from "../../src/domain/clock.ts";
import type { Experiment } from "../../src/domain/experiment.ts";
import type { ExperimentStore } from "../../src/domain/experiment-store.ts";
import { emptyState, type StoreChange, type StoreState } from "../../src/domain/store-state.ts";
import { experimentWith } from "../support/experiments.ts";

/** A place that keeps one store, empty at first, which several may open at once. */
export interface StorePlace {
  open(clock: Clock): Promise<ExperimentStore>;
}

/** Within which a change has to be known to everyone who has the store open, ms. */
const knownMsMax = 10_000;
const at = Date.parse("2026-11-22T08:00:00.000Z");
const clock: Clock = { now: () => at, monotonic: () => 0 };

/** @param make a new place; what it kept is removed when the running test is over. */
export function experimentStoreContract(name: string, make: () => Promise<StorePlace>): void {
  const openedAt = async (place: StorePlace): Promise<ExperimentStore> => {
    const store = await place.open(clock);
    onTestFinished(() => store.close());
    return store;
  };
  const opened = async (): Promise<ExperimentStore> => openedAt(await make());

  describe(`${name}: a write`, () => {
    test("of a new store finds nothing standing, and what it puts in place stands for everyone here", async () => {
      const store = await opened();
      expect(store.current()).toEqual(emptyState);
      const found: StoreState[] = [];
      const written = await store.write("ada", (standing) => {
        found.push(standing);
        return creating("b", "a");
      });
      expect(found[0]).toEqual(emptyState);
      expect(written).toBe(store.current());
      expect(store.list()).toBe(written.experiments);
      expect(store.list().map(({ id }) => id)).toEqual(["a", "b"]);
      expect(store.get("a")).toEqual(experimentOf("a"));
      expect(store.get("c")).toBeUndefined();
      expect(store.stale()).toBeUndefined();
    });

    test("survives the end of everyone who had the store open", async () => {
      const place = await make();
      const first = await place.open(clock);
      await first.write("ada", () => everything);
      const kept = first.current();
      await first.close();
      expect((await openedAt(place)).current()).toEqual(kept);
    });

    test("keeps every revision: what, who, when, and one hash for all that a write put in place", async () => {
      const store = await opened();
      await store.write("ada", () => creating("a", "b"));
      await store.write("grace", (standing) => ramped(standing, "a", 0.5));
      const revisions = await store.history("a");
      expect(revisions.map(({ who, at: when, what }) => ({ who, when, what }))).toEqual([
        { who: "ada", when: at, what: "created" },
        { who: "grace", when: at, what: "traffic 1 to 0.5" },
      ]);
      expect(revisions.map(({ document }) => [document.revision, document.traffic])).toEqual([
        [1, 1],
        [2, 0.5],
      ]);
      const [ofB] = await store.history("b");
      expect(revisions[0]?.hash).toMatch(/^[0-9a-f]{64}$/);
      expect(ofB?.hash).toBe(revisions[0]?.hash);
      expect(revisions[1]?.hash).not.toBe(revisions[0]?.hash);
      expect(await store.history("c")).toEqual([]);
    });

    test("has a hash that only depends on what stands", async () => {
      const [one, other] = [await opened(), await opened()];
      await one.write("ada", () => creating("a", "b"));
      await other.write("grace", () => creating("b"));
      await other.write("grace", () => creating("a"));
      const [first] = await one.history("b");
      const [last] = await other.history("a");
      expect(last?.hash).toBe(first?.hash);
    });

    test("may hold experiments, surfaces and the kill switch, each with a history of its own", async () => {
      const store = await opened();
      await store.write("ada", () => everything);
      expect(store.current()).toEqual({
        experiments: [experimentOf("a")],
        surfaces: [shippedHome],
        killSwitch: { on: true, reason: "latency", revision: 1 },
      });
      expect(await store.surfaceHistory("home")).toMatchObject([{ document: shippedHome, who: "ada" }]);
      expect(await store.surfaceHistory("radio")).toEqual([]);
      expect(await store.killSwitchHistory()).toMatchObject([
        { document: { on: true, reason: "latency" }, what: "on: latency" },
      ]);
    });

    test("that throws is thrown as it is, and nothing is kept", async () => {
      const store = await opened();
      const reason = new Error("not so");
      await expect(
        store.write("ada", () => {
          throw reason;
        }),
      ).rejects.toBe(reason);
      expect(store.current()).toEqual(emptyState);
      await store.write("ada", () => creating("a"));
      expect(store.list()).toHaveLength(1);
    });

    test("that holds nothing leaves no trace", async () => {
      const store = await opened();
      const before = await store.write("ada", () => creating("a"));
      expect(await store.write("ada", () => ({}))).toBe(before);
      expect(await store.history("a")).toHaveLength(1);
    });

    test("that is not one revision above what stands is aborted whole", async () => {
      const store = await opened();
      await store.write("ada", () => creating("a"));
      const stale = store.write("grace", () => creating("b", "a"));
      await expect(stale).rejects.toMatchObject({
        code: "ABORTED",
        message: expect.stringContaining("experiment a stands at revision 1"),
      });
      expect(store.list().map(({ id }) => id)).toEqual(["a"]);
      expect(await store.history("b")).toEqual([]);
    });
  });

  describe(`${name}: several that have it open`, () => {
    test("write one after the other: each finds what the others wrote, and none is lost", async () => {
      const place = await make();
      const stores = await Promise.all([openedAt(place), openedAt(place), openedAt(place)]);
      await stores[0]?.write("ada", () => creating("a"));
      const rounds = 8;
      await Promise.all(
        stores.flatMap((store) =>
          Array.from({ length: rounds }, () =>
            store.write("ada", (standing) =>
              ramped(standing, "a", (standing.experiments[0]?.revision ?? 0) / 100),
            ),
          ),
        ),
      );
      const revisions = await (stores[0] as ExperimentStore).history("a");
      expect(revisions.map(({ document }) => document.revision)).toEqual(
        Array.from({ length: 3 * rounds + 1 }, (_, index) => index + 1),
      );
    });

    test("of two that read the same revision, one gets it and the other is aborted", async () => {
      const place = await make();
      const [one, other] = [await openedAt(place), await openedAt(place)];
      await one.write("ada", () => creating("a"));
      const revision2 = { ...experimentOf("a"), revision: 2 };
      const settled = await Promise.allSettled(
        [one, other].map((store) =>
          store.write("ada", () => ({ experiments: [{ document: revision2, what: "" }] })),
        ),
      );
      expect(settled.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      expect(settled.find(({ status }) => status === "rejected")).toMatchObject({
        reason: { code: "ABORTED" },
      });
    });

    test("hear of what one of them wrote, the writer before its write resolves", async () => {
      const place = await make();
      const [writer, reader] = [await openedAt(place), await openedAt(place)];
      const [atWriter, atReader] = [vi.fn(), vi.fn()];
      writer.onChange(atWriter);
      reader.onChange(atReader);
      const before = performance.now();
      await writer.write("ada", () => creating("a"));
      expect(atWriter.mock.calls).toEqual([[writer.current()]]);
      await expect.poll(() => reader.list().length, { timeout: knownMsMax, interval: 5 }).toBe(1);
      expect(performance.now() - before).toBeLessThan(knownMsMax);
      expect(reader.current()).toEqual(writer.current());
      expect(atReader.mock.calls).toEqual([[reader.current()]]);
    });

    test("see at once what another wrote, where they look", async () => {
      const place = await make();
      const [writer, reader] = [await openedAt(place), await openedAt(place)];
      for (const id of ["a", "b", "c"]) {
        await writer.write("ada", () => creating(id));
        expect(await reader.refresh()).toEqual(writer.current());
        expect(reader.get(id)).toEqual(experimentOf(id));
      }
    });

    test("hear nothing once they no longer want to", async () => {
      const store = await opened();
      const listener = vi.fn();
      const end = store.onChange(listener);
      await store.write("ada", () => creating("a"));
      end();
      await store.write("ada", () => creating("b"));
      expect(listener).toHaveBeenCalledTimes(1);
    });
  });
}

const experimentOf = (id: string): Experiment => experimentWith({ id, layer: id });

function creating(...ids: string[]): StoreChange {
  return { experiments: ids.map((id) => ({ document: experimentOf(id), what: "created" })) };
}

function ramped({ experiments }: StoreState, id: string, traffic: number): StoreChange {
  const standing = experiments.find((one) => one.id === id) as Experiment;
  const document = { ...standing, traffic, revision: standing.revision + 1 };
  return { experiments: [{ document, what: `traffic ${standing.traffic} to ${traffic}` }] };
}

const shippedHome = {
  surface: "home",
  shipped: { model: { name: "home-kd", version: "1" }, experiment: "a", arm: "treated" },
  revision: 1,
};

const everything: StoreChange = {
  ...creating("a"),
  surfaces: [{ document: shippedHome, what: "a's treated shipped" }],
  killSwitch: { document: { on: true, reason: "latency", revision: 1 }, what: "on: latency" },
};
