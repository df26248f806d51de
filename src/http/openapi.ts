import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";
import { SetlistError } from "../domain/error.ts";
import type { ErrorAnswer } from "./errors.ts";

/** The routes' own schemas as OpenAPI 3.1 at /openapi.json, and as pages at /docs. Goes before the routes. */
export async function describeRoutes(app: FastifyInstance, answerError: ErrorAnswer): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Setlist",
        description: "An online ranking server with experiments built in.",
        version: "1",
      },
      tags: [
        { name: "ranking", description: "Order candidates" },
        { name: "outcomes", description: "Say what came of it" },
        { name: "experiments", description: "Read and change experiments, and ask for assignments" },
        { name: "openfeature", description: "Experiments as flags: OFREP 0.3, and tracking beside it" },
        { name: "models", description: "See, load, unload and label versions" },
        { name: "operations", description: "Probes and metrics" },
      ],
    },
    refResolver: {
      buildLocalReference: (json, _baseUri, _fragment, i) => String(json["$id"] ?? `schema-${i}`),
    },
  });
  await app.register(async (pages) => {
    limitFiles(pages);
    // The library that sends files throws where a path leaves their folder or holds a NUL.
    pages.setErrorHandler((error, request, reply) =>
      answerError(isWrongPath(error) ? nothingThere : error, request, reply),
    );
    await pages.register(swaggerUi, {
      routePrefix: "/docs",
      theme: { title: "Setlist: the API" },
      // Without the bar of Swagger's own, which has another product's name in it.
      uiConfig: { docExpansion: "list", layout: "BaseLayout" },
    });
  });
  // The routes do not change once there are requests; a millisecond each time is more than a ranking costs.
  let document: string | undefined;
  app.get(
    "/openapi.json",
    {
      schema: {
        tags: ["operations"],
        summary: "This document",
        response: { 200: { type: "object", additionalProperties: true } },
      },
    },
    async (_request, reply) => {
      reply.type("application/json; charset=utf-8");
      document ??= JSON.stringify(app.swagger());
      return document;
    },
  );
}

/** Of the documentation's pages at a time. A person's browser asks for six; each that is not read holds a descriptor. */
const filesMax = 64;

function limitFiles(pages: FastifyInstance): void {
  let inFlight = 0;
  pages.addHook("onRequest", (_request, reply, next) => {
    inFlight++;
    reply.raw.once("close", () => inFlight--);
    next(inFlight > filesMax ? tooManyFiles : undefined);
  });
}

const tooManyFiles = new SetlistError(
  "RESOURCE_EXHAUSTED",
  `docs: at most ${filesMax} files are sent at a time; try again`,
);

function isWrongPath(error: unknown): boolean {
  const { statusCode } = error as { readonly statusCode?: unknown };
  return statusCode === 400 || statusCode === 403 || statusCode === 404;
}

const nothingThere = new SetlistError("NOT_FOUND", "path: no such file; the pages begin at /docs");
