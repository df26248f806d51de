import { setTimeout as delay } from "node:timers/promises";
import type { AskedProcess } from "../asked-process.ts";
import { residentMib, treeDescriptors } from "../process-figures.ts";
import type { Attack, AttackScale, Victim } from "./attack.ts";
import type { CanaryReport } from "./canary-process.ts";

/** One attack, and how the server and its other clients fared. */
export interface ObservedAttack {
  readonly name: string;
  readonly sent: string;
  readonly seconds: number;
  readonly canary: CanaryReport;
  readonly mib: { readonly before: number; readonly peak: number; readonly after: number };
  readonly descriptors: { readonly before: number; readonly peak: number; readonly after: number };
  readonly findings: readonly string[];
}

/** The collector gives back memory when it likes, and allocators keep some: more than that is held by something. */
const mibKeptMax = 512;
const mibPeakMax = 1_536;
/** Connections that clients keep, files that are open for a moment. */
const descriptorsKeptMax = 24;
/** In which memory and descriptors have to come back. */
const settleMsMax = 20_000;

export async function observeAttack(
  attack: Attack,
  victim: Victim,
  scale: AttackScale,
  canary: AskedProcess,
): Promise<ObservedAttack> {
  const before = look(victim);
  const faultsBefore = await internalErrors(victim);
  await canary.ask({});
  const peak = { ...before };
  const watching = setInterval(() => {
    const { mib, descriptors } = look(victim);
    peak.mib = Math.max(peak.mib, mib);
    peak.descriptors = Math.max(peak.descriptors, descriptors);
  }, 250);
  const began = performance.now();
  const outcome = await attack.run(victim, scale).finally(() => clearInterval(watching));
  const seconds = (performance.now() - began) / 1_000;
  const after = await settled(victim, before);
  const seen = await canary.ask<CanaryReport>({});
  const faults = (await internalErrors(victim)) - faultsBefore;
  const findings = [
    ...new Set(outcome.findings),
    ...seen.failures,
    ...(seen.asked === 0 && seconds > 5 ? ["the canary was not answered once"] : []),
    ...(faults > 0 ? [`${faults} internal errors`] : []),
    ...(after.mib > before.mib + mibKeptMax ? [`keeps ${(after.mib - before.mib).toFixed(0)} MiB`] : []),
    ...(peak.mib > before.mib + mibPeakMax ? [`took ${(peak.mib - before.mib).toFixed(0)} MiB`] : []),
    ...(after.descriptors > before.descriptors + descriptorsKeptMax
      ? [`keeps ${after.descriptors - before.descriptors} descriptors`]
      : []),
  ];
  return {
    name: attack.name,
    sent: outcome.sent,
    seconds,
    canary: seen,
    mib: { before: before.mib, peak: peak.mib, after: after.mib },
    descriptors: { before: before.descriptors, peak: peak.descriptors, after: after.descriptors },
    findings,
  };
}

interface Look {
  mib: number;
  descriptors: number;
}

function look({ pid }: Victim): Look {
  return { mib: residentMib(pid), descriptors: treeDescriptors(pid) };
}

async function settled(victim: Victim, before: Look): Promise<Look> {
  const until = performance.now() + settleMsMax;
  for (;;) {
    const now = look(victim);
    const isBack =
      now.descriptors <= before.descriptors + descriptorsKeptMax && now.mib <= before.mib + mibKeptMax;
    if (isBack || performance.now() > until) return now;
    await delay(500);
  }
}

/** Answers of both transports that were defects of the server's own. */
async function internalErrors({ httpPort }: Victim): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text();
  return text
    .split("\n")
    .filter((line) => /^setlist_requests_total\{.*code="(500|INTERNAL|UNKNOWN)"/.test(line))
    .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}
