import type { Clock } from "../domain/clock.ts";
import type { RankRequest } from "../domain/rank.ts";

/** Enough for a new version to meet most of what listeners ask for, few enough to be replayed in a moment. */
const requestsMax = 32;
/** Of one request; with ids of a usual length, all that is kept of a surface is half a megabyte. */
const candidatesMax = 500;
/** A busy server need not copy every request. */
const intervalMs = 50;

interface Kept {
  readonly requests: RankRequest[];
  next: number;
  noteAt: number;
}

/** The latest rank requests of each surface, a few of them, so that a new version can be warmed with what is asked. */
export class RecentRequests {
  readonly #bySurface = new Map<string, Kept>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param request of a surface that the configuration has. */
  note(request: RankRequest): void {
    const now = this.#clock.monotonic();
    let kept = this.#bySurface.get(request.surface);
    if (kept === undefined) {
      kept = { requests: [], next: 0, noteAt: 0 };
      this.#bySurface.set(request.surface, kept);
    }
    if (now < kept.noteAt) return;
    kept.noteAt = now + intervalMs;
    kept.requests[kept.next] = copyOf(request);
    kept.next = (kept.next + 1) % requestsMax;
  }

  of(surface: string): readonly RankRequest[] {
    return this.#bySurface.get(surface)?.requests ?? [];
  }
}

/** Without the candidates' own features, which may be large, and without the message that its ids are a part of. */
function copyOf(request: RankRequest): RankRequest {
  const { requestId, surface, user, context, limit } = request;
  const candidates = [];
  for (const { id } of request.candidates) {
    if (candidates.length === candidatesMax) break;
    candidates.push({ id });
  }
  return { requestId, surface, user, context, candidates, limit, timeoutMs: undefined, explain: false };
}
