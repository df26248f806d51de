import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { suiteFolder } from "../support/temporary-folder.ts";

interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

async function setlist(...args: string[]): Promise<Finished> {
  const child = spawn(process.execPath, ["src/main.ts", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

describe("a command line", () => {
  test.each(["serve", "demo", "simulate", "analyze", "experiments", "assign", "verify-log"])(
    "%s --help explains itself and exits 0",
    async (command) => {
      const { code, stdout } = await setlist(command, "--help");
      expect(code).toBe(0);
      expect(stdout).toContain(`setlist ${command}`);
    },
  );

  test.each([
    [["serve", "--http-prot", "1"], "--http-port"],
    [["serve", "--http-port", "99999"], "port"],
    [["anlyze"], "analyze"],
    [["assign"], "--unit"],
  ])("%j is wrong usage: exit 2, with the nearest valid name", async (args, hint) => {
    const { code, stderr } = await setlist(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(hint);
  });

  test("a model repository that is not there stops the start with a sentence", async () => {
    const folder = await suiteFolder();
    const nowhere = join(folder.path, "nowhere");
    const { code, stderr } = await setlist("serve", "--data-dir", folder.path, "--models", nowhere);
    expect(code).toBe(1);
    expect(stderr).toContain(nowhere);
    expect(stderr).not.toContain("    at ");
    await folder.remove();
  });
});

describe("setlist serve", () => {
  let folder: Awaited<ReturnType<typeof suiteFolder>>;
  beforeAll(async () => {
    folder = await suiteFolder();
  });
  afterAll(() => folder.remove());

  test("says ready with its ports, finishes what is in flight at SIGTERM, seals the log and exits 0", async () => {
    const child = spawn(
      process.execPath,
      ["src/main.ts", "serve", "--http-port", "0", "--grpc-port", "0", "--data-dir", folder.path],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const lines = createInterface({ input: child.stdout });
    let ready: { httpPort: number; grpcPort: number } | undefined;
    for await (const line of lines) {
      const entry = JSON.parse(line) as { msg: string; httpPort: number; grpcPort: number };
      if (entry.msg !== "ready") continue;
      ready = entry;
      break;
    }
    expect(ready?.httpPort).toBeGreaterThan(0);
    expect(ready?.grpcPort).toBeGreaterThan(0);
    child.stdout.resume();

    const candidateIds = Array.from({ length: 500 }, (_, i) => `t${i + 1}`);
    const body = JSON.stringify({ surface: "home", user: { id: "u1" }, candidateIds, timeoutMs: 5_000 });
    const inFlight = Array.from({ length: 20 }, () =>
      fetch(`http://127.0.0.1:${ready?.httpPort}/v1/rank`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      }).then(async (response) => ({ status: response.status, answer: await response.json() })),
    );
    await Promise.race(inFlight);
    child.kill("SIGTERM");
    const exit = once(child, "exit");
    const answers = await Promise.all(inFlight);
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(await exit).toEqual([0, null]);
    const segments = await readdir(join(folder.path, "log"));
    expect(segments.some((name) => name.includes("open"))).toBe(false);
    const verified = await setlist("verify-log", "--data-dir", folder.path, "--json");
    expect(verified.code).toBe(0);
    expect(JSON.parse(verified.stdout)).toEqual({
      impressions: 20,
      outcomes: 0,
      truncatedBytes: 0,
      corrupt: [],
    });
  });
});
