/**
 * A real Kafka broker for tests and for whoever tries the shipper out: one KRaft node in a temporary folder, on free
 * ports of the loopback, run by Java from jars that `test/support/kafka/fetch.sh` has fetched.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "./free-port.ts";

const run = promisify(execFile);

/** A cluster's id has 16 bytes in base64; one a broker is enough here. */
const clusterId = "c2V0bGlzdC10ZXN0LWJyb2";
const readyMsMax = 60_000;

export interface KafkaBroker {
  /** `127.0.0.1:port`, the same after every start. */
  readonly address: string;
  /** Undefined while it is not running. */
  pid(): number | undefined;
  /** SIGKILL, as a crash. */
  kill(): Promise<void>;
  /** Resolves once it takes connections. */
  start(): Promise<void>;
  /** Ends it and removes its files. */
  remove(): Promise<void>;
}

/** Undefined where a broker can be started, else what is missing. */
export function missingKafka(): string | undefined {
  if (!existsSync(jars())) {
    return `Kafka's jars are not in ${jars()} (test/support/kafka/fetch.sh fetches them)`;
  }
  try {
    execFileSync("java", ["-version"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "Java is not installed (apt-get install openjdk-17-jre-headless)";
  }
}

function jars(): string {
  const pom = readFileSync(join(import.meta.dirname, "kafka/pom.xml"), "utf8");
  const version = /kafka_2\.13<\/artifactId>\s*<version>([^<]+)</.exec(pom)?.[1] ?? "";
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "setlist", `kafka-${version}`);
}

/**
 * @param options.port 0 picks a free one.
 * @param options.users their passwords, where the broker is to ask for them (SASL PLAIN).
 * @throws {Error} with what is missing, or the broker's own words.
 */
export async function startKafka(
  options: { readonly port?: number; readonly users?: Readonly<Record<string, string>> } = {},
): Promise<KafkaBroker> {
  const { port = 0, users } = options;
  const missing = missingKafka();
  if (missing !== undefined) throw new Error(missing);
  const folder = await mkdtemp(join(tmpdir(), "setlist-kafka-"));
  const brokerPort = port === 0 ? await freePort() : port;
  const controllerPort = await freePort();
  const properties = join(folder, "server.properties");
  await writeFile(properties, settings({ folder, brokerPort, controllerPort, users }));
  await run("java", [...javaFlags, "kafka.tools.StorageTool", "format", "-t", clusterId, "-c", properties]);
  const log = join(folder, "broker.log");
  let child: ChildProcess | undefined;
  const killWithUs = (): void => void child?.kill("SIGKILL");
  process.once("exit", killWithUs);
  const kill = async (): Promise<void> => {
    if (child === undefined) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  };
  const start = async (): Promise<void> => {
    const out = openSync(log, "a");
    const started = spawn("java", [...javaFlags, "kafka.Kafka", properties], {
      stdio: ["ignore", out, out],
    });
    closeSync(out);
    child = started;
    started.once("exit", () => {
      child = undefined;
    });
    for (const late = Date.now() + readyMsMax; !(await answers(brokerPort)); await sleep(100)) {
      if (started.exitCode !== null || Date.now() > late) {
        throw new Error(`Kafka did not start:\n${readFileSync(log, "utf8").slice(-4_000)}`);
      }
    }
  };
  await start();
  return {
    address: `127.0.0.1:${brokerPort}`,
    pid: () => child?.pid,
    kill,
    start,
    async remove() {
      await kill();
      process.off("exit", killWithUs);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Small and quick to start: it serves one test. */
const javaFlags = ["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", join(jars(), "*")];

function settings(options: {
  readonly folder: string;
  readonly brokerPort: number;
  readonly controllerPort: number;
  readonly users: Readonly<Record<string, string>> | undefined;
}): string {
  const { folder, brokerPort, controllerPort, users } = options;
  return [
    "process.roles=broker,controller",
    "node.id=1",
    `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
    `listeners=PLAINTEXT://127.0.0.1:${brokerPort},CONTROLLER://127.0.0.1:${controllerPort}`,
    "controller.listener.names=CONTROLLER",
    `log.dirs=${join(folder, "data")}`,
    "auto.create.topics.enable=false",
    "num.partitions=3",
    ...(users === undefined ? [] : saslSettings(users)),
    "offsets.topic.replication.factor=1",
    "transaction.state.log.replication.factor=1",
    "transaction.state.log.min.isr=1",
    // A broker that was killed is let in again once its old session has run out.
    "broker.session.timeout.ms=2000",
    "broker.heartbeat.interval.ms=500",
    "group.initial.rebalance.delay.ms=0",
    "",
  ].join("\n");
}

function saslSettings(users: Readonly<Record<string, string>>): string[] {
  const known = Object.entries({ ...users, broker: "broker" }).map(
    ([name, password]) => `user_${name}="${password}"`,
  );
  return [
    "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:SASL_PLAINTEXT",
    "sasl.enabled.mechanisms=PLAIN",
    "sasl.mechanism.inter.broker.protocol=PLAIN",
    "listener.name.plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required " +
      `username="broker" password="broker" ${known.join(" ")};`,
  ];
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
