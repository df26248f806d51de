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
  /** Sockets at a time; each costs about 20 kB, and file descriptors are often limited to some ten thousand. */
  readonly connectionsMax: number;
  /** After `close`, for requests in flight: several times a rank request's longest deadline. */
  readonly closeGraceMs: number;
}

export const defaultConnectionRules: ConnectionRules = {
  requestTimeoutMs: 10_000,
  headersTimeoutMs: 5_000,
  keepAliveTimeoutMs: 75_000,
  connectionsMax: 8_192,
  closeGraceMs: 10_000,
};
