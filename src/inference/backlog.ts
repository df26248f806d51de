/** How long a request may wait for its run, and from when on a queue counts as standing. */
export interface WaitLimits {
  /** While the queue runs empty now and then: a burst is worked off. */
  readonly queueWaitMaxMs: number;
  /** Once runs have not emptied it for a while: waiting longer would not help anyone, only make every answer late. */
  readonly standingQueueWaitMaxMs: number;
}

/** For work that nobody waits for, such as labelling. */
export const endlessWaits: WaitLimits = {
  queueWaitMaxMs: Number.POSITIVE_INFINITY,
  standingQueueWaitMaxMs: Number.POSITIVE_INFINITY,
};

/** A queue that no run has emptied for so long stands. After CoDel (Nichols and Jacobson, ACM Queue 10(5), 2012). */
const standingAfterMs = 100;

/** Weight of the newest run in the running means. */
const newest = 0.1;

/**
 * How far behind inference is, in milliseconds of work: what waits, what runs, and what a candidate took of late. It is
 * measured by the runs, not by this thread's own delays.
 */
export class Backlog {
  readonly #limits: WaitLimits;
  readonly #workers: number;
  /** Running means of the runs. A candidate takes their quotient: a run of one is nearly all overhead. */
  #runMs = 0;
  #runCandidates = 0;
  #waiting = 0;
  #running = 0;
  /** Since when runs begin and leave somebody waiting. Who waits behind one slow run says nothing of the load. */
  #notEmptiedAt = Number.POSITIVE_INFINITY;

  constructor(limits: WaitLimits, workers: number) {
    this.#limits = limits;
    this.#workers = workers;
  }

  /** So many candidates joined the queue; negative where they left it. */
  wait(candidates: number): void {
    this.#waiting += candidates;
    if (this.#waiting === 0) this.#notEmptiedAt = Number.POSITIVE_INFINITY;
  }

  /**
   * A run of so many, which have left the queue.
   * @param leavesBehind whether somebody still waits who does not do so for others to share a run with.
   */
  begin(candidates: number, now: number, leavesBehind = this.#waiting > 0): void {
    this.#running += candidates;
    this.#notEmptiedAt = leavesBehind ? Math.min(this.#notEmptiedAt, now) : Number.POSITIVE_INFINITY;
  }

  /** @param ms what the run took; undefined where it failed. */
  end(candidates: number, ms: number | undefined): void {
    this.#running -= candidates;
    if (ms === undefined) return;
    const weight = this.#runCandidates > 0 ? newest : 1;
    this.#runMs += (ms - this.#runMs) * weight;
    this.#runCandidates += (candidates - this.#runCandidates) * weight;
  }

  /** Whether runs have not emptied the queue for a while. */
  isStanding(now: number): boolean {
    return now - this.#notEmptiedAt > standingAfterMs;
  }

  /** Until a request that came now would be run. */
  expectedWaitMs(): number {
    if (this.#runCandidates === 0) return 0;
    const msPerCandidate = this.#runMs / this.#runCandidates;
    return ((this.#waiting + this.#running) * msPerCandidate) / this.#workers;
  }

  /** What its own run would take then, together with others of its kind. */
  expectedRunMs(): number {
    return this.#runMs;
  }

  waitMaxMs(now: number): number {
    return this.isStanding(now) ? this.#limits.standingQueueWaitMaxMs : this.#limits.queueWaitMaxMs;
  }

  /** How long somebody may have waited: a short queue that a pause of the machine made wait is soon worked off. */
  waitedMaxMs(now: number): number {
    return this.isHeavy(now) ? this.#limits.standingQueueWaitMaxMs : this.#limits.queueWaitMaxMs;
  }

  /** Whether a request is better scored in part: half of the wait that a standing queue may cost is there already. */
  isHeavy(now: number): boolean {
    return this.isStanding(now) && this.expectedWaitMs() * 2 > this.#limits.standingQueueWaitMaxMs;
  }
}
