type Json = Record<string, unknown>;

/** A rank request's JSON as `setlist.v1.RankRequest`, so that one table of requests goes over both transports. */
export function rankMessage(json: Json): Json {
  const { user, context, candidates } = json as {
    user?: Json;
    context?: Json;
    candidates?: readonly Json[];
  };
  return {
    ...json,
    ...(user === undefined ? {} : { user: entity(user) }),
    ...(context === undefined ? {} : { context: entity(context) }),
    ...(candidates === undefined ? {} : { candidates: candidates.map(entity) }),
  };
}

function entity(json: Json): Json {
  const { attributes, features } = json as { attributes?: Json; features?: Json };
  return {
    ...json,
    ...(attributes === undefined ? {} : { attributes: mapped(attributes, attributeMessage) }),
    ...(features === undefined ? {} : { features: mapped(features, featureMessage) }),
  };
}

function mapped(values: Json, message: (value: unknown) => Json): Json {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, message(value)]));
}

export function attributeMessage(value: unknown): Json {
  if (typeof value === "string") return { text: value };
  return typeof value === "number" ? { number: value } : { flag: value };
}

function featureMessage(value: unknown): Json {
  if (typeof value === "string") return { text: value };
  if (typeof value === "number") return { number: value };
  const values = value as readonly unknown[];
  return typeof values[0] === "string" ? { texts: { values } } : { numbers: { values } };
}
