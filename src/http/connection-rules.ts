/** What one connection may cost: without these, slow or many clients keep sockets and memory for ever. */
export interface ConnectionRules {
  /** For a whole request to arrive. A body of 1 MiB takes 8 s at 1 Mbit/s; slower than that is an attack or a fault. */
  readonly requestTimeoutMs: number;
  /** For its headers, which are small. */
  readonly headersTimeoutMs: number;
  /**
   * An idle connection, be it after an answer or ahead of the first request, is kept longer than the 60 s of the usual
   * load balancers, so that it is they who close it.
   */
  readonly keepAliveTimeoutMs: number;
  /** Sockets at a time. */
  readonly connectionsMax: number;
  /**
   * For some of what is written to be taken: who reads slowly goes on, who does not read at all is ended. Some is what
   * is written at once, 64 kB of a file or a whole JSON answer: 1.5 MB of them take so long at 200 kbit/s.
   */
  readonly unreadMsMax: number;
  /** After `close`, for requests in flight: several times a rank request's longest deadline. */
  readonly closeGraceMs: number;
}

export const defaultConnectionRules: Omit<ConnectionRules, "connectionsMax"> = {
  requestTimeoutMs: 10_000,
  headersTimeoutMs: 5_000,
  keepAliveTimeoutMs: 75_000,
  unreadMsMax: 60_000,
  closeGraceMs: 10_000,
};
