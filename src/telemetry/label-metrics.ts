import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Counter, Gauge, Registry } from "prom-client";
import { SetlistError } from "../domain/error.ts";

/** How far a labeller is, over all segments of the log, and what of it is new. */
interface LabelProgress {
  readonly done: number;
  readonly segments: number;
  readonly labelling: { readonly coverage: number; readonly delayMs: number | null };
  readonly fresh: { readonly labelled: number; readonly alreadyLabelled: number } | undefined;
}

export interface LabelMetrics {
  /** Where they are: `http://127.0.0.1:9100/metrics`. */
  readonly url: string;
  observe(progress: LabelProgress): void;
  close(): Promise<void>;
}

/**
 * Serves what a following labeller does at `http://<host>:<port>/metrics`.
 * @throws {SetlistError} UNAVAILABLE where the port cannot be had.
 */
export async function serveLabelMetrics(host: string, port: number): Promise<LabelMetrics> {
  const registry = new Registry();
  const registers = [registry];
  const labelled = new Counter({
    name: "setlist_labels_total",
    help: "Labels written by this process",
    registers,
  });
  const already = new Counter({
    name: "setlist_labels_already_total",
    help: "Candidates of newly labelled segments whose label was there already",
    registers,
  });
  const coverage = new Gauge({
    name: "setlist_label_coverage_ratio",
    help: "Share of the candidates of labelled segments that have a label",
    registers,
  });
  let newestAt: number | undefined;
  new Gauge({
    name: "setlist_label_delay_seconds",
    help: "Now minus the time of the newest labelled impression",
    registers,
    collect() {
      // Nothing labelled is no delay of 0: the metric is left out.
      if (newestAt === undefined) this.remove();
      else this.set((Date.now() - newestAt) / 1_000);
    },
  });
  const behind = new Gauge({
    name: "setlist_label_segments_behind",
    help: "Sealed segments that have no labels yet",
    registers,
  });
  const server = createServer(async (request, response) => {
    if (request.url !== "/metrics") response.writeHead(404).end();
    else response.writeHead(200, { "content-type": registry.contentType }).end(await registry.metrics());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new SetlistError("UNAVAILABLE", `--metrics-port: cannot listen on ${host}:${port}: ${cause.message}`),
      ),
    );
    server.listen(port, host, resolve);
  });
  const { port: listening } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${listening}/metrics`,
    observe({ done, segments, labelling, fresh }) {
      labelled.inc(fresh?.labelled ?? 0);
      already.inc(fresh?.alreadyLabelled ?? 0);
      coverage.set(labelling.coverage);
      behind.set(segments - done);
      if (labelling.delayMs !== null) newestAt = Date.now() - labelling.delayMs;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
