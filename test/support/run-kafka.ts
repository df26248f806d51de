/** `npm run kafka [port]`: a broker to try the shipper with, until Ctrl-C; what was in it is gone then. */
import { once } from "node:events";
import { startKafka } from "./kafka.ts";

const broker = await startKafka({ port: Number(process.argv[2] ?? 9_092) });
process.stdout.write(`Kafka at ${broker.address}, Ctrl-C ends it\n`);
await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
await broker.remove();
