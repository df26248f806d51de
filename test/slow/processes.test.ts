import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { startAnswering } from "../../src/app/group/start-answering.ts";
import { loadConfig } from "../../src/config.ts";
import { verifyLog } from "../../src/outcomes/outcomes.ts";
import { isAlive } from "../support/alive.ts";
import { eventually } from "../support/eventually.ts";
import { grpcCaller } from "../support/grpc-caller.ts";
import { scratchRepository } from "../support/model-repository.ts";
import { recordsIn, segmentsIn } from "../support/outcomes-log.ts";
import { type ProcessGroup, socketsOf, startGroup } from "../support/process-group.ts";
import { setlist } from "../support/setlist-command.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const ranking = (requestId: string) => ({
  requestId,
  surface: "home",
  user: { id: requestId },
  candidateIds: ["t1", "t2", "t3"],
  timeoutMs: 10_000,
});

const lateExperiment = `
id: late
surface: home
layer: home-ranker
status: running
arms:
  - { id: control, control: true, model: { name: home-control } }
  - { id: kd, model: { name: home-kd } }
`;

async function impressionsIn(dataDir: string): Promise<Set<string>> {
  const records = await recordsIn(join(dataDir, "log"));
  return new Set(records.flatMap((one) => (one.kind === "impression" ? [one.requestId] : [])));
}

/** Clients that rank one after the other, each request on a connection of its own, until told to stop. */
function load(group: ProcessGroup, clients: number) {
  const answered: string[] = [];
  const failed: { requestId: string; code: string }[] = [];
  let over = false;
  const client = async (number: number): Promise<void> => {
    for (let round = 0; !over; round++) {
      const requestId = `c${number}-${round}`;
      try {
        const { status, closing } = await group.call("POST", "/v1/rank", ranking(requestId));
        expect(status).toBe(200);
        answered.push(requestId);
        // As a load balancer does that has seen /readyz: a server that drains gets nothing new.
        if (closing && (await isDraining(group))) return;
      } catch (error) {
        failed.push({ requestId, code: (error as NodeJS.ErrnoException).code ?? String(error) });
      }
    }
  };
  const running = Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
  return {
    answered,
    failed,
    running,
    async stop() {
      over = true;
      await running;
    },
    reaches: (count: number) => eventually(() => expect(answered.length).toBeGreaterThan(count)),
  };
}

const isDraining = async (group: ProcessGroup): Promise<boolean> =>
  (await group.call("GET", "/readyz").catch(() => ({ status: 503 }))).status === 503;

/** Connections that are opened and say nothing. */
async function openConnections(port: number, count: number): Promise<void> {
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (let index = 0; index < count; index++) {
    const socket = connect(port, "127.0.0.1");
    sockets.push(socket);
    await once(socket, "connect");
  }
}

async function sampleOf(group: ProcessGroup, series: string): Promise<number> {
  const { text } = await group.call("GET", "/metrics");
  const line = text.split("\n").find((one) => one.startsWith(`${series} `));
  return Number(line?.split(" ").at(-1));
}

test("connections of both doors are spread over the processes, and each says its number", async () => {
  const group = await startGroup(await temporaryFolder());
  await group.says("process loaded", 3);
  const [one, other, standby] = group.answering().map(({ pid }) => pid) as [number, number, number];
  for (const port of [group.httpPort, group.grpcPort]) {
    const before = [one, other, standby].map(socketsOf);
    await openConnections(port, 60);
    await eventually(() => {
      const taken = [one, other, standby].map((pid, index) => socketsOf(pid) - (before[index] ?? 0));
      expect(taken[2]).toBe(0);
      // Fewer than 8 of 60 on one side of a fair coin: once in 10^9.
      expect(Math.min(...taken.slice(0, 2))).toBeGreaterThanOrEqual(8);
      expect((taken[0] ?? 0) + (taken[1] ?? 0)).toBe(60);
    });
  }
  const serves = group.lines.filter(({ msg }) => msg === "model version serves");
  expect(new Set(serves.map(({ process }) => process))).toEqual(new Set([1, 2, 3]));
  expect(group.lines.filter(({ msg }) => msg === "ready")).toHaveLength(1);
});

test("one log: an outcome is counted once whoever gets it, and every metric is the sum over all", async () => {
  const dataDir = await temporaryFolder();
  const group = await startGroup(dataDir);
  for (let index = 0; index < 30; index++) await group.call("POST", "/v1/rank", ranking(`r${index}`));
  const grpc = grpcCaller(`127.0.0.1:${group.grpcPort}`);
  expect((await grpc.call("setlist.v1.RankingService", "Rank", ranking("r30"))).code).toBe("OK");
  grpc.close();
  const outcome = { outcomeId: "o1", requestId: "r0", itemId: "t1", type: "click" };
  const answers = await Promise.all(
    Array.from({ length: 30 }, () => group.call("POST", "/v1/outcomes", { outcomes: [outcome] })),
  );
  const counted = answers.map(({ text }) => JSON.parse(text) as { accepted: number; duplicates: number });
  expect(counted.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(1);
  expect(counted.reduce((sum, { duplicates }) => sum + duplicates, 0)).toBe(29);

  for (let look = 0; look < 10; look++) {
    expect(await sampleOf(group, 'setlist_rank_candidates_count{surface="home"}')).toBe(31);
    expect(await sampleOf(group, 'setlist_outcomes_total{result="duplicate"}')).toBe(29);
    expect(await sampleOf(group, 'setlist_outcomes_total{result="unmatched"}')).toBe(0);
  }
  expect(await sampleOf(group, 'setlist_processes{state="serving"}')).toBe(2);
  expect(
    await sampleOf(group, 'setlist_model_version_state{model="home-kd",version="1",state="serving"}'),
  ).toBe(1);

  group.signal("SIGTERM");
  expect(await group.ended).toBe(0);
  expect(await impressionsIn(dataDir)).toEqual(
    new Set(Array.from({ length: 31 }, (_, index) => `r${index}`)),
  );
  const { corrupt, outcomes } = await verifyLog(join(dataDir, "log"));
  expect({ corrupt, outcomes }).toEqual({ corrupt: [], outcomes: 1 });
  expect((await segmentsIn(join(dataDir, "log"))).filter((name) => name.endsWith(".open"))).toEqual([]);
});

test("a drain under load answers all that was accepted, seals the log and exits with 0, Ctrl-C in the group too", async () => {
  const dataDir = await temporaryFolder();
  const group = await startGroup(dataDir);
  const clients = load(group, 8);
  await clients.reaches(100);
  // As a terminal does: every process of the group hears it.
  process.kill(-group.pid, "SIGINT");
  await clients.running;
  expect(await group.ended).toBe(0);
  expect(clients.failed).toEqual([]);
  expect(await impressionsIn(dataDir)).toEqual(new Set(clients.answered));
  expect(group.lines.at(-1)?.msg).toBe("stopped");
  expect((await segmentsIn(join(dataDir, "log"))).filter((name) => name.endsWith(".open"))).toEqual([]);
});

test("a process that is killed takes down what was inside it; the rest serve on, and another takes its place", async () => {
  const dataDir = await temporaryFolder();
  const group = await startGroup(dataDir);
  await group.says("process loaded", 3);
  const clients = load(group, 8);
  await clients.reaches(100);
  const before = await sampleOf(group, 'setlist_rank_candidates_count{surface="home"}');
  const [first] = group.answering();
  process.kill(first?.pid ?? 0, "SIGKILL");
  await group.says("process serves in the place of one that ended");
  const seen = clients.answered.length;
  await clients.reaches(seen + 100);
  await clients.stop();
  // Each client has one request at a time: no more than all of them can have been inside.
  expect(clients.failed.length).toBeLessThanOrEqual(8);
  expect(group.lines.find(({ msg }) => msg === "process ended by SIGKILL")?.process).toBe(first?.number);
  expect(await sampleOf(group, 'setlist_rank_candidates_count{surface="home"}')).toBeGreaterThanOrEqual(
    Math.max(before, clients.answered.length / 2),
  );
  expect(await sampleOf(group, "setlist_process_restarts_total")).toBe(1);
  await group.says("process loaded", 4);
  await eventually(async () => {
    expect(await sampleOf(group, 'setlist_processes{state="serving"}')).toBe(2);
    expect(await sampleOf(group, 'setlist_processes{state="standby"}')).toBe(1);
  });
  group.signal("SIGTERM");
  expect(await group.ended).toBe(0);
  const logged = await impressionsIn(dataDir);
  expect(clients.answered.filter((requestId) => !logged.has(requestId))).toEqual([]);
});

test("a process that hangs is killed and replaced, and what waited for it goes on", async () => {
  const group = await startGroup(await temporaryFolder());
  await group.says("process loaded", 3);
  const [first] = group.answering();
  process.kill(first?.pid ?? 0, "SIGSTOP");
  await group.says("process serves in the place of one that ended");
  const words = group.lines.filter(({ process }) => process === first?.number).map(({ msg }) => msg);
  expect(words.slice(-2)).toEqual([
    "process has not answered for 10 s: it is killed",
    "process ended by SIGKILL",
  ]);
  // A change of models waits for one that stands by, and stands still, as it does for those that serve.
  await group.says("process loaded", 4);
  const standby = group.answering().at(-1);
  process.kill(standby?.pid ?? 0, "SIGSTOP");
  expect((await group.call("POST", "/v1/models/home-kd/versions/1/load")).status).toBe(200);
  // Its channel can end before the system has its end.
  await eventually(() => expect(isAlive(standby?.pid ?? 0)).toBe(false));
  await group.says("process loaded", 5);
});

test("where the supervising process is killed all end, every answer is in the log, and a new server starts", async () => {
  const dataDir = await temporaryFolder();
  const group = await startGroup(dataDir);
  const clients = load(group, 8);
  await clients.reaches(100);
  const pids = group.answering().map(({ pid }) => pid);
  group.signal("SIGKILL");
  await group.ended;
  await eventually(() => expect(pids.filter(isAlive)).toEqual([]));
  await clients.stop();
  const ports = ["--http-port", String(group.httpPort), "--grpc-port", String(group.grpcPort)];
  const next = await startGroup(dataDir, { flags: ports });
  expect((await next.call("POST", "/v1/rank", ranking("after"))).status).toBe(200);
  next.signal("SIGTERM");
  expect(await next.ended).toBe(0);
  const logged = await impressionsIn(dataDir);
  expect([...clients.answered, "after"].filter((requestId) => !logged.has(requestId))).toEqual([]);
});

test("a change of models reaches every process, and those that come later; an edited configuration reaches none", async () => {
  const folder = await temporaryFolder();
  const repository = await scratchRepository(folder);
  for (const name of ["home-control", "home-kd", "radio-control", "radio-kd"])
    await repository.publish(name, "1");
  await repository.publish("home-kd", "2");
  const experiments = join(folder, "experiments");
  await mkdir(experiments);
  const group = await startGroup(join(folder, "data"), {
    flags: ["--models", repository.path],
    env: { SETLIST_INFERENCE_REPOSITORY_POLL_MS: "0", SETLIST_EXPERIMENTS: experiments },
  });
  await group.says("process loaded", 3);
  const version = "/v1/models/home-kd/versions/1";
  const states = async (): Promise<Set<string>> => {
    const texts = await Promise.all(Array.from({ length: 20 }, () => group.call("GET", "/v1/models")));
    return new Set(
      texts.map(({ text }) => {
        const { versions } = JSON.parse(text) as {
          versions: { name: string; state: string; labels: string[] }[];
        };
        const ours = versions.filter(({ name }) => name === "home-kd");
        return ours.map(({ state, labels }) => [state, ...labels].join(" ")).join(", ");
      }),
    );
  };
  expect(await states()).toEqual(new Set(["available, serving"]));
  expect((await group.call("POST", `${version}/load`)).status).toBe(200);
  expect(await states()).toEqual(new Set(["serving, serving"]));
  expect(
    (await group.call("PUT", "/v1/models/home-kd/labels/stable", { version: "1", who: "ada" })).status,
  ).toBe(200);
  expect(await states()).toEqual(new Set(["serving stable, serving"]));
  const refused = await group.call("POST", `${version}/unload`);
  expect(refused.status).toBe(409);
  expect(refused.text).toContain("label stable");

  await writeFile(join(experiments, "late.yaml"), lateExperiment);

  // One that stood by and was told, then one that came after.
  for (const loaded of [4, 5]) {
    process.kill(group.answering()[0]?.pid ?? 0, "SIGKILL");
    await group.says("process loaded", loaded);
    await group.says("process serves in the place of one that ended", loaded - 3);
    expect(await states()).toEqual(new Set(["serving stable, serving"]));
  }
  const listed = await Promise.all(Array.from({ length: 20 }, () => group.call("GET", "/v1/experiments")));
  expect(new Set(listed.map(({ text }) => text))).toEqual(new Set([JSON.stringify({ experiments: [] })]));
  const { text } = await group.call("GET", "/v1/models/home-kd/labels");
  expect((JSON.parse(text) as { history: unknown[] }).history).toHaveLength(1);
});

describe("a start that cannot be", () => {
  test("ends with the sentence of a single process", async () => {
    const { code, stderr } = await setlist(
      ...["serve", "--processes", "2", "--data-dir", await temporaryFolder(), "--models", "/nowhere/at/all"],
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(/^setlist: .*\/nowhere\/at\/all/);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  test("says how a process ended that was killed while it started", async () => {
    const config = loadConfig({ flags: {}, env: {}, cwd: await temporaryFolder() });
    const answering = startAnswering(
      { number: 7, config, rows: "none", experiments: "stored" },
      {
        changeModels: async () => undefined,
        metrics: async () => "",
        healthOf: () => Promise.reject(new Error("not asked")),
        logTrouble: async () => undefined,
      },
    );
    answering.kill();
    await expect(answering.started).rejects.toThrow("process 7 ended by SIGKILL before it had started");
  });

  test("a port that another has is not shared with it", async () => {
    const other = createServer().listen({ port: 0, host: "127.0.0.1", reusePort: true });
    onTestFinished(() => void other.close());
    await once(other, "listening");
    const { port } = other.address() as { port: number };
    const { code, stderr } = await setlist(
      ...["serve", "--processes", "2", "--data-dir", await temporaryFolder()],
      ...["--http-port", String(port), "--grpc-port", "0"],
    );
    expect(code).toBe(1);
    expect(stderr).toContain(`http: cannot listen on 127.0.0.1:${port}: the port is in use`);
  });

  test("a second signal ends all at once", async () => {
    const group = await startGroup(await temporaryFolder(), { env: { SETLIST_DRAIN_DELAY_MS: "60000" } });
    const pids = group.answering().map(({ pid }) => pid);
    group.signal("SIGTERM");
    await group.says("draining");
    await delay(50);
    group.signal("SIGTERM");
    expect(await group.ended).toBe(1);
    await eventually(() => expect(pids.filter(isAlive)).toEqual([]));
  });
});
