import type { ModelVersion } from "./model.ts";

/** How often, and how far, an experiment logs what its other arms would have shown. */
export interface CounterfactualSpec {
  /** Of the experiment's requests, in [0, 1]: those whose `murmur3("counterfactual:" + requestId) / 2^32` is below it. */
  readonly share: number;
  /** How many of the best are logged and compared. */
  readonly topK: number;
}

/** What another arm of the experiment would have shown for one answered request: a record beside its impression. */
export interface CounterfactualRecord {
  readonly kind: "counterfactual";
  /** The impression's. */
  readonly requestId: string;
  /** When it was compared, ms since 1970, UTC. */
  readonly at: number;
  readonly surface: string;
  readonly experiment: string;
  readonly phase: number;
  /** The arm that the unit has, and the model that served it. */
  readonly arm: string;
  readonly model: ModelVersion;
  /** The arm that only looked on, and its model. */
  readonly other: string;
  readonly otherModel: ModelVersion;
  /** The probability with which the request was chosen for this. */
  readonly propensity: number;
  /** How many candidates both scored: all that the request had. */
  readonly candidateCount: number;
  /** How many of the best were to be compared; fewer where there were fewer candidates. */
  readonly topK: number;
  /** Of the best `topK` of either, the share that both have. */
  readonly overlap: number;
  /** How many of the best stand at the same places from the first on: all of them where the two lists are the same. */
  readonly agreeing: number;
  /** The other arm's best `topK`, best first. */
  readonly otherIds: readonly string[];
}
