import { invalidArgument } from "../domain/error.ts";
import type { Arm, ExperimentDocument } from "../domain/experiment.ts";
import type { DeclaredAttributes } from "../domain/feature.ts";
import type { ModelRef, ValueModelOverride } from "../domain/model.ts";
import { nearest } from "../schema/schema.ts";
import { quoted } from "../schema/text.ts";
import { checkDiversity, checkValueModel, checkWeighedTasks } from "../schema/value-model.ts";
import { checkGuardrails } from "./guardrail-document.ts";
import { holdoutSaltPrefix } from "./holdout.ts";
import { interleavedArm } from "./interleaved-arm.ts";
import { checkMetrics } from "./metric-document.ts";
import { checkPlan } from "./plan-document.ts";
import { checkPrerequisites } from "./prerequisites.ts";
import { checkRamp } from "./ramp.ts";
import { checkStratify } from "./stratify-document.ts";
import { compileTargeting } from "./targeting.ts";
import { trafficStep } from "./traffic.ts";
import { checkUnit, unitBytesMax } from "./unit.ts";

/** A model that an arm may name. */
interface KnownModel {
  readonly name: string;
  readonly version: string;
  readonly surface: string;
  readonly tasks?: readonly string[] | undefined;
  /** False for what stands in the repository alone: an arm that names no version never gets it. */
  readonly loaded?: boolean | undefined;
}

/** What a document is held against. What is undefined is not known and so not checked. */
export interface ValidationContext {
  readonly surfaces?: readonly string[] | undefined;
  readonly models?: readonly KnownModel[] | undefined;
  /** By surface, those that say something over their models' value models. */
  readonly valueModels?: ReadonlyMap<string, ValueModelOverride> | undefined;
  /** By surface, the model that serves who is in no experiment. */
  readonly defaultModels?: ReadonlyMap<string, ModelRef> | undefined;
  /** What a diversity step may go by. */
  readonly itemFeatures?: readonly string[] | undefined;
  /** What targeting and units may go by; undefined where any attribute may be. */
  readonly attributes?: DeclaredAttributes | undefined;
  /** Every other experiment, whatever its layer. */
  readonly others: readonly ExperimentDocument[];
}

/** These start the salts of layers and holdouts: an arm's place must never be the place in one of them. */
const takenSaltPrefixes = [
  { prefix: "layer:", names: "layers" },
  { prefix: holdoutSaltPrefix, names: "holdouts" },
];

/** By these, requests are chosen to be scored once more: with the same salt those chosen would mostly be of one arm. */
const takenSaltsOfRequests = ["counterfactual", "shadow"];

/**
 * Holds a parsed document against itself, the models and the other experiments. Whether its traffic is free in its
 * layer depends on what it held before: `revise` says.
 * @throws {SetlistError} INVALID_ARGUMENT with the first field that is wrong, why, and what would be right.
 */
export function validateExperiment(document: ExperimentDocument, context: ValidationContext): void {
  const { surfaces, others } = context;
  if (others.some((other) => other.id === document.id)) {
    throw invalidArgument(`id: there is another experiment ${JSON.stringify(document.id)}`);
  }
  if (surfaces !== undefined && !surfaces.includes(document.surface)) {
    throw invalidArgument(
      `surface: no surface ${JSON.stringify(document.surface)}${nearest(document.surface, surfaces)}`,
    );
  }
  checkUnit(document.unit, context.attributes, "unit");
  checkLayersUnit(document, others);
  checkSalt(document, others);
  checkTraffic(document.traffic);
  checkRamp(document);
  checkArms(document.arms);
  if (document.kind === "interleave") checkInterleaving(document);
  if (document.counterfactual !== undefined && document.arms.length < 2) {
    throw invalidArgument("counterfactual: expected an experiment of at least 2 arms, got 1");
  }
  for (const [index, arm] of document.arms.entries()) {
    checkArmsValueModel(arm, `arms[${index}].valueModel`, context.itemFeatures);
    checkModel(arm, index, document.surface, context);
  }
  if (document.targeting !== undefined) compileTargeting(document.targeting, context.attributes);
  checkPrerequisites(document, others);
  checkOverrides(document);
  checkUniqueMetrics(document);
  checkMetrics(document, context.attributes);
  checkPlan(document);
  checkStratify(document, context.attributes);
  checkGuardrails(document, context.defaultModels?.get(document.surface));
}

/** A layer deals its places to one kind of unit: with two, one user could be in two of its experiments. */
function checkLayersUnit({ unit, layer }: ExperimentDocument, others: readonly ExperimentDocument[]): void {
  const other = others.find((one) => one.layer === layer && one.unit !== unit && one.status !== "stopped");
  if (other === undefined) return;
  throw invalidArgument(
    `unit: expected ${other.unit}, by which ${other.id} splits layer ${layer}, got ${unit}; use a layer of its own`,
  );
}

/** Two experiments with one salt put a unit at the same place among their arms: their effects could not be told apart. */
function checkSalt({ salt, layer, unit }: ExperimentDocument, others: readonly ExperimentDocument[]): void {
  const taken = takenSaltPrefixes.find(({ prefix }) => salt.startsWith(prefix));
  if (taken !== undefined) {
    throw invalidArgument(
      `salt: expected one that does not begin with "${taken.prefix}", which names ${taken.names}`,
    );
  }
  if (unit === "request" && takenSaltsOfRequests.includes(salt)) {
    throw invalidArgument(
      `salt: expected another than ${JSON.stringify(salt)}, by which requests are chosen to be scored once more`,
    );
  }
  const twin = others.find(
    (other) => other.salt === salt && other.layer !== layer && other.status !== "stopped",
  );
  if (twin !== undefined) {
    throw invalidArgument(
      `salt: ${twin.id} of layer ${twin.layer} has the same, ${JSON.stringify(salt)}, which would tie their arms together`,
    );
  }
}

function checkTraffic(traffic: number): void {
  if (!(traffic >= 0 && traffic <= 1) || (traffic > 0 && traffic < trafficStep)) {
    throw invalidArgument(`traffic: expected 0, or a share from ${trafficStep} to 1, got ${traffic}`);
  }
}

function checkArms(arms: readonly Arm[]): void {
  const duplicate = firstDuplicate(arms);
  if (duplicate !== undefined) {
    throw invalidArgument(
      `arms[${duplicate.index}].id: another arm is called ${JSON.stringify(duplicate.id)}`,
    );
  }
  for (const [index, { weight }] of arms.entries()) {
    if (!(weight >= 0 && Number.isFinite(weight))) {
      throw invalidArgument(`arms[${index}].weight: expected a number from 0, got ${weight}`);
    }
  }
  const sum = arms.reduce((total, { weight }) => total + weight, 0);
  if (!(sum > 0 && Number.isFinite(sum))) {
    throw invalidArgument(`arms: expected weights with a positive, finite sum, got ${sum}`);
  }
  const controls = arms.filter(({ control }) => control).map(({ id }) => id);
  if (controls.length !== 1) {
    throw invalidArgument(
      `arms: expected exactly one with control: true, got ${controls.length === 0 ? "none" : controls.join(" and ")}`,
    );
  }
}

/** Two teams that pick equally often; what either would have shown needs no record beside the answer. */
function checkInterleaving({ arms, sticky, counterfactual }: ExperimentDocument): void {
  const [first, second] = arms;
  if (first === undefined || second === undefined || arms.length > 2) {
    throw invalidArgument(`arms: expected exactly 2, whose lists are interleaved, got ${arms.length}`);
  }
  if (first.weight !== second.weight) {
    throw invalidArgument(
      `arms[1].weight: expected that of the other arm, ${first.weight}, since both have a part in every answer, got ${second.weight}`,
    );
  }
  const named = arms.findIndex(({ id }) => id === interleavedArm);
  if (named >= 0) {
    throw invalidArgument(
      `arms[${named}].id: expected another name: "${interleavedArm}" says of a unit that both have a part`,
    );
  }
  if (sticky === true) {
    throw invalidArgument("sticky: expected none with kind interleave, in which no unit has one arm");
  }
  if (counterfactual !== undefined) {
    throw invalidArgument(
      "counterfactual: expected none with kind interleave, whose every answer is made of both arms' lists",
    );
  }
}

function checkModel(
  arm: Arm,
  index: number,
  surface: string,
  { models, valueModels }: ValidationContext,
): void {
  if (models === undefined) return;
  const { name, version, label } = arm.model;
  if (version !== undefined && label !== undefined) {
    throw invalidArgument(
      `arms[${index}].model: expected a version or a label, got version ${version} and label ${label}`,
    );
  }
  const versions = models.filter((model) => model.name === name);
  const served = versions.filter(({ loaded }) => loaded !== false);
  if (versions.length === 0) {
    const names = [
      ...new Set(models.filter((model) => model.surface === surface).map((model) => model.name)),
    ];
    throw invalidArgument(
      `arms[${index}].model.name: no model ${JSON.stringify(name)}${nearest(name, names)}`,
    );
  }
  const meant = version === undefined ? served : versions.filter((model) => model.version === version);
  if (meant.length === 0) {
    const known = versions.map((model) => model.version).join(", ");
    throw invalidArgument(`arms[${index}].model.version: no version ${version} of ${name} (known: ${known})`);
  }
  const stranger = meant.find((model) => model.surface !== surface);
  if (stranger !== undefined) {
    throw invalidArgument(
      `arms[${index}].model.name: expected a model of surface ${surface}, ${name} serves ${stranger.surface}`,
    );
  }
  for (const { version: one, tasks } of meant) {
    if (tasks === undefined) continue;
    if (arm.valueModel?.weights !== undefined) {
      checkWeighedTasks(arm.valueModel, `arms[${index}].valueModel`, tasks, `${name}/${one}`);
      continue;
    }
    // The surface's weights count where the arm has none.
    const weighed = Object.keys(valueModels?.get(surface)?.weights ?? {});
    const missing = weighed.find((task) => !tasks.includes(task));
    if (missing === undefined) continue;
    throw invalidArgument(
      `arms[${index}].model: expected one with the task ${missing}, which surfaces.${surface}.valueModel weighs, got ${name}/${one} of ${tasks.join(", ")}; give the arm a valueModel with weights of its own`,
    );
  }
}

function checkArmsValueModel(
  { valueModel }: Arm,
  field: string,
  itemFeatures: readonly string[] | undefined,
): void {
  if (valueModel === undefined) return;
  checkValueModel(valueModel, field);
  if (itemFeatures !== undefined) checkDiversity(valueModel, field, itemFeatures);
}

function checkOverrides({ arms, overrides }: ExperimentDocument): void {
  const known = arms.map(({ id }) => id);
  for (const [unit, arm] of Object.entries(overrides)) {
    const bytes = new TextEncoder().encode(unit).length;
    if (bytes < 1 || bytes > unitBytesMax) {
      throw invalidArgument(
        `overrides: expected unit ids of 1 to ${unitBytesMax} bytes, got one of ${bytes}`,
      );
    }
    if (known.includes(arm)) continue;
    throw invalidArgument(`overrides.${unit}: no arm ${quoted(arm)}${nearest(arm, known)}`);
  }
}

function checkUniqueMetrics({ metrics }: ExperimentDocument): void {
  const duplicate = firstDuplicate(metrics);
  if (duplicate === undefined) return;
  throw invalidArgument(
    `metrics[${duplicate.index}].id: another metric is called ${JSON.stringify(duplicate.id)}`,
  );
}

function firstDuplicate(
  named: readonly { readonly id: string }[],
): { index: number; id: string } | undefined {
  const seen = new Set<string>();
  for (const [index, { id }] of named.entries()) {
    if (seen.has(id)) return { index, id };
    seen.add(id);
  }
  return undefined;
}
