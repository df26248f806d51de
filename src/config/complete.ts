import { join, resolve } from "node:path";
import { invalidArgument } from "../domain/error.ts";
import type { ModelRef } from "../domain/model.ts";
import { checkUnit, durationMs, parseUnit } from "../experiments/experiments.ts";
import { checkValueModel } from "../schema/value-model.ts";
import type { ConfigFile } from "./config-file.ts";
import { defaultDataDir, defaultPaths, defaultShadow, defaults, defaultTimeoutMs } from "./defaults.ts";
import { checkProviders } from "./provider-rules.ts";
import type { SetlistConfig } from "./settings.ts";
import { checkShipping } from "./shipping-rules.ts";
import { checkStoreAddress } from "./store-address.ts";

/** What is of the project, where nothing else is said. */
export const root = resolve(import.meta.dirname, "../..");

/**
 * What a file says, over the defaults.
 * @throws {SetlistError} INVALID_ARGUMENT with the field that is wrong.
 */
export function complete(
  file: ConfigFile,
  origin: {
    readonly file: string;
    readonly cwd: string;
    readonly warnings: readonly string[];
    readonly userIdKey: string | undefined;
  },
): SetlistConfig {
  const {
    surfaces,
    attributes,
    holdouts,
    limits,
    log,
    warehouse,
    inference,
    admission,
    features,
    guardrails,
    experimentStore,
    shipping,
    ...flat
  } = file;
  const config: SetlistConfig = {
    ...defaults,
    dataDir: resolve(origin.cwd, defaultDataDir),
    models: join(root, defaultPaths.models),
    world: join(root, defaultPaths.world),
    experiments: join(root, defaultPaths.experiments),
    ...flat,
    surfaces: surfaces === undefined ? defaults.surfaces : surfacesOf(surfaces),
    attributes: attributesOf(attributes),
    holdouts: holdoutsOf(holdouts),
    limits: { ...defaults.limits, ...limits },
    log: { ...logOf(log), ...(origin.userIdKey !== undefined && { userIdKey: origin.userIdKey }) },
    warehouse: warehouseOf(warehouse),
    inference: {
      ...defaults.inference,
      ...inference,
      perModel: new Map(Object.entries(inference?.perModel ?? {})),
    },
    admission: { ...defaults.admission, ...admission },
    features: { ...defaults.features, ...features },
    guardrails: { ...defaults.guardrails, ...guardrails },
    experimentStore: { ...defaults.experimentStore, ...experimentStore },
    shipping: { ...defaults.shipping, ...shipping },
    file: origin.file,
    warnings: origin.warnings,
  };
  if (config.httpPort !== 0 && config.httpPort === config.grpcPort) {
    throw invalidArgument(`grpcPort: expected another port than httpPort, got ${config.grpcPort} for both`);
  }
  if (config.surfaces.size === 0)
    throw invalidArgument(`${origin.file}: surfaces: expected at least one surface`);
  checkProviders(config.inference);
  checkStoreAddress(config.experimentStore.url);
  checkShipping(config.shipping);
  return config;
}

function warehouseOf(written: ConfigFile["warehouse"] = {}): SetlistConfig["warehouse"] {
  const { interval, ...rest } = withRetentionMs(written);
  return {
    ...defaults.warehouse,
    ...rest,
    ...(interval !== undefined && { intervalMs: intervalOf(interval) }),
  };
}

/** Node's timers take no more than 24.8 days: a longer one would run a thousand times a second. */
function intervalOf(text: string): number {
  const ms = durationMs(text);
  if (ms <= 24 * 86_400_000) return ms;
  throw invalidArgument(`warehouse.interval: expected at most 24d, got ${JSON.stringify(text)}`);
}

function withRetentionMs<Section extends { readonly retentionAge?: string }>(
  { retentionAge, ...rest }: Section = {} as Section,
): Omit<Section, "retentionAge"> & { readonly retentionAgeMs?: number } {
  return { ...rest, ...(retentionAge !== undefined && { retentionAgeMs: durationMs(retentionAge) }) };
}

/** @throws {SetlistError} INVALID_ARGUMENT with the field that is wrong. */
export function checkSurfaces(file: ConfigFile): ConfigFile {
  for (const [name, { defaultModel, valueModel, shadow }] of Object.entries(file.surfaces ?? {})) {
    checkModelRef(defaultModel, `surfaces.${name}.defaultModel`);
    if (shadow !== undefined) checkModelRef(shadow.model, `surfaces.${name}.shadow.model`);
    if (valueModel !== undefined) checkValueModel(valueModel, `surfaces.${name}.valueModel`);
  }
  return file;
}

/** @throws {SetlistError} INVALID_ARGUMENT with the field that is wrong. */
export function checkHoldouts(file: ConfigFile): ConfigFile {
  for (const { id, unit } of holdoutsOf(file.holdouts)) {
    checkUnit(unit, attributesOf(file.attributes), `holdouts.${id}.unit`);
  }
  return file;
}

function checkModelRef({ version, label }: ModelRef, field: string): void {
  if (version === undefined || label === undefined) return;
  throw invalidArgument(`${field}: expected a version or a label, got version ${version} and label ${label}`);
}

function surfacesOf(written: NonNullable<ConfigFile["surfaces"]>): SetlistConfig["surfaces"] {
  return new Map(
    Object.entries(written).map(([name, { shadow, ...surface }]) => [
      name,
      {
        timeoutMs: defaultTimeoutMs,
        ...surface,
        ...(shadow !== undefined && { shadow: { ...defaultShadow, ...shadow } }),
      },
    ]),
  );
}

function attributesOf(written: ConfigFile["attributes"]): SetlistConfig["attributes"] {
  return written && { user: written.user ?? {}, context: written.context ?? {} };
}

function holdoutsOf(written: ConfigFile["holdouts"] = {}): SetlistConfig["holdouts"] {
  return Object.entries(written).map(([id, { share, layers, unit = "user" }]) => ({
    id,
    share,
    ...(layers !== undefined && { layers }),
    unit: parseUnit(unit, `holdouts.${id}.unit`),
  }));
}

function logOf(written: ConfigFile["log"] = {}): SetlistConfig["log"] {
  const { segmentAgeMax, dedupeWindow, servedFeatures, ...rest } = withRetentionMs(written);
  return {
    ...defaults.log,
    ...rest,
    servedFeatures: { ...defaults.log.servedFeatures, ...servedFeatures },
    ...(segmentAgeMax !== undefined && { segmentAgeMaxMs: ageOf(String(segmentAgeMax)) }),
    ...(dedupeWindow !== undefined && { dedupeWindowMs: durationMs(dedupeWindow) }),
  };
}

/** Ms; 0 is never. */
function ageOf(text: string): number {
  return text === "0" ? 0 : durationMs(text);
}
