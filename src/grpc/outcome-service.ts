import type { GrpcContext } from "./context.ts";

/** OutcomeService/Record: the fields are the JSON's, and serving checks each outcome alone. */
export async function record({ serving }: GrpcContext, message: unknown): Promise<object> {
  const { outcomes } = message as { readonly outcomes: readonly Record<string, unknown>[] };
  return serving.recordOutcomes(outcomes.map(plainOutcome));
}

/** Without what proto-loader adds to show which optional field is set. */
function plainOutcome(message: Record<string, unknown>): Record<string, unknown> {
  const { outcomeId, requestId, itemId, type, value, occurredAt } = message;
  return {
    outcomeId,
    requestId,
    itemId,
    type,
    ...(value === undefined ? {} : { value }),
    ...(occurredAt === undefined ? {} : { occurredAt }),
  };
}
