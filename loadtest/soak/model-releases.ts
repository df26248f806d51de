import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { publishVersion } from "../published-version.ts";
import type { ApiCaller } from "./api-caller.ts";

/** New versions of models while they serve. */
export interface ModelReleases {
  /** Versions published, by model. */
  readonly published: ReadonlyMap<string, number>;
  /** Those that did not come to serve, and moves of the label that were refused. */
  readonly faults: readonly string[];
  /** A release every `pauseMs`, of one model and the other in turns, until the signal. */
  run(pauseMs: number, signal: AbortSignal): Promise<void>;
}

/** What serves where nothing else is said, by the policy of the latest; and an arm's, by its label. */
const latestModel = "home-control";
export const labelledModel = "radio-kd";
export const label = "stable";
const servedMsMax = 30_000;

export function createModelReleases(repository: string, { call }: ApiCaller): ModelReleases {
  const published = new Map([
    [latestModel, 1],
    [labelledModel, 1],
  ]);
  const faults: string[] = [];

  async function stateOf(name: string, version: string): Promise<string | undefined> {
    const { versions } = JSON.parse((await call("GET", "/v1/models")).text) as {
      versions: { name: string; version: string; state: string }[];
    };
    return versions.find((one) => one.name === name && one.version === version)?.state;
  }

  async function release(name: string): Promise<void> {
    const version = (published.get(name) ?? 0) + 1;
    await publishVersion(repository, name, version);
    published.set(name, version);
    const giveUpAt = performance.now() + servedMsMax;
    let state: string | undefined;
    do {
      await delay(500);
      state = await stateOf(name, String(version));
    } while (state !== "serving" && performance.now() < giveUpAt);
    if (state !== "serving") faults.push(`${name} ${version} is ${state} after ${servedMsMax} ms`);
    if (name === labelledModel) await moveLabel(version);
    // Nothing names it any more: what a label stood on before is kept for the way back.
    if (version > 2) await rm(join(repository, name, String(version - 2)), { recursive: true });
  }

  async function moveLabel(version: number): Promise<void> {
    const route = "/v1/models/:name/labels/:label";
    const path = `/v1/models/${labelledModel}/labels/${label}`;
    const { status, text } = await call("PUT", route, path, { version: String(version), who: "soak" });
    if (status !== 200) faults.push(`label onto ${version}: ${status} ${text.slice(0, 200)}`);
  }

  return {
    published,
    faults,
    async run(pauseMs, signal) {
      await moveLabel(1);
      for (let turn = 0; !signal.aborted; turn++) {
        await delay(pauseMs, undefined, { signal }).catch(() => undefined);
        if (!signal.aborted) await release(turn % 2 === 0 ? latestModel : labelledModel);
      }
    },
  };
}
