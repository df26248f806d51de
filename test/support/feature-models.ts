/** Models that exist only for the feature store: what they ask for, and requests to them. */
import type { FeatureSpec } from "../../src/domain/feature.ts";
import type { Model } from "../../src/domain/model.ts";
import type { Candidate, RankRequest } from "../../src/domain/rank.ts";
import type { TinyWorld } from "./tiny-world.ts";

const item = { entity: "item", width: 1 } as const;
const user = { entity: "user", width: 1 } as const;
const genres = { kind: "vocabulary", values: ["ambient", "pop", "jazz"] } as const;

const features: readonly FeatureSpec[] = [
  {
    ...user,
    name: "taste",
    input: "user_numbers",
    offset: 0,
    width: 2,
    encoding: { kind: "number" },
    default: [0.5, -0.5],
  },
  {
    ...user,
    name: "history",
    input: "user_indices",
    offset: 0,
    width: 3,
    encoding: { kind: "hash", buckets: 1_000 },
    default: [],
  },
  {
    ...user,
    name: "country",
    input: "user_indices",
    offset: 3,
    encoding: { kind: "vocabulary", values: ["DE", "FR"] },
    default: ["FR"],
  },
  {
    ...user,
    name: "id",
    input: "user_indices",
    offset: 4,
    encoding: { kind: "hash", buckets: 50 },
    default: [],
  },
  {
    name: "device",
    entity: "context",
    width: 1,
    input: "context_indices",
    offset: 0,
    encoding: { kind: "vocabulary", values: ["ios"] },
    default: [],
  },
  {
    ...item,
    name: "content",
    input: "item_numbers",
    offset: 1,
    width: 2,
    encoding: { kind: "number" },
    default: [0, 0],
  },
  {
    ...item,
    name: "popularity",
    input: "item_numbers",
    offset: 0,
    encoding: { kind: "number" },
    default: [7],
  },
  { ...item, name: "genre", input: "item_indices", offset: 0, encoding: genres, default: [] },
  {
    ...item,
    name: "id",
    input: "item_indices",
    offset: 1,
    encoding: { kind: "hash", buckets: 1_000 },
    default: [],
  },
  {
    ...item,
    name: "id",
    input: "item_indices",
    offset: 2,
    encoding: { kind: "hash", buckets: 77 },
    default: [],
  },
];

/** Asks for every kind of feature, of every entity; fills two columns with the item's id, hashed differently. */
export const homeModel: Model = {
  name: "home-test",
  version: "1",
  role: "student",
  surface: "home",
  description: "",
  tasks: ["click"],
  inputs: [
    { name: "user_numbers", dtype: "float32", entity: "user", columns: 2 },
    { name: "request_row", dtype: "int32", entity: "row", columns: undefined },
    { name: "user_indices", dtype: "int32", entity: "user", columns: 5 },
    { name: "context_indices", dtype: "int32", entity: "context", columns: 1 },
    { name: "item_numbers", dtype: "float32", entity: "item", columns: 3 },
    { name: "item_indices", dtype: "int32", entity: "item", columns: 3 },
  ],
  features,
  valueModel: { kind: "weighted-sum", weights: { click: 1 } },
  provenance: null,
};

/** Another arm of the same surface, which asks for one item feature only. */
export const tempoModel: Model = {
  ...homeModel,
  name: "home-tempo",
  inputs: [{ name: "item_numbers", dtype: "float32", entity: "item", columns: 1 }],
  features: [
    {
      ...item,
      name: "tempo",
      input: "item_numbers",
      offset: 0,
      encoding: { kind: "number" },
      default: [120],
    },
  ],
};

/** A model of another surface. */
export const radioModel: Model = { ...tempoModel, name: "radio-test", surface: "radio" };

export const testWorld: TinyWorld = {
  users: {
    u1: { taste: [1.5, 2.5], history: ["t2", "t1"], country: "DE" },
    u2: { taste: [0.25, 0.75], history: ["t1", "t2", "t3", "t4", "t5"], country: "XX" },
    u3: { history: [], country: "FR" },
  },
  items: {
    t1: { content: [0.1, 0.2], popularity: 11, genre: "pop", tempo: 90 },
    t2: { content: [0.3, 0.4], popularity: 12, genre: "jazz", tempo: 100 },
    t3: { content: [0.5, 0.6], popularity: 13, genre: "never heard", tempo: 110 },
    t4: { content: [0.7, 0.8], popularity: 14, tempo: 115 },
  },
};

export function requestOf(
  candidates: readonly (string | Candidate)[],
  parts: { user?: Partial<RankRequest["user"]>; context?: Partial<RankRequest["context"]> } = {},
): RankRequest {
  return {
    requestId: "r1",
    surface: "home",
    user: { id: "u1", attributes: {}, features: {}, ...parts.user },
    context: { attributes: {}, features: {}, ...parts.context },
    candidates: candidates.map((one) => (typeof one === "string" ? { id: one } : one)),
    limit: undefined,
    timeoutMs: undefined,
    explain: false,
  };
}
