/**
 * `npm run fuzz -- [--inputs N] [--seed S] [--target NAME]… [--from N]`: throws damaged examples at everything that
 * reads what others wrote. Each target has a process of its own; one that crashes, hangs or refuses in the wrong words
 * has its input saved as `fuzz-TARGET-SEED-NUMBER`, which `--replay FILE --target NAME` takes again.
 */
import { fork } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { SingleBar } from "cli-progress";
import { attack, inputOf, targets } from "./attack.ts";
import type { Target } from "./target.ts";

const { values } = parseArgs({
  options: {
    inputs: { type: "string", default: "100000" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 32)) },
    target: { type: "string", multiple: true },
    from: { type: "string", default: "0" },
    replay: { type: "string" },
    worker: { type: "string" },
  },
});
const seed = Number(values.seed);
const findingsMax = 5;
/** Without a new input: of processor time, and, for what only waits, by the clock of a machine that may be busy. */
const hangCpuMs = 20_000;
const hangMs = 600_000;

const chosen = targets.filter(({ name }) => values.target?.includes(name) ?? true);
if (chosen.length === 0 || chosen.length < (values.target?.length ?? 0))
  throw new Error(`expected targets among ${targets.map(({ name }) => name).join(", ")}`);

if (values.worker !== undefined) await work(chosen[0] as Target, values.worker);
else if (values.replay !== undefined) await replay(chosen[0] as Target, values.replay);
else await fuzz();

async function replay(target: Target, file: string): Promise<void> {
  const open = await target.open();
  console.log((await open.take(readFileSync(file))) ? "accepted" : "refused");
  await open.close();
}

/** Says in a file which input is under way, so that whoever waits knows it whatever becomes of this process. */
async function work(target: Target, progressFile: string): Promise<void> {
  const file = openSync(progressFile, "r+");
  const at = Buffer.alloc(8);
  const [from, to] = [Number(values.from), Number(values.inputs)];
  const done = await attack(target, { seed, from, to, findingsMax }, (number) => {
    at.writeDoubleLE(number);
    writeSync(file, at, 0, 8, 0);
  });
  const findings = done.findings.map(({ number, error }) => ({ number, text: error.stack ?? String(error) }));
  process.send?.({ ...done, findings });
  process.disconnect();
}

interface Done {
  readonly accepted: number;
  readonly refused: number;
  readonly slowestMs: number;
  readonly findings: readonly { readonly number: number; readonly text: string }[];
}

async function fuzz(): Promise<void> {
  const shares = chosen.reduce((sum, { share }) => sum + share, 0);
  console.log(`seed ${seed}`);
  let found = 0;
  for (const target of chosen) {
    const count = Math.ceil((Number(values.inputs) * target.share) / shares);
    const began = performance.now();
    const { accepted, refused, slowestMs, findings } = await inProcess(
      target,
      Number(values.from),
      Number(values.from) + count,
    );
    const perSecond = Math.round((accepted + refused) / ((performance.now() - began) / 1_000));
    const share = Math.round((100 * accepted) / Math.max(1, accepted + refused));
    console.log(
      `${target.name.padEnd(16)} ${String(accepted + refused).padStart(9)} inputs, ${String(share).padStart(3)} % accepted, ` +
        `${String(perSecond).padStart(6)} a second, slowest ${Math.round(slowestMs)} ms, ${findings.length} findings`,
    );
    for (const { number, text } of findings) {
      const file = `fuzz-${target.name}-${seed}-${number}`;
      writeFileSync(file, inputOf(target, seed, number));
      console.log(`  ${file}: ${text}`);
    }
    found += findings.length;
  }
  process.exitCode = found === 0 ? 0 : 1;
}

/** 0 where the system does not say. */
function cpuMsOf(pid: number | undefined): number {
  try {
    const [, fields = ""] = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ");
    const [user, system] = fields.split(" ").slice(11, 13);
    return 10 * (Number(user) + Number(system));
  } catch {
    return 0;
  }
}

async function inProcess(target: Target, from: number, to: number): Promise<Done> {
  const folder = mkdtempSync(join(tmpdir(), "setlist-fuzz-"));
  const progressFile = join(folder, "progress");
  writeFileSync(progressFile, Buffer.alloc(8));
  const file = openSync(progressFile, "r");
  const at = Buffer.alloc(8);
  const bar = process.stderr.isTTY
    ? new SingleBar({
        stream: process.stderr,
        format: `${target.name} {bar} {value} of {total}, {eta} s left`,
      })
    : undefined;
  bar?.start(to, from);
  const flags = [
    "--target",
    target.name,
    "--seed",
    String(seed),
    "--from",
    String(from),
    "--inputs",
    String(to),
  ];
  const child = fork(fileURLToPath(import.meta.url), [...flags, "--worker", progressFile], {
    execArgv: ["--max-old-space-size=1024"],
  });
  const { promise, resolve } = Promise.withResolvers<Done>();
  let [last, since, cpuMs] = [-1, performance.now(), 0];
  const looking = setInterval(() => {
    readSync(file, at, 0, 8, 0);
    const number = at.readDoubleLE();
    bar?.update(number);
    const used = cpuMsOf(child.pid);
    if (number !== last) [last, since, cpuMs] = [number, performance.now(), used];
    else if (performance.now() - since > hangMs || used - cpuMs > hangCpuMs) child.kill("SIGKILL");
  }, 250);
  child.on("message", (done) => resolve(done as Done));
  child.on("exit", (code, signal) => {
    readSync(file, at, 0, 8, 0);
    const number = at.readDoubleLE();
    resolve({
      accepted: 0,
      refused: number - from,
      slowestMs: 0,
      findings: [{ number, text: `the process ended with ${signal ?? code}` }],
    });
  });
  return promise.finally(() => {
    clearInterval(looking);
    bar?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
}
