import type { Order, Reply } from "./worker-messages.ts";

/** The server's end of the way to one worker, whatever kind of channel that is. */
export interface WorkerLink {
  /**
   * Sends an order; `transfer` is handed over where the channel can, and is not to be used any more. To a worker that is
   * gone nothing is sent.
   * @throws where the order cannot be sent.
   */
  post(order: Order, transfer: ArrayBuffer[]): void;
  /** Ends a worker that answers nothing any more. A thread cannot be ended alone, and is left as it is. */
  kill(): void;
}

/** What comes back. */
export interface WorkerEvents {
  /** One for each order but `exit`, in the order of the orders. */
  reply(reply: Reply): void;
  /** The worker is gone, after its last reply: why, in a few words. Once. */
  ended(cause: string): void;
}

/** Starts a worker that speaks `Order` and `Reply`. */
export type SpawnWorker = (events: WorkerEvents) => WorkerLink;
