import { styleText } from "node:util";
import { structuredPatch } from "diff";
import { yamlText } from "../config.ts";
import type { Experiment } from "../domain/experiment.ts";
import { documentOf } from "../experiments/experiments.ts";
import type { MadeChange, WrittenExperiment } from "../rollout/rollout.ts";

/** What a write changes, as a unified diff of the YAML that people write, coloured where `stream` shows colours. */
export function renderWrite(
  before: Experiment | undefined,
  { experiment, change }: WrittenExperiment,
  stream: NodeJS.WriteStream,
): string {
  const { id, revision } = experiment;
  const from = before === undefined ? "" : yamlOf(before);
  const heading = before === undefined ? `${id} (new)` : `${id} (revision ${before.revision})`;
  const rest = change.fields.filter(({ field }) => field.startsWith("surfaces."));
  const diff = diffOf(from, yamlOf(experiment), stream) + renderFields(rest, stream);
  if (diff === "") return `${id} stands as it should, at revision ${revision}\n`;
  return `${paint("bold", heading, stream)}\n${diff}`;
}

/** Fields of what is no experiment. */
export function renderFields(fields: MadeChange["fields"], stream: NodeJS.WriteStream): string {
  return fields
    .map(({ field, before, after }) => {
      const text = (value: unknown): string => (value === undefined ? "" : yamlText({ [field]: value }));
      return diffOf(text(before), text(after), stream);
    })
    .join("");
}

function yamlOf(experiment: Experiment): string {
  const { phase, killed, winner, breach } = experiment;
  return yamlText({ ...documentOf(experiment), phase, killed, winner, breach });
}

function diffOf(before: string, after: string, stream: NodeJS.WriteStream): string {
  const { hunks } = structuredPatch("", "", before, after, "", "", { context: 2 });
  const lines = hunks.flatMap((hunk, index) => (index === 0 ? hunk.lines : ["  …", ...hunk.lines]));
  return lines
    .map((line) => {
      if (line.startsWith("+")) return paint("green", line, stream);
      return line.startsWith("-") ? paint("red", line, stream) : line;
    })
    .map((line) => `${line}\n`)
    .join("");
}

function paint(style: "bold" | "green" | "red", text: string, stream: NodeJS.WriteStream): string {
  return styleText(style, text, { stream });
}
