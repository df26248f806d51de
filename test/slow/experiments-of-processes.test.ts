import { mkdir, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openRegistry } from "../../src/registry/registry.ts";
import { eventually } from "../support/eventually.ts";
import { type ProcessGroup, startGroup } from "../support/process-group.ts";
import { setlist } from "../support/setlist-command.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** Within which every process obeys, ms: a second, and what others on the machine may cost. */
const obeyedMsMax = 10_000;

const document = `
id: exp
surface: home
layer: home-ranker
status: running
arms:
  - { id: control, control: true, weight: 0, model: { name: home-control } }
  - { id: kd, model: { name: home-kd } }
`;

interface Seen {
  /** Monotonic ms. */
  readonly sent: number;
  readonly arm: string | undefined;
}

/** Clients that rank one after the other, each request on a connection of its own: the kernel gives it to either process. */
function clients(group: ProcessGroup, count: number) {
  const seen: Seen[] = [];
  const failed: unknown[] = [];
  let over = false;
  const client = async (): Promise<void> => {
    while (!over) {
      const sent = performance.now();
      try {
        const { status, text } = await group.call("POST", "/v1/rank", {
          surface: "home",
          user: { id: "u1" },
          candidateIds: ["t1", "t2"],
          timeoutMs: 10_000,
        });
        if (status !== 200) failed.push(text);
        const { assignments } = JSON.parse(text) as { assignments: { arm: string }[] };
        seen.push({ sent, arm: assignments[0]?.arm });
      } catch (error) {
        failed.push(error);
      }
    }
  };
  const running = Promise.all(Array.from({ length: count }, client));
  return {
    failed,
    /** Waits until a while has passed since `from` in which all agree, and answers when the last disagreed, in ms from it. */
    async obeyed(from: number, arm: string | undefined): Promise<number> {
      await eventually(() => {
        const since = seen.filter(({ sent }) => sent > performance.now() - 500);
        expect(performance.now() - from).toBeGreaterThan(600);
        expect(since.length).toBeGreaterThan(20);
        expect(since.every((one) => one.arm === arm)).toBe(true);
      });
      const last = seen.findLast((one) => one.arm !== arm);
      return Math.max(0, (last?.sent ?? from) - from);
    },
    async stop() {
      over = true;
      await running;
    },
  };
}

test("every change reaches every process within a second, and no request fails for it", async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "experiments"));
  await writeFile(join(folder, "experiments", "exp.yaml"), document);
  await writeFile(
    join(folder, "setlist.yaml"),
    "experiments: experiments\nsurfaces: { home: { defaultModel: { name: home-control } } }\n",
  );
  const dataDir = join(folder, "data");
  const group = await startGroup(dataDir, { flags: ["--config", join(folder, "setlist.yaml")] });
  const load = clients(group, 4);
  onTestFinished(() => load.stop());
  const changes = openRegistry({ dataDir, clock: { now: Date.now, monotonic: () => performance.now() } });
  onTestFinished(() => changes.close());

  const write = async (path: string, body: object | undefined, revision: number): Promise<number> => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const sent = JSON.stringify(body ?? {});
      const headers = {
        "if-match": String(revision),
        ...(body !== undefined && {
          "content-type": "application/json",
          "content-length": String(sent.length),
        }),
      };
      const call = request(
        { port: group.httpPort, method: "POST", path, headers, agent: false },
        (answer) => {
          answer.resume();
          answer.on("end", () => resolve(answer.statusCode));
        },
      );
      call.on("error", reject);
      call.end(body === undefined ? undefined : sent);
    });
    expect(status).toBe(200);
    return performance.now();
  };

  const took: Record<string, number> = {};
  await load.obeyed(performance.now(), "kd");
  took["kill"] = await load.obeyed(
    await write("/v1/experiments/exp/kill", { reason: "latency" }, 1),
    undefined,
  );
  took["revive"] = await load.obeyed(await write("/v1/experiments/exp/revive", undefined, 2), "kd");
  took["kill switch"] = await load.obeyed(
    await write("/v1/kill-switch", { on: true, reason: "all" }, 0),
    undefined,
  );
  took["switched off"] = await load.obeyed(await write("/v1/kill-switch", { on: false }, 1), "kd");
  took["pause"] = await load.obeyed(await write("/v1/experiments/exp/pause", undefined, 3), undefined);

  // Beside the server: a command writes into its data directory.
  const { code, stderr } = await setlist(
    ...["experiments", "start", "exp", "--data-dir", dataDir, "--config", join(folder, "setlist.yaml")],
  );
  expect(stderr).toBe("");
  expect(code).toBe(0);
  const since = performance.now();
  took["command"] = await load.obeyed(since, "kd");

  await load.stop();
  expect(load.failed).toEqual([]);
  for (const [change, ms] of Object.entries(took)) expect(ms, change).toBeLessThan(obeyedMsMax);
  expect((await changes.history("exp")).map(({ what }) => what)).toEqual([
    "created, running",
    "killed: latency",
    "no longer killed",
    "status running to paused",
    "status paused to running",
  ]);
});
