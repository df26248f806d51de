import type { Attributes } from "../domain/feature.ts";
import type { SentAttributes } from "../domain/impression.ts";

/** What was said of a user and a context, for the log; undefined where nothing was. */
export function sentAttributes(user: Attributes, context: Attributes): SentAttributes | undefined {
  const ofUser = isEmpty(user) ? undefined : user;
  const ofContext = isEmpty(context) ? undefined : context;
  if (ofUser === undefined && ofContext === undefined) return undefined;
  return { ...(ofUser && { user: ofUser }), ...(ofContext && { context: ofContext }) };
}

function isEmpty(attributes: Attributes): boolean {
  for (const _ in attributes) return false;
  return true;
}
