import Type, { type TSchema } from "typebox";
import { problemContentType, problemTypes } from "./problem.ts";

/** RFC 9457, with the closed list's code and the id under which the server's log knows the request. */
export const problemSchema = Type.Object(
  {
    type: Type.String({ description: "urn:setlist:error:…, one for each code" }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: "Names the field, what was expected and what you can do." }),
    code: Type.Enum(Object.keys(problemTypes)),
    requestId: Type.String(),
  },
  { $id: "Problem" },
);

/** The error answers of a route, for its `response` schema. */
export function problems(...statuses: readonly number[]): Record<number, TSchema | object> {
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: meanings[status] ?? "An error",
        content: { [problemContentType]: { schema: { $ref: "Problem#" } } },
      },
    ]),
  );
}

const meanings: Readonly<Record<number, string>> = {
  ...Object.fromEntries(Object.values(problemTypes).map(({ status, title }) => [status, title])),
  415: "The body is not JSON in UTF-8, uncompressed",
};
