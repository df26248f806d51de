/** A running server as an attacker finds it. */
export interface Victim {
  readonly pid: number;
  readonly httpPort: number;
  readonly grpcPort: number;
}

export interface AttackScale {
  readonly seed: number;
  /** Idle connections, of each port. */
  readonly connections: number;
  /** How long what takes its time is kept up, s. */
  readonly holdSeconds: number;
  readonly httpInputs: number;
  readonly grpcInputs: number;
}

/** What came of one attack. */
export interface AttackOutcome {
  /** Connections, requests or frames that were sent, in words. */
  readonly sent: string;
  /** What should not have happened, in words; empty where the server did as it promises. */
  readonly findings: readonly string[];
}

export interface Attack {
  readonly name: string;
  run(victim: Victim, scale: AttackScale): Promise<AttackOutcome>;
}

const inside = /node_modules|\/src\/|\.ts:\d|\n? {4}at |file:\/\/|ENOENT|root:x:/;

/** What an answer shows of the server's inside. */
export function leaksIn(answer: string): readonly string[] {
  const found = inside.exec(answer);
  return found === null ? [] : [`an answer shows the inside: ${answer.slice(found.index, found.index + 80)}`];
}

/** Runs `task` so often, so many at a time. */
export async function atATime(
  count: number,
  width: number,
  task: (place: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const run = async (): Promise<void> => {
    while (next < count) await task(next++);
  };
  await Promise.all(Array.from({ length: width }, run));
}
