import { invalidArgument } from "../domain/error.ts";
import type { Attributes, DeclaredAttributes, Features, FeatureValue } from "../domain/feature.ts";
import { IdBytes } from "../domain/id-bytes.ts";
import type { Limits } from "../domain/limits.ts";
import type { Candidate, CandidateList, RankRequest } from "../domain/rank.ts";
import { nearest } from "../schema/schema.ts";
import { checkAttributes, checkEntries } from "./attributes.ts";
import { ByteCandidates } from "./byte-candidates.ts";
import { checkId, isId } from "./id.ts";

/** A rank request as a transport decodes it: CONTRACT's JSON, every type right, nothing else checked. */
export interface WireRankRequest {
  readonly requestId?: string | undefined;
  readonly surface: string;
  readonly user: {
    readonly id: string;
    readonly attributes?: Attributes | undefined;
    readonly features?: Features | undefined;
  };
  readonly session?: { readonly id: string } | undefined;
  readonly context?:
    | { readonly attributes?: Attributes | undefined; readonly features?: Features | undefined }
    | undefined;
  readonly candidates?:
    | readonly { readonly id: string; readonly features?: Features | undefined }[]
    | undefined;
  /** Text, or as it arrived, if it is UTF-8 then. */
  readonly candidateIds?: readonly string[] | IdBytes | undefined;
  readonly limit?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly explain?: boolean | undefined;
}

/** What parsing needs to know of the server. */
export interface RankRequestRules {
  readonly limits: Limits;
  readonly surfaces: readonly string[];
  /** Undefined where attributes may be anything. */
  readonly attributes?: DeclaredAttributes | undefined;
  readonly newRequestId: () => string;
}

/**
 * Checks the meaning of a request once, at the door, whichever transport it came through.
 * @throws {SetlistError} INVALID_ARGUMENT naming the field.
 */
export function parseRankRequest(wire: WireRankRequest, rules: RankRequestRules): RankRequest {
  const { limits } = rules;
  if (!rules.surfaces.includes(wire.surface)) {
    throw invalidArgument(
      `surface: no surface ${JSON.stringify(wire.surface)}${nearest(wire.surface, rules.surfaces)}`,
    );
  }
  checkId(wire.user.id, "user.id", limits);
  if (wire.session !== undefined) checkId(wire.session.id, "session.id", limits);
  if (wire.requestId !== undefined) checkId(wire.requestId, "requestId", limits);
  return {
    requestId: wire.requestId ?? rules.newRequestId(),
    surface: wire.surface,
    user: {
      id: wire.user.id,
      attributes: checkAttributes(wire.user.attributes, "user.attributes", limits, rules.attributes?.user),
      features: checkFeatures(wire.user.features, "user.features", limits),
    },
    sessionId: wire.session?.id,
    context: {
      attributes: checkAttributes(
        wire.context?.attributes,
        "context.attributes",
        limits,
        rules.attributes?.context,
      ),
      features: checkFeatures(wire.context?.features, "context.features", limits),
    },
    candidates: checkCandidates(wire, limits),
    idBytes: wire.candidateIds instanceof IdBytes ? wire.candidateIds : undefined,
    limit: checkWhole(wire.limit, "limit"),
    timeoutMs: checkPositive(wire.timeoutMs, "timeoutMs"),
    explain: wire.explain ?? false,
  };
}

function checkCandidates(wire: WireRankRequest, limits: Limits): CandidateList {
  const short = wire.candidates === undefined;
  if (short === (wire.candidateIds === undefined)) {
    throw invalidArgument(
      `candidates: expected exactly one of candidates and candidateIds, got ${short ? "neither" : "both"}`,
    );
  }
  const field = short ? "candidateIds" : "candidates";
  const { length } = wire.candidates ?? wire.candidateIds ?? [];
  if (length === 0) throw invalidArgument(`${field}: expected at least 1 candidate, got none`);
  if (length > limits.candidatesMax) {
    throw invalidArgument(`${field}: expected at most ${limits.candidatesMax} candidates, got ${length}`);
  }
  if (wire.candidateIds instanceof IdBytes) return new ByteCandidates(wire.candidateIds, limits);
  const candidates: readonly Candidate[] = wire.candidates ?? (wire.candidateIds ?? []).map((id) => ({ id }));
  const placeOf = (index: number): string => (short ? `${field}[${index}]` : `${field}[${index}].id`);
  // A place is put into words only where something is wrong with it: 200 candidates take 11 us, not 15.
  const known = new Set<string>();
  for (let index = 0; index < candidates.length; index++) {
    const { id, features } = candidates[index] as Candidate;
    if (!isId(id, limits)) checkId(id, placeOf(index), limits);
    known.add(id);
    if (known.size === index) {
      const first = candidates.findIndex((candidate) => candidate.id === id);
      throw invalidArgument(`${placeOf(index)}: duplicate of ${field}[${first}], ${JSON.stringify(id)}`);
    }
    if (features !== undefined) checkFeatures(features, `${field}[${index}].features`, limits);
  }
  return candidates;
}

function checkFeatures(features: Features | undefined, field: string, limits: Limits): Features {
  if (features === undefined) return nothing;
  checkEntries(features, field, limits);
  for (const [name, value] of Object.entries(features)) {
    if (Array.isArray(value) && value.length > limits.featureValuesMax) {
      throw invalidArgument(
        `${field}.${name}: expected at most ${limits.featureValuesMax} values, got ${value.length}`,
      );
    }
    if (!isFiniteFeature(value)) throw invalidArgument(`${field}.${name}: expected finite numbers`);
  }
  return features;
}

function isFiniteFeature(value: FeatureValue): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value === "string") return true;
  return (value as readonly unknown[]).every((one) => typeof one === "string" || Number.isFinite(one));
}

function checkWhole(value: number | undefined, field: string): number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) return value;
  throw invalidArgument(`${field}: expected a whole number of at least 1, got ${value}`);
}

function checkPositive(value: number | undefined, field: string): number | undefined {
  if (value === undefined || (Number.isFinite(value) && value > 0)) return value;
  throw invalidArgument(`${field}: expected a positive number of milliseconds, got ${value}`);
}

const nothing = Object.freeze({});
