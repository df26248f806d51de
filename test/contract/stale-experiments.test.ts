import { expect, onTestFinished, test } from "vitest";
import { type Doors, openDoors, testExperiment } from "../support/doors.ts";
import { storeOf } from "../support/experiment-store.ts";

const since = Date.parse("2026-11-22T08:00:00.000Z");

async function doorsWith(stale: { since: number; reason: string } | undefined): Promise<Doors> {
  const doors = await openDoors({ experiments: { ...storeOf([testExperiment]), stale: () => stale } });
  onTestFinished(() => doors.close());
  doors.readiness.set("ready");
  return doors;
}

const shown = async (doors: Doors) => ({
  http: await (await fetch(`${doors.http}/v1/experiments`)).json(),
  grpc: (await doors.grpc.call("setlist.v1.ExperimentService", "List", {})).message,
});

test("experiments whose store cannot be asked are served, marked stale, by a server that stays ready", async () => {
  const doors = await doorsWith({ since, reason: "nobody listens there (ECONNREFUSED)" });
  const stale = { since: "2026-11-22T08:00:00.000Z", reason: "nobody listens there (ECONNREFUSED)" };
  expect(await shown(doors)).toMatchObject({
    http: { experiments: [{ id: "home-kd" }], stale },
    grpc: { experiments: [{ id: "home-kd" }], stale },
  });
  const ready = await fetch(`${doors.http}/readyz`);
  expect(ready.status).toBe(200);
  expect(await ready.json()).toEqual({
    status: "ready",
    detail: `the experiments are those of ${stale.since}: ${stale.reason}`,
  });
});

test("experiments that are up to date say nothing of it", async () => {
  const doors = await doorsWith(undefined);
  const { http, grpc } = await shown(doors);
  expect(http).not.toHaveProperty("stale");
  expect(grpc["stale"] ?? undefined).toBeUndefined();
  expect(await (await fetch(`${doors.http}/readyz`)).json()).toEqual({ status: "ready" });
});
