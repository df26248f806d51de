/** Commands of ours, in processes of their own or in this one. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { onTestFinished, vi } from "vitest";
import { run } from "../../src/cli/cli.ts";

const main = join(import.meta.dirname, "../../src/main.ts");

export interface StartedCommand {
  readonly child: ChildProcess;
  /** What it has said on standard error so far. */
  said(): string;
  readonly ended: Promise<EndedCommand>;
}

export interface EndedCommand {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Killed when the test is over, should it still run. */
export function startSetlist(...args: string[]): StartedCommand {
  return startSetlistIn({}, ...args);
}

/** The same with another folder and more variables. */
export function startSetlistIn(
  { cwd, env }: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> },
  ...args: string[]
): StartedCommand {
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    cwd,
    env: { ...process.env, ...env },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, stdout, stderr }));
  return { child, said: () => stderr, ended };
}

export function setlist(...args: string[]): StartedCommand["ended"] {
  return startSetlist(...args).ended;
}

/** In the tests' own process, which saves the start of another; only one at a time, as what is printed is caught. */
export async function setlistHere(...args: string[]): Promise<EndedCommand> {
  const printed = { stdout: "", stderr: "" };
  const caught = (["stdout", "stderr"] as const).map((stream) =>
    vi.spyOn(process[stream], "write").mockImplementation((text) => {
      printed[stream] += String(text);
      return true;
    }),
  );
  try {
    const code = await run(args);
    return { code, ...printed };
  } finally {
    for (const spy of caught) spy.mockRestore();
    // A command with a code of its own sets it on the process.
    process.exitCode = undefined;
  }
}
