import { createServer } from "node:http";
import { Counter, Gauge, Registry } from "prom-client";
import { SetlistError } from "../domain/error.ts";
import type { LabelProgress } from "./label-data.ts";

export interface LabelMetrics {
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
    help: "Candidates whose label was there already",
    registers,
  });
  const coverage = new Gauge({
    name: "setlist_label_coverage_ratio",
    help: "Share of the sealed log's candidates that have a label",
    registers,
  });
  let newestAt: number | undefined;
  new Gauge({
    name: "setlist_label_delay_seconds",
    help: "Now minus the time of the newest labelled impression",
    registers,
    collect() {
      if (newestAt !== undefined) this.set((Date.now() - newestAt) / 1_000);
    },
  });
  const behind = new Gauge({
    name: "setlist_label_segments_behind",
    help: "Sealed segments that have no labels yet",
    registers,
  });
  let last = { done: 0, labelled: 0, alreadyLabelled: 0 };
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
  return {
    observe({ done, segments, labelling }) {
      // Each pass counts from nothing.
      if (done <= last.done) last = { done: 0, labelled: 0, alreadyLabelled: 0 };
      labelled.inc(labelling.labelled - last.labelled);
      if (labelling.labelled > last.labelled || last.done === 0)
        already.inc(Math.max(0, labelling.alreadyLabelled - last.alreadyLabelled));
      last = { done, labelled: labelling.labelled, alreadyLabelled: labelling.alreadyLabelled };
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
