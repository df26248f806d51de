#!/usr/bin/env node
import { enableCompileCache } from "node:module";

// Before anything else is imported: from the second run on, a command starts in two thirds of the time.
enableCompileCache();
const { run } = await import("./cli/cli.ts");

process.exitCode = await run(process.argv.slice(2));
