import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { settings } from "../../src/config/environment.ts";
import { withUserIdKey } from "../../src/config/user-id-key.ts";
import { loadConfig } from "../../src/config.ts";
import { UsageError } from "../../src/domain/error.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const root = join(import.meta.dirname, "../..");
const cwd = join(root, "elsewhere");

async function configFile(text: string): Promise<string> {
  const file = join(await temporaryFolder(), "setlist.yaml");
  await writeFile(file, text);
  return file;
}

describe("without anything said", () => {
  const config = loadConfig({ flags: {}, env: {}, cwd });

  test("the contract's defaults hold", () => {
    expect(config).toMatchObject({ host: "127.0.0.1", httpPort: 8080, grpcPort: 9090, logLevel: "info" });
    expect(config.surfaces.get("home")?.defaultModel).toEqual({ name: "home-control" });
    expect(config.surfaces.get("radio")?.defaultModel).toEqual({ name: "radio-control" });
    expect(config.limits).toMatchObject({ candidatesMax: 2_000, bodyBytesMax: 1_048_576, idBytesMax: 256 });
    expect(config.warnings).toEqual([]);
  });

  test("the project's own models and experiments are found from anywhere; data is below the current folder", () => {
    expect(config).toMatchObject({
      models: join(root, "models/repository"),
      world: join(root, "models/world"),
      experiments: join(root, "config/experiments"),
      dataDir: join(cwd, "data"),
    });
  });

  test("the shipped file says nothing but the defaults and the demo's attributes", async () => {
    const empty = loadConfig({ flags: { config: await configFile("") }, env: {}, cwd });
    const attributes = { user: { country: "string" }, context: { device: "string" } };
    expect({ ...config, file: "" }).toEqual({ ...empty, file: "", attributes });
    expect(empty).toMatchObject({ attributes: undefined, holdouts: [] });
  });

  test("the shipped file shows every setting that a file can hold", () => {
    const shipped: unknown = parse(readFileSync(join(root, "config/setlist.yaml"), "utf8"));
    const retention = ["log", "warehouse"].flatMap((of) => [`${of}.retentionAge`, `${of}.retentionBytesMax`]);
    const shippingFor = ["tlsCaFile", "tlsCertFile", "tlsKeyFile", "saslUsername", "saslPassword"];
    const withoutDefault = [
      ...["dataDir", "experimentStore.url", "log.userIdKeyFile", ...retention],
      ...shippingFor.map((name) => `shipping.${name}`),
    ];
    const shown = settings.map(({ path }) => path).filter((path) => !withoutDefault.includes(path.join(".")));
    for (const path of shown) expect(shipped, path.join(".")).toHaveProperty([...path]);
  });
});

describe("a flag goes before the variable, that before the file, that before the default:", () => {
  test.each([
    [{ httpPort: "1" }, { SETLIST_HTTP_PORT: "2" }, "httpPort: 3", 1],
    [{}, { SETLIST_HTTP_PORT: "2" }, "httpPort: 3", 2],
    [{}, {}, "httpPort: 3", 3],
    [{ httpPort: undefined }, { SETLIST_HTTP_PORT: "" }, "", 8080],
  ])("%j, %j, %j", async (flags, env, text, expected) => {
    const config = loadConfig({ flags: { ...flags, config: await configFile(text) }, env, cwd });
    expect(config.httpPort).toBe(expected);
  });

  test("also inside a section, whose other values stay", async () => {
    const file = await configFile("log: { syncIntervalMs: 10, segmentBytesMax: 4096 }");
    const env = { SETLIST_CONFIG: file, SETLIST_LOG_SYNC_INTERVAL_MS: "20" };
    const { log } = loadConfig({ flags: {}, env: {}, cwd });
    expect(loadConfig({ flags: {}, env, cwd }).log).toEqual({
      ...log,
      syncIntervalMs: 20,
      segmentBytesMax: 4096,
    });
  });

  test("also a section within a section, with a fraction", async () => {
    const file = await configFile("log: { candidatesBeyondLimit: 7, servedFeatures: { share: 0.5 } }");
    const logOf = (env: Record<string, string>) => loadConfig({ flags: { config: file }, env, cwd }).log;
    expect(logOf({})).toMatchObject({ servedFeatures: { share: 0.5 }, candidatesBeyondLimit: 7 });
    expect(logOf({ SETLIST_LOG_SERVED_FEATURES_SHARE: "0.01" })).toMatchObject({
      servedFeatures: { share: 0.01 },
      candidatesBeyondLimit: 7,
    });
    for (const wrong of ["a lot", "1.5", "-0.1", "0x1"]) {
      expect(() => logOf({ SETLIST_LOG_SERVED_FEATURES_SHARE: wrong })).toThrow(
        /^SETLIST_LOG_SERVED_FEATURES_SHARE: (expected|must be) /,
      );
    }
  });
});

describe("shipping", () => {
  const shippingOf = (env: Record<string, string>) => loadConfig({ flags: {}, env, cwd }).shipping;

  test("is off unless brokers are named, and takes them and a password from variables", () => {
    expect(shippingOf({}).brokers).toEqual([]);
    const env = {
      SETLIST_SHIPPING_BROKERS: "kafka-1:9093, kafka-2:9093",
      SETLIST_SHIPPING_SECURITY_PROTOCOL: "SASL_SSL",
      SETLIST_SHIPPING_SASL_USERNAME: "setlist",
      SETLIST_SHIPPING_SASL_PASSWORD: "secret",
    };
    expect(shippingOf(env)).toMatchObject({
      brokers: ["kafka-1:9093", "kafka-2:9093"],
      saslUsername: "setlist",
      saslPassword: "secret",
      saslMechanism: "SCRAM-SHA-512",
    });
  });

  test.each([
    [{ BROKERS: "kafka" }, /^SETLIST_SHIPPING_BROKERS\[0\]: expected host:port, got "kafka"/],
    [{ BROKERS: "kafka:65536" }, /BROKERS\[0\]: expected host:port, got "kafka:65536"/],
    [{ BROKERS: "kafka:0" }, /BROKERS\[0\]: expected host:port, got "kafka:0"/],
    [{ SECURITY_PROTOCOL: "SASL_SSL" }, /SASL_SSL needs shipping\.saslUsername and shipping\.saslPassword/],
    [{ SASL_PASSWORD: "secret" }, /shipping.saslPassword: nobody is told it with securityProtocol PLAINTEXT/],
    [{ TLS_CA_FILE: "/ca.pem" }, /tlsCaFile: expected securityProtocol SSL or SASL_SSL/],
    [{ TLS_CA_FILE: "ca.pem" }, /TLS_CA_FILE: expected an absolute path/],
    [
      { SECURITY_PROTOCOL: "SSL", TLS_CERT_FILE: "/c.pem" },
      /tlsCertFile: expected with shipping\.tlsKeyFile/,
    ],
  ])("%j is refused without showing a secret", (settings, message) => {
    const env = Object.fromEntries(
      Object.entries(settings).map(([name, value]) => [`SETLIST_SHIPPING_${name}`, value]),
    );
    expect(() => shippingOf(env)).toThrow(message);
    expect(() => shippingOf(env)).not.toThrow(/secret/);
  });
});

test("durations of the log are texts, and a segment may never be sealed for its age", async () => {
  const file = await configFile("log: { segmentAgeMax: 0, dedupeWindow: 36h }");
  const env = { SETLIST_CONFIG: file };
  expect(loadConfig({ flags: {}, env: {}, cwd }).log).toMatchObject({
    segmentAgeMaxMs: 600_000,
    dedupeWindowMs: 604_800_000,
  });
  expect(loadConfig({ flags: {}, env, cwd }).log).toMatchObject({
    segmentAgeMaxMs: 0,
    dedupeWindowMs: 129_600_000,
  });
  const overlaid = { ...env, SETLIST_LOG_SEGMENT_AGE_MAX: "30s", SETLIST_LOG_DEDUPE_WINDOW: "1d" };
  expect(loadConfig({ flags: {}, env: overlaid, cwd }).log).toMatchObject({
    segmentAgeMaxMs: 30_000,
    dedupeWindowMs: 86_400_000,
  });
  expect(loadConfig({ flags: {}, env: { ...env, SETLIST_LOG_SEGMENT_AGE_MAX: "0" }, cwd }).log).toMatchObject(
    {
      segmentAgeMaxMs: 0,
    },
  );
});

test.each([
  ["segmentAgeMax: 10", /log\.segmentAgeMax: expected 0 for never, or a whole number .* got 10$/],
  ["segmentAgeMax: 10min", /log\.segmentAgeMax: expected 0 for never, or a whole number .* got "10min"/],
  ["dedupeWindow: 0d", /log\.dedupeWindow: expected a whole number .* got "0d"/],
  ["dedupeMemoryBytesMax: 1000", /log\.dedupeMemoryBytesMax: must be >= 1048576, got 1000/],
])("log: %s is refused", async (text, complaint) => {
  const file = await configFile(`log: { ${text} }`);
  expect(() => loadConfig({ flags: { config: file }, env: {}, cwd })).toThrow(complaint);
});

test("warehouse.interval: what no timer takes is refused", async () => {
  const loaded = async (text: string) =>
    loadConfig({ flags: { config: await configFile(`warehouse: { interval: ${text} }`) }, env: {}, cwd });
  expect((await loaded("24d")).warehouse.intervalMs).toBe(24 * 86_400_000);
  await expect(loaded("30d")).rejects.toThrow('warehouse.interval: expected at most 24d, got "30d"');
});

test("holdouts cover users of all layers unless a file says otherwise", async () => {
  const file = await configFile(
    "holdouts: { all: { share: 0.02 }, some: { share: 1, layers: [home-ranker], unit: user.household } }",
  );
  expect(loadConfig({ flags: { config: file }, env: {}, cwd }).holdouts).toEqual([
    { id: "all", share: 0.02, unit: "user" },
    { id: "some", share: 1, layers: ["home-ranker"], unit: "user.household" },
  ]);
});

describe("attributes and holdouts are refused, with their field:", () => {
  test.each([
    ["attributes: { user: { age: int } }", /attributes\.user\.age: expected one of string, number, bool/],
    ["attributes: { item: {} }", /attributes\.item: unknown field/],
    ["holdouts: { all: { share: 1.5 } }", /holdouts\.all\.share/],
    ["holdouts: { all: {} }", /holdouts\.all\.share: expected, but missing/],
    ["holdouts: { all: { share: 0.1, unit: device } }", /holdouts\.all\.unit: expected user, session/],
    [
      "{ attributes: { user: { household: string } }, holdouts: { all: { share: 0.1, unit: user.houshold } } }",
      /holdouts\.all\.unit: no attribute "user.houshold" \(did you mean "household"\?\)/,
    ],
  ])("%s", async (text, complaint) => {
    const file = await configFile(text);
    expect(() => loadConfig({ flags: { config: file }, env: {}, cwd })).toThrow(complaint);
  });
});

test("execution providers are a list for all models, from a file or a variable, and another for one model", async () => {
  const file = await configFile(
    "inference: { executionProviders: [cuda], perModel: { home-kd: { executionProviders: [webgpu, cpu] } } }",
  );
  const env = { SETLIST_INFERENCE_EXECUTION_PROVIDERS: "tensorrt, cuda,cpu" };
  const { inference } = loadConfig({ flags: { config: file }, env, cwd });
  expect(inference.executionProviders).toEqual(["tensorrt", "cuda", "cpu"]);
  expect([...inference.perModel]).toEqual([["home-kd", { executionProviders: ["webgpu", "cpu"] }]]);
});

test("inference is a process unless a file says otherwise, and WebGPU may then have several", async () => {
  const file = await configFile("inference: { workers: 2, executionProviders: [webgpu, cpu] }");
  expect(loadConfig({ flags: { config: file }, env: {}, cwd }).inference.isolation).toBe("process");
  const threads = await configFile("inference: { isolation: thread }");
  expect(loadConfig({ flags: { config: threads }, env: {}, cwd }).inference.isolation).toBe("thread");
});

describe("the address of a fleet's experiment store", () => {
  const secret = "pw-that-nobody-may-read";

  test("comes from its variable", () => {
    const url = `postgresql://setlist:${secret}@db.internal:5433/setlist?sslmode=verify-full`;
    const config = loadConfig({ flags: {}, env: { SETLIST_EXPERIMENT_STORE_URL: url }, cwd });
    expect(config.experimentStore).toEqual({ url });
  });

  test.each([
    `mysql://setlist:${secret}@db/setlist`,
    `postgres://setlist:${secret}@db`,
    `postgres://setlist:${secret}`,
    `setlist:${secret}@db/setlist`,
    `postgres://setlist:${secret}@db:port/setlist`,
  ])("is refused where it is none, and not repeated: %s", (url) => {
    const load = () => loadConfig({ flags: {}, env: { SETLIST_EXPERIMENT_STORE_URL: url }, cwd });
    expect(load).toThrow(/^experimentStore\.url \(SETLIST_EXPERIMENT_STORE_URL\): expected postgres:\/\//);
    expect(load).not.toThrow(secret);
  });
});

describe("the key of the log's pseudonyms", () => {
  const key = "0123456789abcdef0123456789abcdef";

  test("is read from its file, whose path is relative to where it stands, or from the environment first", async () => {
    const file = await configFile("log: { userIdKeyFile: user-id.key }");
    await writeFile(join(file, "../user-id.key"), `${key}\n`);
    const fromFile = loadConfig({ flags: { config: file }, env: {}, cwd });
    expect(fromFile.log.userIdKey).toBeUndefined();
    expect(withUserIdKey(fromFile).log.userIdKey).toBe(key);
    const env = { SETLIST_LOG_USER_ID_KEY: "f".repeat(64), SETLIST_LOG_USER_ID_KEY_FILE: "elsewhere" };
    const fromVariable = loadConfig({ flags: { config: file }, env, cwd });
    expect(fromVariable.log.userIdKeyFile).toBe(join(cwd, "elsewhere"));
    expect(withUserIdKey(fromVariable).log.userIdKey).toBe("f".repeat(64));
    expect(fromVariable.warnings).toEqual([]);
  });

  test("is refused where it is short or its file is missing, and not repeated", async () => {
    const load = (env: Record<string, string>) => () =>
      withUserIdKey(loadConfig({ flags: {}, env: { ...env }, cwd }));
    const short = load({ SETLIST_LOG_USER_ID_KEY: "hunter2" });
    expect(short).toThrow(/^SETLIST_LOG_USER_ID_KEY: expected a key of at least 32 characters, .*got 7$/);
    expect(short).not.toThrow("hunter2");
    expect(load({ SETLIST_LOG_USER_ID_KEY_FILE: "none.key" })).toThrow(
      `log.userIdKeyFile: ${join(cwd, "none.key")} cannot be read: there is no such file`,
    );
  });
});

test("every setting is documented, with its variable", () => {
  const page = readFileSync(join(root, "docs/configuration.md"), "utf8");
  for (const { path, variable } of settings)
    expect(page).toContain(`| \`${path.join(".")}\` | \`${variable}\` |`);
});

test("a path is relative to where it stands", async () => {
  const file = await configFile("models: repo\ndataDir: /var/setlist");
  const config = loadConfig({ flags: { config: file }, env: { SETLIST_WORLD: "world" }, cwd });
  expect(config.models).toBe(join(file, "../repo"));
  expect(config.dataDir).toBe("/var/setlist");
  expect(config.world).toBe(join(cwd, "world"));
  expect(loadConfig({ flags: { dataDir: "d" }, env: {}, cwd }).dataDir).toBe(join(cwd, "d"));
});

test("a surface without a timeout gets the default one; naming surfaces replaces both default ones", async () => {
  const file = await configFile("surfaces: { search: { defaultModel: { name: m, version: '2' } } }");
  const { surfaces } = loadConfig({ flags: { config: file }, env: {}, cwd });
  expect([...surfaces]).toEqual([["search", { defaultModel: { name: "m", version: "2" }, timeoutMs: 200 }]]);
});

test("a surface's shadow scores all requests and compares the best ten, unless it says otherwise", async () => {
  const written = {
    a: "{ model: { name: m, label: candidate } }",
    b: "{ model: { name: m, version: '3' }, share: 0.05, topK: 20 }",
    c: "{ model: { name: m }, share: 0 }",
  };
  const surfaces = Object.entries(written).map(
    ([name, shadow]) => `  ${name}: { defaultModel: { name: s }, shadow: ${shadow} }`,
  );
  const file = await configFile(`surfaces:\n${surfaces.join("\n")}`);
  const config = loadConfig({ flags: { config: file }, env: {}, cwd });
  expect([...config.surfaces.values()].map(({ shadow }) => shadow)).toEqual([
    { model: { name: "m", label: "candidate" }, share: 1, topK: 10 },
    { model: { name: "m", version: "3" }, share: 0.05, topK: 20 },
    { model: { name: "m" }, share: 0, topK: 10 },
  ]);
});

describe("refused:", () => {
  test.each([
    ["SETLIST_HTTP_PORT", "eighty", 'SETLIST_HTTP_PORT: expected a whole number, got "eighty"'],
    ["SETLIST_HTTP_PORT", "8080x", "SETLIST_HTTP_PORT: expected a whole number"],
    ["SETLIST_HTTP_PORT", "0x50", "SETLIST_HTTP_PORT: expected a whole number"],
    ["SETLIST_HTTP_PORT", "-1", "SETLIST_HTTP_PORT: expected a whole number"],
    ["SETLIST_HTTP_PORT", "65536", "SETLIST_HTTP_PORT: must be <= 65535, got 65536"],
    ["SETLIST_LOG_LEVEL", "inf", 'did you mean "info"?'],
    [
      "SETLIST_INFERENCE_ISOLATION",
      "proces",
      'SETLIST_INFERENCE_ISOLATION: expected one of thread, process, got "proces" (did you mean "process"?)',
    ],
    ["SETLIST_INFERENCE_WORKERS", "0", "SETLIST_INFERENCE_WORKERS: must be >= 1"],
    [
      "SETLIST_INFERENCE_EXECUTION_PROVIDERS",
      "cudda,cpu",
      'SETLIST_INFERENCE_EXECUTION_PROVIDERS[0]: expected one of cpu, webgpu, cuda, tensorrt, got "cudda" (did you mean "cuda"?)',
    ],
  ])("variable %s=%s", (name, value, complaint) => {
    expect(() => loadConfig({ flags: {}, env: { [name]: value }, cwd })).toThrow(complaint);
  });

  test.each<[Record<string, string | number>, string]>([
    [{ httpPort: "x" }, '--http-port: expected a whole number, got "x"'],
    [{ httpPort: 70_000 }, "--http-port: must be <= 65535"],
    [{ logLevel: "loud" }, '--log-level: expected one of fatal, error, warn, info, debug, trace, got "loud"'],
    [{ htpPort: "1" }, '--htp-port: no such setting (did you mean "--http-port"?)'],
    [{ config: "nowhere.yaml" }, join(cwd, "nowhere.yaml")],
    [{ httpPort: 9090 }, "grpcPort: expected another port than httpPort, got 9090 for both"],
  ])("flags %j", (flags, complaint) => {
    expect(() => loadConfig({ flags, env: {}, cwd })).toThrow(complaint);
  });

  test("a wrong flag is wrong usage; the same value in a variable is a wrong environment", () => {
    expect(() => loadConfig({ flags: { logLevel: "loud" }, env: {}, cwd })).toThrow(UsageError);
    const env = { SETLIST_LOG_LEVEL: "loud" };
    expect(() => loadConfig({ flags: {}, env, cwd })).toThrow(
      /^SETLIST_LOG_LEVEL: expected one of [a-z, ]+, got "loud"$/,
    );
    expect(refusalOf(env)).not.toBeInstanceOf(UsageError);
  });

  test.each([
    [
      "an unknown key",
      "host: localhost\nhttpPrt: 1",
      /setlist\.yaml:2: httpPrt: unknown field \(did you mean "httpPort"\?\)/,
    ],
    [
      "an unknown inner key",
      "log:\n  syncInterval: 1",
      /setlist\.yaml:2: log\.syncInterval: unknown field \(did you mean "syncIntervalMs"\?\)/,
    ],
    ["a wrong type", "host: x\nhttpPort: 'many'", /setlist\.yaml:2: httpPort: expected integer, got string/],
    ["a fraction of a port", "httpPort: 80.5", /setlist\.yaml:1: httpPort: expected integer/],
    [
      "a surface without a model",
      "surfaces:\n  home:\n    timeoutMs: 5",
      /setlist\.yaml:3: surfaces\.home\.defaultModel: expected, but missing/,
    ],
    [
      "a shadow without a model",
      "surfaces:\n  home:\n    defaultModel: { name: m }\n    shadow: { share: 0.5 }",
      /setlist\.yaml:4: surfaces\.home\.shadow\.model: expected, but missing/,
    ],
    [
      "more than the whole as a shadow's share",
      "surfaces: { home: { defaultModel: { name: m }, shadow: { model: { name: n }, share: 5 } } }",
      /surfaces\.home\.shadow\.share: must be <= 1, got 5/,
    ],
    [
      "an unknown key of a shadow",
      "surfaces: { home: { defaultModel: { name: m }, shadow: { model: { name: n }, shares: 1 } } }",
      /surfaces\.home\.shadow\.shares: unknown field \(did you mean "share"\?\)/,
    ],
    [
      "a version and a label of a shadow's model",
      "surfaces: { home: { defaultModel: { name: m }, shadow: { model: { name: n, version: '1', label: l } } } }",
      /surfaces\.home\.shadow\.model: expected a version or a label, got version 1 and label l/,
    ],
    ["no surface", "surfaces: {}", /surfaces: expected at least one surface/],
    [
      "an unknown execution provider of one model",
      "inference:\n  perModel:\n    home-kd:\n      executionProviders: [gpu]",
      /setlist\.yaml:4: inference\.perModel\.home-kd\.executionProviders\[0\]: expected one of cpu, webgpu, cuda, tensorrt, got "gpu"/,
    ],
    [
      "an unknown setting of one model",
      "inference:\n  perModel:\n    home-kd:\n      executionProvider: [cpu]",
      /inference\.perModel\.home-kd\.executionProvider: unknown field \(did you mean "executionProviders"\?\)/,
    ],
    [
      "an execution provider twice",
      "inference: { executionProviders: [cuda, cuda] }",
      /inference\.executionProviders: expected each once, got cuda twice in cuda, cuda$/,
    ],
    [
      "an execution provider behind the one that always runs",
      "inference: { perModel: { home-kd: { executionProviders: [cpu, cuda] } } }",
      /inference\.perModel\.home-kd\.executionProviders: expected cpu last, since it always runs, got cpu, cuda$/,
    ],
    [
      "WebGPU in two threads",
      "inference: { workers: 2, isolation: thread, executionProviders: [webgpu, cpu] }",
      /inference\.executionProviders: expected webgpu only with inference\.workers: 1 or inference\.isolation: process, .*, got inference\.workers: 2$/,
    ],
    ["broken YAML", "host: [", /setlist\.yaml:1: not valid YAML/],
    [
      "two documents",
      "host: a\n---\nhost: b",
      /setlist\.yaml:2: a second YAML document begins: expected one, so remove its ---$/,
    ],
    [
      "a line break in a surface's name",
      'surfaces: { "a\\nb": { defaultModel: { name: m } } }',
      /setlist\.yaml(:1)?: surfaces\."a\\nb": unknown field/,
    ],
    ["a key twice", "host: a\nhost: b", /setlist\.yaml:2: not valid YAML: Map keys must be unique/],
    ["a list", "- host", /setlist\.yaml: configuration: expected object, got array/],
    ["aliases without end", aliasBomb(), /setlist\.yaml: not usable YAML/],
    ["keys within keys", "? ".repeat(400), /setlist\.yaml:1: expected a text for a key/],
    ["a depth without end", "[".repeat(100_000), /setlist\.yaml:1: not valid YAML: it is nested too deeply/],
  ])("a file with %s, with file and line", async (_what, text, complaint) => {
    const file = await configFile(text);
    expect(() => loadConfig({ flags: { config: file }, env: {}, cwd })).toThrow(complaint);
  });
});

test("a map of as many keys as a file has room for is read in a moment", async () => {
  const keys = Array.from({ length: 80_000 }, (_, i) => `  k${i}: 1`).join("\n");
  const file = await configFile(`limits:\n${keys}\n`);
  const before = process.cpuUsage();
  expect(() => loadConfig({ flags: { config: file }, env: {}, cwd })).toThrow("limits.k0: unknown field");
  expect(process.cpuUsage(before).user / 1_000).toBeLessThan(15_000);
});

test("a device in place of a file is read no further than a file may be long", () => {
  expect(() => loadConfig({ flags: { config: "/dev/zero" }, env: {}, cwd })).toThrow(
    "/dev/zero: expected at most 1048576 bytes",
  );
});

test("a variable that nearly names a setting is warned of; a stranger's is left alone", () => {
  const env = { SETLIST_HTTP_PROT: "1", SETLIST_SERVICE_HOST: "10.0.0.1", SETLIST_PORT: "tcp://10.0.0.1:80" };
  expect(loadConfig({ flags: {}, env, cwd }).warnings).toEqual([
    "SETLIST_HTTP_PROT: no such setting, ignored (did you mean SETLIST_HTTP_PORT?)",
  ]);
});

function refusalOf(env: Readonly<Record<string, string>>): unknown {
  try {
    return loadConfig({ flags: {}, env, cwd });
  } catch (error) {
    return error;
  }
}

/** The billion laughs. */
function aliasBomb(): string {
  const levels = Array.from({ length: 9 }, (_, i) => {
    const item = i === 0 ? "lol" : `*l${i - 1}`;
    return `l${i}: &l${i} [${Array.from({ length: 10 }, () => item).join(", ")}]`;
  });
  return levels.join("\n");
}
