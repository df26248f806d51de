import { Command } from "commander";
import type { App } from "../app.ts";
import { loadConfig, type SetlistConfig } from "../config.ts";
import { port, wholeNumberTo } from "./argument.ts";

/** `setlist serve`: the server, until SIGTERM or SIGINT. */
export function serveCommand(): Command {
  return new Command("serve")
    .description("Serve rankings over HTTP and gRPC until SIGTERM or SIGINT.")
    .option("--host <ADDRESS>", "the address to listen on (default: 127.0.0.1)")
    .option("--http-port <PORT>", "the HTTP port, 0 picks a free one (default: 8080)", port)
    .option("--grpc-port <PORT>", "the gRPC port, 0 picks a free one (default: 9090)", port)
    .option("--data-dir <FOLDER>", "the data directory: log, features and experiments (default: ./data)")
    .option("--models <FOLDER>", "the model repository (default: models/repository)")
    .option("--config <FILE>", "the configuration (default: config/setlist.yaml)")
    .option(
      "--processes <COUNT>",
      "processes that answer, sharing the ports (default: 1)",
      wholeNumberTo(256),
    )
    .option("--log-level <LEVEL>", "fatal, error, warn, info, debug or trace (default: info)")
    .addHelpText(
      "after",
      "\nEach flag is also an environment variable, SETLIST_HTTP_PORT and so on, which the other commands read too.",
    )
    .action(async (flags: Record<string, string | number | undefined>) => {
      const app = await open(loadConfig({ flags, env: process.env, cwd: process.cwd() }));
      // Listened for from before the ports open: a signal in between must not be lost.
      const stopped = signalled();
      await app.listen();
      try {
        app.logger.info({ signal: await Promise.race([stopped, app.failed]) }, "draining");
      } finally {
        await app.close();
      }
      app.logger.info("stopped");
    });
}

/** Imported once it is asked for: other commands and --help should not load the whole server. */
async function open(config: SetlistConfig): Promise<App> {
  if (config.processes === 1) return (await import("../app.ts")).createApp(config);
  return (await import("../app/group/process-group.ts")).createProcessGroup(config);
}

/** The first SIGTERM or SIGINT; a second one ends the process at once, for whoever cannot wait for the drain. */
function signalled(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let first = true;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (!first) process.exit(1);
      first = false;
      resolve(signal);
    };
    process.on("SIGTERM", onSignal);
    process.on("SIGINT", onSignal);
  });
}
