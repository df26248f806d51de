/** What one gRPC connection, and one call on it, may cost: without these, clients keep sockets and memory for ever. */
export interface ConnectionRules {
  /** Sockets at a time. */
  readonly connectionsMax: number;
  /** Calls at a time on one connection; past it a client waits, which is a queue on its own side. */
  readonly callsMax: number;
  /** A connection without calls is kept longer than clients usually pause; they open another unasked. */
  readonly idleMs: number;
  /** After so long without a word the peer is asked for a sign of life: it may have vanished, as machines do. */
  readonly keepaliveMs: number;
  /** For that sign: many round trips of the slowest network. */
  readonly keepaliveTimeoutMs: number;
  /** For the one message of a unary call to arrive, as over HTTP: 1 MiB takes 8 s at 1 Mbit/s. */
  readonly requestTimeoutMs: number;
  /** For some of what is written to be taken: who reads slowly goes on, who does not read at all is ended. */
  readonly unreadMsMax: number;
  /** Open `RankStream` calls. Each may hold a message that is not whole yet, of 2 MiB at most: 2 GiB together. */
  readonly rankStreamsMax: number;
  /**
   * MB of answers that one client lets lie; its next calls are refused then. A hundred calls of 2,000 candidates leave
   * 12 MB.
   */
  readonly sessionMemoryMb: number;
  /** For calls in flight at `close`: several times a rank request's longest deadline. */
  readonly closeGraceMs: number;
}

export const defaultConnectionRules: Omit<ConnectionRules, "connectionsMax"> = {
  callsMax: 1_024,
  idleMs: 300_000,
  keepaliveMs: 60_000,
  keepaliveTimeoutMs: 20_000,
  requestTimeoutMs: 10_000,
  unreadMsMax: 60_000,
  rankStreamsMax: 1_024,
  sessionMemoryMb: 32,
  closeGraceMs: 10_000,
};
