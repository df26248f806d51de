import Type from "typebox";
import { invalidArgument } from "../domain/error.ts";
import type { Impression } from "../domain/impression.ts";
import { type Outcome, type RejectedOutcome, userRequestId } from "../domain/outcome.ts";
import type { Assigner, Decided } from "../experiments/experiments.ts";
import { parserOf } from "../schema/schema.ts";
import { type ContextRules, type EvaluationContext, parseEvaluationContext } from "./evaluation-context.ts";
import { knownFlag } from "./flags.ts";
import { checkId } from "./id.ts";
import { checkOutcomeType, parseEach, parseInstant } from "./outcome-batch.ts";
import { sentAttributes } from "./sent-attributes.ts";

/** The event that says which flag was acted on; any other name is the type of an outcome. */
const exposureName = "exposure";

/** One call of OpenFeature's `track`, with an id. Details that are not named here are the application's own. */
export const trackingEventSchema = Type.Object(
  {
    outcomeId: Type.String({ description: "Client-made, unique: sending an event again is harmless." }),
    name: Type.String({
      description: "1 to 64 characters: the outcome's type, which metrics refer to, or `exposure`.",
    }),
    context: Type.Unsafe<unknown>({ type: "object", description: "As for evaluating; who did it." }),
    details: Type.Optional(
      Type.Object({
        value: Type.Optional(Type.Number({ description: "1 where absent." })),
        flag: Type.Optional(
          Type.String({ description: "Of an exposure: the flag whose variant was acted on." }),
        ),
        variant: Type.Optional(
          Type.String({
            description: "Of an exposure: the variant that was; refused where it is another by now.",
          }),
        ),
        requestId: Type.Optional(
          Type.String({
            description: "Of the rank request that showed `itemId`: counts as an outcome of that item.",
          }),
        ),
        itemId: Type.Optional(Type.String()),
      }),
    ),
    occurredAt: Type.Optional(
      Type.String({ description: "ISO 8601 with a zone; the arrival where absent." }),
    ),
  },
  { additionalProperties: false },
);

/** What a batch of events comes to in the log. */
export interface TrackedEvents {
  readonly exposures: readonly Impression[];
  /** Of items that rank requests showed. */
  readonly ofRequests: readonly Outcome[];
  /** Of users, among them one for each exposure, by which it is known when it comes again. */
  readonly ofUsers: readonly Outcome[];
  readonly rejected: readonly RejectedOutcome[];
}

/**
 * Parses each event on its own: a wrong one is rejected by its index, the rest are taken.
 * @throws {SetlistError} INVALID_ARGUMENT where the batch is empty or too long.
 */
export function parseTrackingEvents(
  batch: readonly unknown[],
  receivedAt: number,
  { assigner, ...rules }: ContextRules & { readonly assigner: Assigner },
): TrackedEvents {
  const exposures: Impression[] = [];
  const ofRequests: Outcome[] = [];
  const ofUsers: Outcome[] = [];
  const rejected = parseEach(batch, "events", rules.limits, (wire) => {
    const { context, outcome, details } = parseEvent(wire, receivedAt, rules);
    if (outcome.type === exposureName) {
      exposures.push(exposureOf(outcome, context, details, assigner));
      ofUsers.push(outcome);
    } else if (outcome.itemId === "") ofUsers.push(outcome);
    else ofRequests.push(outcome);
  });
  return { exposures, ofRequests, ofUsers, rejected };
}

interface Details {
  readonly flag?: string | undefined;
  readonly variant?: string | undefined;
}

function parseEvent(
  wire: unknown,
  receivedAt: number,
  rules: ContextRules,
): { context: EvaluationContext; outcome: Outcome; details: Details } {
  const { limits } = rules;
  const event = parseWire(wire, "event");
  const { outcomeId, name, details = {}, occurredAt } = event;
  checkId(outcomeId, "outcomeId", limits);
  checkOutcomeType(name, "name", limits);
  const context = parseEvaluationContext(event.context, "context", rules);
  const { requestId, itemId, value = 1 } = details;
  if ((requestId === undefined) !== (itemId === undefined)) {
    throw invalidArgument("details: expected requestId and itemId together, or neither");
  }
  if (requestId !== undefined) checkId(requestId, "details.requestId", limits);
  if (itemId !== undefined) checkId(itemId, "details.itemId", limits);
  const outcome: Outcome = {
    kind: "outcome",
    outcomeId,
    requestId: requestId ?? userRequestId(context.user),
    itemId: itemId ?? "",
    type: name,
    value,
    occurredAt: occurredAt === undefined ? receivedAt : parseInstant(occurredAt),
    receivedAt,
  };
  return { context, outcome, details };
}

/** The arm is worked out here: a client cannot say that a unit was exposed to one that it does not get. */
function exposureOf(
  { outcomeId, itemId, occurredAt }: Outcome,
  context: EvaluationContext,
  { flag, variant }: Details,
  assigner: Assigner,
): Impression {
  if (flag === undefined)
    throw invalidArgument(`details.flag: expected, since the event is an ${exposureName}`);
  if (itemId !== "") throw invalidArgument(`details.itemId: an ${exposureName} is of a flag, not of an item`);
  const experiment = knownFlag(assigner, flag);
  const { user, facts } = context;
  const who = JSON.stringify(user);
  const { assignment, decision } = assigner.decide(flag, user, facts) as Decided;
  if (assignment === undefined) {
    throw invalidArgument(`details.flag: ${who} gets no arm of ${flag}: ${decision.detail}`);
  }
  const { arm } = assignment;
  if (variant !== undefined && variant !== arm) {
    const shown = JSON.stringify(variant);
    throw invalidArgument(
      `details.variant: ${shown} was acted on, but ${who} gets ${JSON.stringify(arm)} of ${flag} by now`,
    );
  }
  return {
    kind: "impression",
    requestId: outcomeId,
    at: occurredAt,
    surface: experiment.surface,
    userId: user,
    assignments: [assignment],
    model: undefined,
    degraded: [],
    timings: { assign: 0, features: 0, queue: 0, inference: 0, rank: 0 },
    candidateCount: 0,
    items: [],
    attributes: sentAttributes(facts.user, facts.context),
  };
}

const parseWire = parserOf(trackingEventSchema);
