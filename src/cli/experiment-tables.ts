import Table from "cli-table3";
import type { Experiment } from "../domain/experiment.ts";
import type { ValueModelOverride } from "../domain/model.ts";
import type { KillSwitch } from "../domain/store-state.ts";
import type { RevisionNote, SurfaceView } from "../rollout/rollout.ts";

export function renderList(experiments: readonly Experiment[], killSwitch: KillSwitch): string {
  if (experiments.length === 0) return "There are no experiments: each surface serves its default model.\n";
  const table = tableOf([
    "experiment",
    "kind",
    "status",
    "surface",
    "layer",
    "traffic",
    "arms (weight)",
    "revision",
  ]);
  for (const experiment of experiments) {
    const { id, kind = "ab", surface, layer, traffic, arms, revision } = experiment;
    const split = arms.map((arm) => `${arm.id} (${arm.weight})`).join(", ");
    const share = `${Number((traffic * 100).toFixed(4))} %`;
    table.push([id, kind, statusOf(experiment), surface, layer, share, split, revision]);
  }
  const off = killSwitch.on ? `The kill switch is on, and nobody is assigned: ${killSwitch.reason}\n` : "";
  return `${table.toString()}\n${off}`;
}

const whatCharactersMax = 80;

export function renderHistory(
  revisions: readonly (RevisionNote & { readonly experiment: Experiment })[],
): string {
  const longest = Math.max("what".length, ...revisions.map(({ what }) => what.length));
  const table = new Table({
    head: ["revision", "phase", "when", "who", "what", "hash"],
    style: { head: [], border: [] },
    // The evidence of a rollback is a long line.
    colWidths: [null, null, null, null, Math.min(longest, whatCharactersMax) + 2],
    wordWrap: true,
  });
  for (const { experiment, at, who, what, hash } of revisions) {
    table.push([experiment.revision, experiment.phase, at, who, what, hash?.slice(0, 12) ?? ""]);
  }
  return `${table.toString()}\n`;
}

export function renderSurfaces(surfaces: readonly SurfaceView[]): string {
  const table = tableOf(["surface", "default model", "value model", "from", "revision"]);
  for (const { surface, model, valueModel, experiment, arm, revision } of surfaces) {
    const which = model.version ?? model.label;
    const from = experiment === undefined ? "the configuration" : `arm ${arm} of ${experiment}`;
    const name = which === undefined ? model.name : `${model.name}/${which}`;
    table.push([surface, name, valueModelOf(valueModel), from, revision]);
  }
  return `${table.toString()}\n`;
}

/** What the surface says over the model's own, in short. */
function valueModelOf(override: ValueModelOverride = {}): string {
  const { kind, weights, diversity } = override;
  const weighed = Object.entries(weights ?? {}).map(([task, weight]) => `${task} ${weight}`);
  const fusion = kind && `${kind}: ${weighed.join(", ")}`;
  const room = diversity && `diversity: ${diversity.map(({ by }) => by).join(", ") || "none"}`;
  return [fusion, room].filter((half) => half !== undefined).join("\n") || "the model's";
}

function statusOf({ status, killed, winner, breach }: Experiment): string {
  if (breach !== undefined) return `${status}, ${breach.action === "hold" ? "held" : "rolled back"}`;
  if (killed !== undefined) return `${status}, killed`;
  return winner === undefined ? status : `${status} for ${winner}`;
}

function tableOf(head: string[]): Table.Table {
  return new Table({ head, style: { head: [], border: [] } });
}
