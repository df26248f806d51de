import { SingleBar } from "cli-progress";
import { counted } from "../domain/number-text.ts";
import type { SimulationProgress } from "../simulation/simulation.ts";

export interface ProgressDisplay {
  update(progress: SimulationProgress): void;
  stop(): void;
}

/** What the whole is: so many requests, or so many seconds. */
export interface ProgressGoal {
  readonly requests?: number | undefined;
  readonly seconds?: number | undefined;
}

const plainLineEveryMs = 10_000;

/** On a terminal a bar that moves; anywhere else (a pipe, CI) a plain line now and then. Writes to `stream`. */
export function displayProgress(goal: ProgressGoal, stream: NodeJS.WriteStream): ProgressDisplay {
  const start = performance.now();
  const elapsed = () => (performance.now() - start) / 1_000;
  const done = ({ requests, failed }: SimulationProgress) =>
    Math.min(
      1,
      Math.max(
        goal.requests === undefined ? 0 : (requests + failed) / goal.requests,
        goal.seconds === undefined ? 0 : elapsed() / goal.seconds,
      ),
    );
  return stream.isTTY ? bar(stream, done) : lines(stream, done, elapsed);
}

function bar(stream: NodeJS.WriteStream, done: (progress: SimulationProgress) => number): ProgressDisplay {
  const display = new SingleBar({
    stream,
    format:
      "listening {bar} {percentage}% | {requests} requests | {outcomes} outcomes | {failed} failed | {duration_formatted}",
    barCompleteChar: "\u2588",
    barIncompleteChar: "\u2591",
    barsize: 30,
    hideCursor: true,
  });
  display.start(1_000, 0, { requests: 0, outcomes: 0, failed: 0 });
  let last: SimulationProgress = { requests: 0, outcomes: 0, failed: 0 };
  return {
    update(progress) {
      last = progress;
      display.update(Math.round(1_000 * done(progress)), progress);
    },
    stop() {
      // The last visits end after the seconds are up: without this the bar would stay where they found it.
      if (done(last) === 1) display.update(1_000, last);
      display.stop();
    },
  };
}

function lines(
  stream: NodeJS.WriteStream,
  done: (progress: SimulationProgress) => number,
  elapsed: () => number,
): ProgressDisplay {
  let next = performance.now() + plainLineEveryMs;
  return {
    update(progress) {
      if (performance.now() < next) return;
      next += plainLineEveryMs;
      const { requests, outcomes, failed } = progress;
      stream.write(
        `${Math.round(100 * done(progress))} % after ${elapsed().toFixed(0)} s: ${counted(requests, "request")}, ${counted(outcomes, "outcome")}, ${failed} failed\n`,
      );
    },
    stop() {},
  };
}
