import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { open, readdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, test } from "vitest";
import { setlist, setlistHere, startSetlistIn } from "../support/setlist-command.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const main = resolve("src/main.ts");
const analyzeTable = "analyze --table t.csv --unit u --arm arm --control a --metric y=y:mean".split(" ");

describe("a command line", () => {
  test.each([
    ...["serve", "demo", "simulate", "analyze", "power", "experiments", "models"],
    ...["assign", "verify-log", "compact", "label", "ingest"],
  ])("%s --help explains itself and exits 0", async (command) => {
    const { code, stdout } = await setlistHere(command, "--help");
    expect(code).toBe(0);
    expect(stdout).toContain(`setlist ${command}`);
  });

  test.each([
    [["serve", "--http-prot", "1"], "--http-port"],
    [["serve", "--http-port", "99999"], "port"],
    [["anlyze"], "analyze"],
    [["assign"], "--unit"],
    [["assign", "--unit", ""], "--unit: expected an id of 1 to 256 bytes"],
    [["serve", "--log-level", "loud"], "--log-level: expected one of"],
    [["simulate", "--url", "notaurl"], "http://127.0.0.1:8080"],
    [[...analyzeTable, "--metric", "y=y:mean"], "metric y is given twice"],
    [[...analyzeTable, "--covariate", "x=y"], 'no metric x (did you mean "y"?)'],
  ])("%j is wrong usage: exit 2, with the nearest valid name", async (args, hint) => {
    const { code, stderr } = await setlistHere(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(hint);
  });

  test("a model repository that is not there stops the start with a sentence", async () => {
    const folder = await temporaryFolder();
    const nowhere = join(folder, "nowhere");
    const { code, stderr } = await setlist("serve", "--data-dir", folder, "--models", nowhere);
    expect(code).toBe(1);
    expect(stderr).toContain(nowhere);
    expect(stderr).not.toContain("    at ");
  });
});

describe("an answer", () => {
  const verify = async (stdout: "pipe" | number): Promise<{ child: ChildProcess; said: () => string }> => {
    const args = [main, "verify-log", "--json", "--data-dir", await temporaryFolder()];
    const child = spawn(process.execPath, args, { stdio: ["ignore", stdout, "pipe"] });
    let stderr = "";
    child.stderr?.on("data", (chunk) => {
      stderr += chunk;
    });
    return { child, said: () => stderr };
  };

  test("that nobody reads to its end, as before `head`, is no failure", async () => {
    const { child, said } = await verify("pipe");
    child.stdout?.destroy();
    expect(await once(child, "close")).toStrictEqual([0, null]);
    expect(said()).toBe("");
  });

  test("that cannot be written is a failure in a sentence", async () => {
    const full = await open("/dev/full", "w");
    const { child, said } = await verify(full.fd);
    const ended = await once(child, "close");
    await full.close();
    expect(ended).toStrictEqual([1, null]);
    expect(said()).toBe("setlist: the answer cannot be written: ENOSPC: no space left on device, write\n");
  });
});

describe("a data directory", () => {
  test.each([["verify-log"], ["analyze", "--experiment", "home-kd"]])(
    "of %s may come from SETLIST_DATA_DIR, and is told where it does not exist",
    async (...args) => {
      const nowhere = join(await temporaryFolder(), "nowhere");
      const { code, stderr } = await startSetlistIn({ env: { SETLIST_DATA_DIR: nowhere } }, ...args).ended;
      expect(code).toBe(1);
      expect(stderr).toBe(
        `setlist: no data directory at ${nowhere}: name the one that the server uses with --data-dir\n`,
      );
    },
  );

  test("that cannot be used stops the start with a sentence, not with a stack", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "log"), "a file");
    const { code, stderr } = await setlist("serve", "--data-dir", folder);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `setlist: the data directory cannot be used: ${join(folder, "log")} is no folder: name another one with --data-dir\n`,
    );
  });
});

test("simulate finds the project's world from anywhere: what fails is the server that nobody started", async () => {
  const cwd = await temporaryFolder();
  const { code, stderr } = await startSetlistIn({ cwd }, "simulate", "--url", "http://127.0.0.1:1").ended;
  expect(code).toBe(1);
  expect(stderr).toContain("no server answers at http://127.0.0.1:1");
});

describe("setlist serve", () => {
  test("says ready with its ports, finishes what is in flight at SIGTERM, seals the log and exits 0", async () => {
    const folder = await temporaryFolder();
    const child = spawn(
      process.execPath,
      ["src/main.ts", "serve", "--http-port", "0", "--grpc-port", "0", "--data-dir", folder],
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
    const segments = await readdir(join(folder, "log"));
    expect(segments.some((name) => name.includes("open"))).toBe(false);
    const verified = await setlist("verify-log", "--data-dir", folder, "--json");
    expect(verified.code).toBe(0);
    expect(JSON.parse(verified.stdout)).toEqual({
      impressions: 20,
      outcomes: 0,
      truncatedBytes: 0,
      corrupt: [],
    });
  });
});
