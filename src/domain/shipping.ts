/** How far a shipper is. */
export interface ShippingStatus {
  /** Since this shipper began. */
  readonly records: number;
  readonly bytes: number;
  readonly failures: number;
  /** Bytes of the log that are on the disk and not acknowledged. */
  readonly lagBytes: number;
  /** How long the oldest record that is not acknowledged has been in the log, seconds; 0 where none waits. */
  readonly lagSeconds: number;
  /** Records among `lagBytes`, by the mean size of those sent lately. */
  readonly lagRecords: number;
  /** When brokers last acknowledged something, ms since 1970, UTC. */
  readonly lastSuccessAt: number | undefined;
  readonly shippedThrough: number;
  /** Why nothing is acknowledged right now. */
  readonly problem: string | undefined;
}
