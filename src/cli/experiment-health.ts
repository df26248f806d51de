import Table from "cli-table3";
import type { ExperimentHealth, GuardrailHealth, RampHealth } from "../domain/experiment-health.ts";
import type { ArmEvidence } from "../domain/guardrail.ts";

/** What `setlist experiments health` shows: a row a guardrail and arm, and where the ramp stands. */
export function renderHealth(health: ExperimentHealth): string {
  const { experiment, phase, status, state, checkedAt, guardrails, ramp, breach } = health;
  const checked = checkedAt === undefined ? "not checked yet" : `checked at ${checkedAt}`;
  const killed = health.killed === undefined ? "" : ", killed";
  const lines = [`${experiment} · phase ${phase} · ${status}${killed} · ${state} · ${checked}`];
  if (guardrails.length > 0) lines.push(tableOf(guardrails));
  if (ramp !== undefined) lines.push(rampLine(ramp));
  if (breach !== undefined) {
    const { guardrail, action, at, evidence, thanks } = breach;
    const did = action === "rollback" ? "Rolled back" : "Held";
    lines.push(
      `${did} at ${at} by ${guardrail}: arm ${evidence.arm}: ${evidence.detail}; thanks to ${thanks}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

function tableOf(guardrails: readonly GuardrailHealth[]): string {
  const table = new Table({
    head: ["guardrail", "action", "arm", "state", "seen"],
    style: { head: [], border: [] },
    colWidths: [null, null, null, null, 72],
    wordWrap: true,
  });
  for (const { guardrail, action, state, arms, problem } of guardrails) {
    if (arms.length === 0) table.push([guardrail, action, "-", state, problem ?? ""]);
    for (const { arm, state: its, detail } of arms as readonly ArmEvidence[]) {
      table.push([guardrail, action, arm, its, problem === undefined ? detail : `${detail} (${problem})`]);
    }
  }
  return table.toString();
}

function rampLine({ step, steps, traffic, nextTraffic, passedMs, totalMs, heldBy }: RampHealth): string {
  const share = (of: number): string => `${Number((of * 100).toFixed(4))} %`;
  const held = heldBy === undefined ? "" : `; held: ${heldBy}`;
  const here = `Ramp: step ${step} of ${steps}, ${share(traffic)} of the layer`;
  if (nextTraffic === undefined || totalMs === undefined) return `${here}${held}`;
  const passed = `${seconds(Math.min(passedMs, totalMs))} of ${seconds(totalMs)}`;
  return `${here}, ${passed} until ${share(nextTraffic)}${held}`;
}

/** `90 s`, `12 min`, `5.5 h`. */
function seconds(ms: number): string {
  if (ms < 120_000) return `${Number((ms / 1_000).toFixed(1))} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Number((ms / 3_600_000).toFixed(1))} h`;
}
