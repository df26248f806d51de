import type { FeatureValue } from "./feature.ts";

/** What two items have to share to count as alike by a feature: its value as text, of a list the first. */
export function labelOf(value: FeatureValue | undefined): string | undefined {
  const first = Array.isArray(value) ? value[0] : value;
  return first === undefined ? undefined : String(first);
}
