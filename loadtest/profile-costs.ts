/** V8's sampling profile, as `--cpu-prof` writes it; times are microseconds of one monotonic clock. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly startTime: number;
  readonly endTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface Costs {
  /** Microseconds. */
  readonly total: number;
  /** The dearest first. */
  readonly parts: readonly { readonly name: string; readonly microseconds: number }[];
}

/**
 * What a thread spent by itself in each file of ours, package, module of Node and native function, while it was not idle.
 * @param window ms since 1970.
 * @param endedAt ms since 1970 at which the profile ended, nearly: it has no wall clock of its own.
 */
export function costs(profile: CpuProfile, window: { from: number; to: number }, endedAt: number): Costs {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const offsetMs = endedAt - profile.endTime / 1_000;
  const spent = new Map<string, number>();
  let total = 0;
  let at = profile.startTime;
  for (const [index, id] of profile.samples.entries()) {
    const delta = profile.timeDeltas[index] ?? 0;
    at += delta;
    const wallMs = at / 1_000 + offsetMs;
    const frame = frames.get(id);
    if (frame === undefined || frame.functionName === "(idle)") continue;
    if (wallMs < window.from || wallMs > window.to) continue;
    const name = placeOf(frame);
    spent.set(name, (spent.get(name) ?? 0) + delta);
    total += delta;
  }
  const parts = [...spent].map(([name, microseconds]) => ({ name, microseconds }));
  return { total, parts: parts.sort((one, other) => other.microseconds - one.microseconds) };
}

/** `src/ranking/fusion.ts`, `fastify`, `node:net`, or the function itself where it is native. */
function placeOf({ functionName, url }: { functionName: string; url: string }): string {
  if (url === "") return functionName === "" ? "(native)" : functionName;
  if (url.startsWith("node:")) return url;
  const [, packaged] = url.split("/node_modules/").slice(-2);
  if (packaged !== undefined) {
    const [scope = "", name = ""] = packaged.split("/");
    return scope.startsWith("@") ? `${scope}/${name}` : scope;
  }
  return url.slice(url.lastIndexOf("/src/") + 1);
}
