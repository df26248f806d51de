import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { describeWhere } from "./describe-with.ts";

/** Where `pip install -r test/support/spark-requirements.lock` of a venv of its own puts it. */
const venv = resolve(".venv-spark/lib");

/** A Spark of this machine, as small as it can be. */
export const localSpark = [
  "spark.master=local[2]",
  "spark.driver.bindAddress=127.0.0.1",
  "spark.driver.host=127.0.0.1",
  "spark.ui.enabled=false",
  "spark.sql.shuffle.partitions=1",
  // Compiling costs more than these tests' few rows.
  "spark.sql.codegen.wholeStage=false",
  "spark.sql.codegen.factoryMode=NO_CODEGEN",
  "spark.sql.adaptive.enabled=false",
  // No metastore: it takes a Derby and seconds to start.
  "spark.sql.catalogImplementation=in-memory",
  "spark.driver.extraJavaOptions=-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
];

/**
 * A suite that needs Spark and a Java: `sparkSql` is its program. Without them the suite is skipped with a warning that says
 * so, or fails where `REQUIRE_SPARK` is set, as .ci/run does.
 */
export function describeWithSpark(name: string, suite: (sparkSql: string) => void): void {
  const program = installed();
  const missing =
    program === undefined
      ? "no Spark in .venv-spark (python3 -m venv .venv-spark && .venv-spark/bin/pip install -r test/support/spark-requirements.lock), or no java"
      : undefined;
  const required = process.env["REQUIRE_SPARK"] !== undefined;
  describeWhere(name, { missing, required }, () => suite(program ?? ""));
}

function installed(): string | undefined {
  try {
    execFileSync("java", ["-version"], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  const versions = existsSync(venv) ? readdirSync(venv) : [];
  return versions
    .map((version) => join(venv, version, "site-packages/pyspark/bin/spark-sql"))
    .find((program) => existsSync(program));
}
