import { SingleBar } from "cli-progress";

/** A bar of segments, or other things, on a terminal; nothing anywhere else, so that a pipe gets only the answer. */
export function segmentBar(
  what: string,
  stream: NodeJS.WriteStream,
  things = "segments",
): { update(done: number, of: number): void; stop(): void } {
  if (!stream.isTTY) return { update: () => undefined, stop: () => undefined };
  const bar = new SingleBar({
    stream,
    format: `${what} {bar} {value} of {total} ${things}`,
    // The cursor stays: whoever ends the command with Ctrl-C would be left without one.
    hideCursor: false,
  });
  let started = false;
  return {
    update(done, of) {
      if (!started) bar.start(of, 0);
      started = true;
      bar.setTotal(of);
      bar.update(done);
    },
    stop: () => bar.stop(),
  };
}
