/** The FastAPI server beside the benchmark: its Python environment, and the server in a process of its own. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type PortProcess, startPortCommand } from "../asked-process.ts";

const lockFile = join(import.meta.dirname, "requirements.lock");
const environment = join(import.meta.dirname, ".venv");
const python = join(environment, "bin", "python");
/** Holds the digest of the lock file that the environment was made from. */
const madeFrom = join(environment, "made-from");

/** Whether the environment is there, made from today's lock file. */
export async function isFastapiReady(): Promise<boolean> {
  return (await readFile(madeFrom, "utf8").catch(() => "")) === (await lockDigest());
}

/**
 * Makes the environment from the lock file, where it is not there yet; takes 400 MB and about a minute.
 * @throws {Error} where `python3`, 3.11 or newer, or the package index cannot be had.
 */
export async function makeFastapiEnvironment(): Promise<void> {
  if (await isFastapiReady()) return;
  await rm(environment, { recursive: true, force: true });
  await succeeded("python3", ["-m", "venv", environment]);
  await succeeded(python, ["-m", "pip", "install", "--quiet", "--require-hashes", "-r", lockFile]);
  await writeFile(madeFrom, await lockDigest());
}

export function startFastapiServer(): Promise<PortProcess> {
  return startPortCommand(python, [join(import.meta.dirname, "server.py")]);
}

async function lockDigest(): Promise<string> {
  return createHash("sha256")
    .update(await readFile(lockFile))
    .digest("hex");
}

/** What it prints goes to our errors' side: our own output is a report. */
async function succeeded(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: ["ignore", 2, 2] });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}`);
}
