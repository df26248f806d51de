export interface SignOfLifeOptions {
  /** Resolves as soon as whoever is watched gets to answer; rejects once it has ended, which ends the watch. */
  readonly ask: () => Promise<unknown>;
  readonly everyMs: number;
  /** So many turns in a row without an answer are a silence. */
  readonly turnsMax: number;
  /** Called once. */
  readonly onSilence: () => void;
}

/**
 * Watches for a process that is there and answers nothing. Turns are counted and not time: where the watch itself stood
 * still, as all processes of a machine that sleeps, it has not waited for anyone.
 * @returns ends the watch.
 */
export function watchSignOfLife({ ask, everyMs, turnsMax, onSilence }: SignOfLifeOptions): () => void {
  let owed = false;
  let silentTurns = 0;
  const stop = (): void => clearInterval(timer);
  const timer = setInterval(() => {
    if (!owed) {
      owed = true;
      silentTurns = 0;
      ask().then(() => {
        owed = false;
      }, stop);
      return;
    }
    silentTurns += 1;
    if (silentTurns < turnsMax) return;
    stop();
    onSilence();
  }, everyMs).unref();
  return stop;
}
