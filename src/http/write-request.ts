import type { FastifyReply, FastifyRequest } from "fastify";
import Type, { type Static } from "typebox";
import { invalidArgument } from "../domain/error.ts";
import { type By, confirmationsOf, type WrittenExperiment, writerOf } from "../rollout/rollout.ts";

/** How a write is meant. */
export const writeQuery = Type.Object(
  {
    dryRun: Type.Optional(
      Type.Enum(["true", "false"], { description: "true answers what would be, and writes nothing." }),
    ),
    confirm: Type.Optional(
      Type.String({
        description:
          "Comma-separated: new-phase where an experiment that has begun starts a new phase, less-traffic where its traffic goes down.",
      }),
    ),
  },
  { additionalProperties: false },
);

export const writeHeaders = Type.Object({
  "if-match": Type.Optional(
    Type.String({ description: 'The revision that was read: `3`, or `"3"` as the ETag has it.' }),
  ),
  "setlist-actor": Type.Optional(Type.String({ description: "Who writes, for the history." })),
});

export const changeSchema = Type.Object(
  {
    what: Type.String({ description: "As in the history; empty where everything stands already." }),
    fields: Type.Array(
      Type.Object({
        field: Type.String(),
        before: Type.Optional(Type.Unsafe<unknown>({ description: "Absent where it was not there." })),
        after: Type.Optional(Type.Unsafe<unknown>({ description: "Absent where it is not there any more." })),
      }),
    ),
    dryRun: Type.Boolean({ description: "Nothing was written." }),
  },
  { description: "What the write changed, or would change." },
);

export function byOf(request: FastifyRequest): By {
  const { dryRun, confirm } = request.query as Static<typeof writeQuery>;
  const who = request.headers["setlist-actor"];
  return {
    who: writerOf(Array.isArray(who) ? who[0] : who),
    dryRun: dryRun === "true",
    confirmed: confirmationsOf(confirm === undefined || confirm === "" ? [] : confirm.split(",")),
  };
}

/** @throws {SetlistError} INVALID_ARGUMENT where the header is missing, or names no revision. */
export function revisionOf(request: FastifyRequest): number {
  const revision = revisionIfSaid(request);
  if (revision !== undefined) return revision;
  throw invalidArgument("If-Match: expected the revision that was read, such as If-Match: 3, but missing");
}

/** Undefined where the header is missing. */
export function revisionIfSaid(request: FastifyRequest): number | undefined {
  const said = request.headers["if-match"];
  if (said === undefined) return undefined;
  const digits = /^\s*("?)(\d{1,15})\1\s*$/.exec(said)?.[2];
  if (digits !== undefined) return Number(digits);
  throw invalidArgument(
    `If-Match: expected a revision such as 3 or "3", got ${JSON.stringify(said.slice(0, 64))}`,
  );
}

/** The document with its revision, also as the ETag, and what became of it. */
export function answerWritten(
  reply: FastifyReply,
  { experiment, change }: WrittenExperiment,
): WrittenExperiment["experiment"] & { readonly change: WrittenExperiment["change"] } {
  reply.header("etag", `"${experiment.revision}"`);
  return { ...experiment, change };
}
