/** What the listener then did, as a client reports it; parsed and within the limits. */
export interface Outcome {
  readonly kind: "outcome";
  /** Made by the client, unique: sending it again is harmless. */
  readonly outcomeId: string;
  /** The rank request that it answers; of a user's outcome `userRequestId`. */
  readonly requestId: string;
  /** Empty where it answers nothing that was shown: what a user did, whatever it was exposed to. */
  readonly itemId: string;
  /** `click`, `completion`, …: any name of 1 to 64 characters; metrics refer to it. */
  readonly type: string;
  readonly value: number;
  /** When it happened and when it arrived, ms since 1970, UTC. */
  readonly occurredAt: number;
  readonly receivedAt: number;
}

/** Why one outcome of a batch was not taken. */
export interface RejectedOutcome {
  readonly index: number;
  readonly code: "INVALID_ARGUMENT";
  readonly detail: string;
}

export interface OutcomeReceipt {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: readonly RejectedOutcome[];
}

/** What stands in an outcome's `requestId`, beside an empty `itemId`, where it belongs to a user and to no request. */
export function userRequestId(user: string): string {
  return `${userPrefix}${user}`;
}

/** The user that an outcome belongs to; undefined where it answers an item of a request. */
export function userOf({ requestId, itemId }: Outcome): string | undefined {
  return itemId === "" && requestId.startsWith(userPrefix) ? requestId.slice(userPrefix.length) : undefined;
}

const userPrefix = "user:";
