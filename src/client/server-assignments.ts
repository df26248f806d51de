import type { UnitAssignments } from "../domain/assignment.ts";
import type { RequestFacts } from "../experiments/experiments.ts";
import { callServer } from "./server-call.ts";

/**
 * What a running server gives one unit, over every surface: with the arms that its sticky experiments keep, and as its
 * processes stand now.
 * @throws {SetlistError} the server's own refusal; UNAVAILABLE where none answers.
 */
export async function serverAssignments(
  url: string,
  unit: string,
  { user, context, session, request }: RequestFacts,
): Promise<UnitAssignments> {
  const body = {
    unit,
    ...(session !== undefined && { session: { id: session } }),
    ...(request !== undefined && { requestId: request }),
    attributes: { user, context },
  };
  return (await callServer(url, "POST", "/v1/assignments", "decisions", { body })) as UnitAssignments;
}
