/** Commands of ours in processes of their own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { onTestFinished } from "vitest";

const main = join(import.meta.dirname, "../../src/main.ts");

export interface StartedCommand {
  readonly child: ChildProcess;
  /** What it has said on standard error so far. */
  said(): string;
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

/** Killed when the test is over, should it still run. */
export function startSetlist(...args: string[]): StartedCommand {
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] });
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
