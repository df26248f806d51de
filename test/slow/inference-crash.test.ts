import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { type ServerProcess, startServerProcess } from "../../src/app/server-process.ts";
import { verifyLog } from "../../src/outcomes/outcomes.ts";
import { childrenOf } from "../../src/telemetry/child-processes.ts";
import { isAlive } from "../support/alive.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

beforeAll(() => {
  process.env["SETLIST_INFERENCE_ISOLATION"] = "process";
  // What waits for the next worker waits as long as it may: on a busy machine a queue would else be refused.
  process.env["SETLIST_INFERENCE_QUEUE_WAIT_MAX_MS"] = "60000";
  process.env["SETLIST_INFERENCE_STANDING_QUEUE_WAIT_MAX_MS"] = "60000";
});

async function start(): Promise<{ server: ServerProcess; dataDir: string }> {
  const dataDir = await temporaryFolder();
  const server = await startServerProcess({ dataDir });
  onTestFinished(() => server.kill());
  return { server, dataDir };
}

interface Answer {
  readonly status: number;
  readonly items: readonly unknown[];
  readonly degraded: readonly string[];
}

/** Two hundred candidates, and time enough for a worker to be replaced in. */
async function rank({ httpPort }: ServerProcess, user: string): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${httpPort}/v1/rank`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      surface: "home",
      user: { id: user },
      candidateIds: Array.from({ length: 200 }, (_, index) => `t${index + 1}`),
      timeoutMs: 20_000,
    }),
  });
  return { status: response.status, ...((await response.json()) as Omit<Answer, "status">) };
}

/** Users' requests at once; u1 and so on are in the committed world, so that nothing is left at its default. */
const rankAll = (server: ServerProcess, count: number): Promise<readonly Answer[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => rank(server, `u${index + 1}`)));

const inferenceProcess = ({ pid }: ServerProcess): number => {
  const [child, ...others] = childrenOf(pid);
  expect(others).toEqual([]);
  return child as number;
};

test.each(["SIGSEGV", "SIGKILL"] as const)(
  "inference that dies of %s in a run takes that run's requests, and nobody else's",
  async (signal) => {
    const { server, dataDir } = await start();
    await rank(server, "u1");
    const victim = inferenceProcess(server);
    // Held where it is, so that it surely is in a run when it dies.
    process.kill(victim, "SIGSTOP");
    const asked = rankAll(server, 24);
    await delay(1_000);
    const killedAt = performance.now();
    process.kill(victim, signal);
    process.kill(victim, "SIGCONT");
    const answers = await asked;
    const replacedMs = performance.now() - killedAt;

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(answers.map(({ items }) => items.length)).toEqual(answers.map(() => 200));
    // The first that came was in a run by itself; those behind it waited for the next worker.
    const hurt = answers.filter(({ degraded }) => degraded.length > 0);
    expect(hurt.map(({ degraded }) => degraded)).toEqual([["model-unavailable"]]);
    expect(inferenceProcess(server)).not.toBe(victim);
    // A quarter of a second on a quiet machine.
    expect(replacedMs).toBeLessThan(10_000);
    const metrics = await fetch(`http://127.0.0.1:${server.httpPort}/metrics`);
    expect(await metrics.text()).toContain("\nsetlist_inference_worker_deaths_total 1\n");

    expect(await server.stop()).toBe(0);
    expect(await verifyLog(join(dataDir, "log"))).toMatchObject({ impressions: 25, corrupt: [] });
  },
);

test("under load, inference that is killed again and again fails no request", async () => {
  const { server } = await start();
  let over = false;
  const answers: Answer[] = [];
  const client = async (number: number): Promise<void> => {
    while (!over) answers.push(await rank(server, `u${number}`));
  };
  const clients = Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(client));
  const victims = new Set<number>();
  for (const signal of ["SIGKILL", "SIGSEGV", "SIGABRT"] as const) {
    await eventually(() => expect(childrenOf(server.pid)).toHaveLength(1));
    const victim = inferenceProcess(server);
    victims.add(victim);
    process.kill(victim, signal);
    await eventually(() => expect(childrenOf(server.pid)).not.toContain(victim));
    const before = answers.length;
    await eventually(() =>
      expect(answers.slice(before).some(({ degraded }) => degraded.length === 0)).toBe(true),
    );
  }
  over = true;
  await clients;
  expect(victims.size).toBe(3);
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  const reasons = new Set(answers.flatMap(({ degraded }) => degraded));
  expect([...reasons].filter((reason) => reason !== "model-unavailable")).toEqual([]);
});

test("inference is there until the drain is over, and goes with its server", async () => {
  const { server } = await start();
  const child = inferenceProcess(server);
  // As Ctrl-C and a service manager do: every process of the group gets it.
  process.kill(-server.pid, "SIGINT");
  process.kill(child, "SIGTERM");
  await delay(200);
  expect(await rank(server, "u1")).toMatchObject({ status: 200, degraded: [] });
  expect(inferenceProcess(server)).toBe(child);
  await server.kill();
  await eventually(() => expect(isAlive(child)).toBe(false));
});
