/** OpenFeature's own SDKs and OFREP providers as clients of the whole server. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";
import { type Client, OpenFeature } from "@openfeature/server-sdk";
import { OpenFeature as OpenFeatureWeb, type Provider, ProviderEvents } from "@openfeature/web-sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { analyzeDataDirectory } from "../../src/app/data/analyze-data.ts";
import { eventually } from "../support/eventually.ts";
import { documentWith } from "../support/experiments.ts";
import { type RunningApp, startApp } from "../support/running-app.ts";
import { SetlistProvider } from "../support/setlist-provider.ts";
import { suiteFolder } from "../support/temporary-folder.ts";

const arms = [
  { id: "control", control: true, weight: 1, model: { name: "home-control", version: "1" } },
  { id: "treated", control: false, weight: 1, model: { name: "home-kd", version: "1" } },
];
const radioArms = [
  { id: "control", control: true, weight: 1, model: { name: "radio-control", version: "1" } },
  { id: "treated", control: false, weight: 1, model: { name: "radio-kd", version: "1" } },
];
const checkouts = {
  id: "checkouts",
  type: "mean",
  outcome: "checkout",
  aggregate: "count",
  goal: "increase",
  role: "primary",
} as const;

const experiments = [
  documentWith({
    id: "new-player",
    layer: "player",
    arms,
    targeting: "user.country == 'DE'",
    overrides: { qa: "treated" },
    metrics: [checkouts],
  }),
  documentWith({ id: "banner", layer: "banner", surface: "radio", arms: radioArms }),
  documentWith({ id: "old", layer: "old", status: "paused", arms }),
];

const folders = new AsyncDisposableStack();
let app: RunningApp;
let client: Client;
let provider: SetlistProvider;
beforeAll(async () => {
  const folder = await newFolder();
  // What is JSON is YAML too.
  for (const one of experiments) await writeFile(join(folder, `${one.id}.yaml`), JSON.stringify(one));
  app = await startApp(await newFolder(), { experiments: folder });
  provider = new SetlistProvider(app.http);
  await OpenFeature.setProviderAndWait(provider);
  client = OpenFeature.getClient();
});
afterAll(async () => {
  await OpenFeature.close();
  await app.stop();
  await folders.disposeAsync();
});

async function newFolder(): Promise<string> {
  const { path, remove } = await suiteFolder();
  folders.defer(remove);
  return path;
}

const german = (targetingKey: string) => ({ targetingKey, country: "DE" });

describe("the server SDK", () => {
  test("gets the arm that the server ranks with", async () => {
    for (const unit of ["u1", "u2", "u3", "u4"]) {
      const details = await client.getStringDetails("new-player", "none", german(unit));
      const rank = {
        surface: "home",
        user: { id: unit, attributes: { country: "DE" } },
        candidateIds: ["t1"],
      };
      const { body } = await app.post("/v1/rank", rank);
      expect(body).toMatchObject({ assignments: [{ experiment: "new-player", arm: details.value }] });
      expect(details).toMatchObject({
        variant: details.value,
        reason: "SPLIT",
        flagMetadata: { layer: "player", phase: 1, revision: 1, layerBucket: expect.any(Number) },
      });
    }
  });

  test("gets a forced arm as targeted", async () => {
    const details = await client.getStringDetails("new-player", "none", { targetingKey: "qa" });
    expect(details).toMatchObject({ value: "treated", reason: "TARGETING_MATCH" });
  });

  test("keeps the application's default for whom the experiment leaves out, and where it does not run", async () => {
    expect(await client.getStringValue("new-player", "none", { targetingKey: "u1" })).toBe("none");
    expect(await client.getStringValue("old", "none", german("u1"))).toBe("none");
  });

  test.each([
    ["an unknown flag", "new-playr", german("u1"), "FLAG_NOT_FOUND", 'did you mean "new-player"?'],
    ["no targeting key", "new-player", { country: "DE" }, "TARGETING_KEY_MISSING", "context.targetingKey"],
    [
      "a context that no targeting can read",
      "new-player",
      { ...german("u1"), user: "ada" },
      "INVALID_CONTEXT",
      "context.user",
    ],
  ])("understands %s", async (_, key, context, errorCode, message) => {
    const details = await client.getStringDetails(key, "none", context);
    expect(details).toMatchObject({ value: "none", reason: "ERROR", errorCode });
    expect(details.errorMessage).toContain(message);
  });

  test("sees that an arm is a text", async () => {
    const details = await client.getBooleanDetails("new-player", false, german("u1"));
    expect(details).toMatchObject({ value: false, errorCode: "TYPE_MISMATCH" });
  });
});

describe("the web SDK", () => {
  const statuses: number[] = [];
  const web = OpenFeatureWeb.getClient();
  beforeAll(async () => {
    await OpenFeatureWeb.setContext(german("u1"));
    const provider = new OFREPWebProvider({
      baseUrl: app.http,
      pollInterval: 20,
      cacheMode: "disabled",
      async fetchImplementation(...asked: Parameters<typeof fetch>) {
        const response = await fetch(...asked);
        statuses.push(response.status);
        return response;
      },
    });
    // Its types are not written for exactOptionalPropertyTypes.
    await OpenFeatureWeb.setProviderAndWait(provider as Provider);
  });
  afterAll(() => OpenFeatureWeb.close());

  test("gets all flags at once, and defaults as a success where there is no value", async () => {
    const arm = await client.getStringValue("new-player", "none", german("u1"));
    expect(web.getStringDetails("new-player", "none")).toMatchObject({ value: arm, reason: "SPLIT" });
    expect(web.getStringDetails("old", "none")).toMatchObject({
      value: "none",
      reason: "DISABLED",
      flagMetadata: { gate: "status" },
    });
    expect(web.getStringDetails("old", "none").errorCode).toBeUndefined();
  });

  test("polls with the tag, and nothing is sent while nothing changes", async () => {
    await eventually(() => expect(statuses.length).toBeGreaterThan(2));
    expect(statuses.slice(0, 3)).toEqual([200, 304, 304]);
  });

  test("learns of an experiment that was killed, by polling", async () => {
    expect(web.getStringDetails("banner", "none").reason).toBe("SPLIT");
    const changed = new Promise<unknown>((resolve) => {
      web.addHandler(ProviderEvents.ConfigurationChanged, (details) => resolve(details?.flagsChanged));
    });
    const kill = await app.post("/v1/experiments/banner/kill", { reason: "too loud" });
    expect(kill.status).toBe(200);
    expect(await changed).toEqual(["banner"]);
    expect(web.getStringDetails("banner", "none")).toMatchObject({
      value: "none",
      reason: "DISABLED",
      flagMetadata: { gate: "killed" },
    });
  });

  test("gets others for another context", async () => {
    await OpenFeatureWeb.setContext({ targetingKey: "u1", country: "FR" });
    expect(web.getStringDetails("new-player", "none")).toMatchObject({
      value: "none",
      reason: "DEFAULT",
      flagMetadata: { gate: "targeting" },
    });
  });
});

test("what applications track is analysed: exposures make units, and their events count from then on", async () => {
  const units = Array.from({ length: 20 }, (_, i) => german(`listener-${i}`));
  for (const unit of units) client.track("checkout", unit);
  await provider.flush();
  const shown = new Map<string, string>();
  for (const unit of units) {
    const { variant = "" } = await client.getStringDetails("new-player", "none", unit);
    shown.set(unit.targetingKey, variant);
    client.track("exposure", unit, { flag: "new-player", variant });
  }
  await provider.flush();
  for (const unit of units) client.track("checkout", unit, { value: 9.5, basket: "large" });
  client.track("checkout", german("never-exposed"));
  await provider.flush();

  const inArm = (arm: string) => units.filter(({ targetingKey }) => shown.get(targetingKey) === arm).length;
  const report = await analyzeDataDirectory({ dataDir: app.dataDir, experiment: "new-player", alpha: 0.05 });
  // Of the four that were ranked for above, none checked out; of the listeners each did once since the exposure.
  const ranked = ["u1", "u2", "u3", "u4"].length;
  expect(report.arms.reduce((sum, { units }) => sum + units, 0)).toBe(20 + ranked);
  expect(report.metrics[0]?.arms).toMatchObject(
    report.arms.map(({ arm, units }) => ({ arm, units, mean: inArm(arm) / units })),
  );
  expect(report.unmatchedOutcomes).toBe(0);
  expect(report.warnings.filter((one) => !one.includes("units"))).toEqual([]);
});
