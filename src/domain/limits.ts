/** Every bound on what comes in. The numbers can be configured; these are the defaults and their reasons. */
export interface Limits {
  /** Candidates of one rank request. One run of 2,000 rows takes about 10 ms on one core. */
  readonly candidatesMax: number;
  /** One HTTP body or gRPC message, in bytes: 2,000 ids of 256 bytes and their JSON fit. */
  readonly bodyBytesMax: number;
  /** An id of a user, item, request, outcome or experiment, in UTF-8 bytes: fits one index key of any store. */
  readonly idBytesMax: number;
  /** Outcomes of one batch. */
  readonly outcomesMax: number;
  /** Characters of an outcome's type. */
  readonly outcomeTypeCharactersMax: number;
  /** Values of one inline feature: no model of ours has a wider one. */
  readonly featureValuesMax: number;
  /** Inline features or attributes of one entity. */
  readonly entriesMax: number;
  /**
   * Requests of one `RankStream` that are not answered yet; past it the server stops reading from that stream. Several
   * batches of inference, so that a stream alone can keep it busy, and a quarter of its queue, so that one cannot fill it.
   */
  readonly streamRequestsInFlightMax: number;
}

export const defaultLimits: Limits = {
  candidatesMax: 2_000,
  bodyBytesMax: 1_048_576,
  idBytesMax: 256,
  outcomesMax: 1_000,
  outcomeTypeCharactersMax: 64,
  featureValuesMax: 1_024,
  entriesMax: 256,
  streamRequestsInFlightMax: 64,
};
