import type { FeatureEntity, Features } from "../domain/feature.ts";
import type { Impression } from "../domain/impression.ts";
import type { Model } from "../domain/model.ts";
import type { RankRequest } from "../domain/rank.ts";

/** An impression as a request to the teacher: its ranked items, and of what was sent only what the teacher reads. */
export function teacherRequest(teacher: Model, { requestId, userId, items, sent }: Impression): RankRequest {
  const user = readBy(teacher, "user", sent?.user) ?? nothing;
  const context = readBy(teacher, "context", sent?.context) ?? nothing;
  const ofItems = sent?.items;
  return {
    requestId,
    surface: teacher.surface,
    user: { id: userId, attributes: nothing, features: user },
    context: { attributes: nothing, features: context },
    candidates:
      ofItems === undefined
        ? items
        : items.map(({ id }, place) => ({ id, features: readBy(teacher, "item", ofItems[place]) })),
    limit: undefined,
    timeoutMs: undefined,
    explain: false,
  };
}

/**
 * Whether the teacher reads of the user what the store would be asked for, by an id that is none. What the request sent
 * it has.
 */
export function asksForUser(teacher: Model, { sent }: Impression): boolean {
  return teacher.features.some(
    ({ entity, name }) => entity === "user" && !Object.hasOwn(sent?.user ?? nothing, name),
  );
}

function readBy(teacher: Model, entity: FeatureEntity, features: Features | undefined): Features | undefined {
  if (features === undefined) return undefined;
  const read = Object.entries(features).filter(([name]) =>
    teacher.features.some((spec) => spec.entity === entity && spec.name === name),
  );
  return read.length === 0 ? undefined : Object.fromEntries(read);
}

const nothing = Object.freeze({});
