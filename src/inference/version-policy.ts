/**
 * Which versions of a model are served: the highest (`latest`), the n highest (`latest 2`), `all`, or those of a list.
 * What experiments, surfaces and labels name is served besides.
 */
export type VersionPolicy = string | readonly string[];

/**
 * The versions that a policy would have, most wanted first, and how many of them: where one cannot be served, the next
 * takes its place.
 * @param versions those that there are, in rising order.
 */
export function wantedVersions(
  policy: VersionPolicy,
  versions: readonly string[],
): { readonly candidates: readonly string[]; readonly count: number } {
  const falling = versions.toReversed();
  if (typeof policy !== "string") {
    const listed = falling.filter((version) => policy.includes(version));
    return { candidates: listed, count: listed.length };
  }
  const count = policy === "all" ? falling.length : Number(policy.split(" ")[1] ?? 1);
  return { candidates: falling, count };
}

/** Versions may be longer than a double is exact. */
export function compareVersions(one: string, other: string): number {
  return one.length - other.length || (one < other ? -1 : Number(one > other));
}
