import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { invalidArgument, SetlistError } from "../domain/error.ts";
import type { ExperimentDocument } from "../domain/experiment.ts";
import { unreadableReason } from "../domain/unreadable.ts";
import {
  parseExperimentDocument,
  parseSharedMetrics,
  type ValidationContext,
  validateExperiment,
  withSharedMetrics,
} from "../experiments/experiments.ts";
import { writtenDocument } from "../rollout/rollout.ts";
import { readYamlFile, type YamlFile } from "./yaml-file.ts";

interface Source {
  readonly file: string;
  readonly yaml: YamlFile;
  readonly document: ExperimentDocument;
}

/**
 * Reads every `.yaml` and `.yml` file of a folder, one experiment each, in the order of the files' names.
 * @param known the surfaces and models to hold them against; what is left out is not checked.
 * @throws {SetlistError} NOT_FOUND where the folder does not exist; INVALID_ARGUMENT with file, line, field and reason.
 */
export function loadExperimentDocuments(
  folder: string,
  known: Omit<ValidationContext, "others"> = {},
): ExperimentDocument[] {
  const sources = namesIn(folder).map((name): Source => {
    const file = join(folder, name);
    const yaml = readYamlFile(file);
    const shared = sharedMetricsBeside(file);
    const document = yaml.refine(() =>
      parseExperimentDocument(withSharedMetrics(yaml.value, shared), "document"),
    );
    return { file, yaml, document };
  });
  for (const [index, { yaml, document }] of sources.entries()) {
    const twin = sources.slice(0, index).find((one) => one.document.id === document.id);
    yaml.refine(() => {
      if (twin !== undefined)
        throw invalidArgument(`id: ${twin.file} has the same, ${JSON.stringify(document.id)}`);
      const others = sources.filter((one) => one.document !== document).map((one) => one.document);
      validateExperiment(document, { ...known, others: others.filter(({ id }) => id !== document.id) });
    });
  }
  return sources.map(({ document }) => document);
}

/** An experiment as it stands in a file: what it leaves out is still left out. */
interface WrittenFile {
  readonly file: string;
  readonly written: object;
  readonly document: ExperimentDocument;
  /** The one that it says it was read at. */
  readonly revision: number | undefined;
}

/**
 * @throws {SetlistError} as `loadExperimentDocuments`, but for what a document means together with others: that is for
 *   whoever keeps them to say.
 */
export function readWrittenExperiment(file: string): WrittenFile {
  const yaml = readYamlFile(file);
  const shared = sharedMetricsBeside(file);
  const [written, { document, revision }] = yaml.refine(() => {
    const whole = withSharedMetrics(yaml.value, shared);
    return [whole, writtenDocument(whole, undefined, "document")] as const;
  });
  return { file, written: written as object, document, revision };
}

/** Every file of a folder, as `loadExperimentDocuments` finds them. @throws {SetlistError} as `readWrittenExperiment`. */
export function readWrittenExperiments(folder: string): readonly WrittenFile[] {
  return namesIn(folder).map((name) => readWrittenExperiment(join(folder, name)));
}

/** Of the folder that the file is in. */
const sharedMetricsFile = "metrics.shared.yaml";

function sharedMetricsBeside(file: string): ReturnType<typeof parseSharedMetrics> {
  const shared = join(dirname(file), sharedMetricsFile);
  if (!existsSync(shared)) return new Map();
  const yaml = readYamlFile(shared);
  return yaml.refine(() => parseSharedMetrics(yaml.value, "shared metrics"));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /\.ya?ml$/.test(name) && !name.startsWith(".") && name !== sharedMetricsFile)
      .sort();
  } catch (error) {
    const reason = unreadableReason(error, "folder");
    throw new SetlistError("NOT_FOUND", `experiments: ${folder} cannot be read: ${reason}`, { cause: error });
  }
}
