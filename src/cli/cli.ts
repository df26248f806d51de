import { Command, CommanderError } from "commander";
import { SetlistError, UsageError } from "../domain/error.ts";
import { analyzeCommand } from "./analyze.ts";
import { assignCommand } from "./assign.ts";
import { compactCommand } from "./compact.ts";
import { demoCommand } from "./demo.ts";
import { exitCodesText, exitFailed, exitWrongUsage } from "./exit-codes.ts";
import { experimentsCommand } from "./experiments.ts";
import { ingestCommand } from "./ingest.ts";
import { labelCommand } from "./label.ts";
import { modelsCommand } from "./models.ts";
import { powerCommand } from "./power.ts";
import { serveCommand } from "./serve.ts";
import { simulateCommand } from "./simulate.ts";
import { usageText } from "./usage-text.ts";
import { verifyLogCommand } from "./verify-log.ts";

/**
 * Runs one command line and answers with its exit code. A command that has a code of its own sets `process.exitCode`.
 */
export async function run(args: readonly string[]): Promise<number> {
  const program = setlistProgram();
  try {
    if (args.length === 0) program.outputHelp();
    await program.parseAsync([...args], { from: "user" });
    return args.length === 0 ? exitWrongUsage : Number(process.exitCode ?? 0);
  } catch (error) {
    return exitCodeOf(error);
  }
}

/** The whole command line, as `--help` shows it. */
export function setlistProgram(): Command {
  const program = new Command("setlist")
    .description(
      "Serve distilled rankers, split traffic between them, record what happens and say which arm won.",
    )
    .addHelpText("after", exitCodesText);
  strict(program);
  const commands = [
    serveCommand(),
    demoCommand(),
    simulateCommand(),
    analyzeCommand(),
    powerCommand(),
    experimentsCommand(),
    modelsCommand(),
    assignCommand(),
    verifyLogCommand(),
    compactCommand(),
    labelCommand(),
    ingestCommand(),
  ];
  for (const command of commands) program.addCommand(strict(command));
  return program;
}

/** Commander hands `exitOverride` on to subcommands made with `.command()`, not to those added whole. */
function strict(command: Command): Command {
  for (const sub of command.commands) strict(sub);
  return command
    .allowExcessArguments(false)
    .showHelpAfterError("(--help says more)")
    .configureOutput({ outputError: (text, write) => write(usageText(text)) })
    .exitOverride();
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitWrongUsage;
  if (error instanceof UsageError) {
    process.stderr.write(`setlist: ${error.message}\n(--help says more)\n`);
    return exitWrongUsage;
  }
  if (error instanceof SetlistError) {
    process.stderr.write(`setlist: ${error.message}\n`);
    return exitFailed;
  }
  // Neither wrong usage nor a known fault: a defect of ours, so its whole trace helps whoever mends it.
  process.stderr.write(
    `setlist: unexpected failure\n${error instanceof Error ? error.stack : String(error)}\n`,
  );
  return exitFailed;
}
