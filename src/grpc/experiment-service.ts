import { knownExperiment, readableRevision } from "../serving/experiment-view.ts";
import type { GrpcContext } from "./context.ts";
import { type AttributeValueMessage, attributesOf } from "./value-codec.ts";

/** ExperimentService/List. */
export function list({ experiments }: GrpcContext): object {
  return { experiments: experiments.list() };
}

/** ExperimentService/Get. */
export function get({ experiments }: GrpcContext, message: unknown): object {
  return knownExperiment(experiments, idOf(message));
}

/** ExperimentService/History. */
export function history({ experiments }: GrpcContext, message: unknown): object {
  const { id } = knownExperiment(experiments, idOf(message));
  return { revisions: experiments.history(id).map(readableRevision) };
}

/** ExperimentService/Assign. */
export function assign({ serving }: GrpcContext, message: unknown): object {
  const { unit, attributes } = message as {
    readonly unit: string;
    readonly attributes: Readonly<
      Record<"user" | "context", Readonly<Record<string, AttributeValueMessage>>>
    > | null;
  };
  const user = attributesOf(attributes?.user ?? {}, "attributes.user");
  const context = attributesOf(attributes?.context ?? {}, "attributes.context");
  return { unit, ...serving.assignments(unit, { user, context }) };
}

function idOf(message: unknown): string {
  return (message as { readonly id: string }).id;
}
