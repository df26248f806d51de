/**
 * The arrow rule of docs/architecture.md for dependency-cruiser: arrows point to the right, may skip rooms, and never
 * point left; rooms of one line do not import each other.
 */
const order = [
  ["main"],
  ["cli"],
  ["app"],
  [
    "http",
    "grpc",
    "inference",
    "features",
    "outcomes",
    "labels",
    "registry",
    "processes",
    "shipping",
    "simulation",
    "telemetry",
    "config",
    "report",
    "client",
  ],
  ["planning"],
  ["serving", "rollout", "analysis", "guardrails", "warehouse"],
  ["designs"],
  ["measurement"],
  ["experiments", "ranking", "statistics"],
  ["schema", "columnar"],
  ["domain"],
];
const pure = ["experiments", "ranking", "statistics", "domain"];

const place = (room: string): string => `^src/${room}(/|\\.ts$)`;

const arrows = order.flatMap((rooms, rank) =>
  rooms.map((room) => ({
    name: `arrow-${room}`,
    severity: "error" as const,
    comment: `${room} may import itself and what stands to its right`,
    from: { path: place(room) },
    to: { path: "^src/", pathNot: [room, ...order.slice(rank + 1).flat()].map(place) },
  })),
);

export const forbidden = [
  ...arrows,
  { name: "no-circles", severity: "error" as const, from: {}, to: { circular: true } },
  { name: "resolvable", severity: "error" as const, from: {}, to: { couldNotResolve: true } },
  {
    name: "known-room",
    severity: "error" as const,
    comment: "every file of src stands in a room that the plan knows",
    from: { path: "^src/", pathNot: order.flat().map(place) },
    to: {},
  },
  {
    name: "pure-rooms-do-no-io",
    severity: "error" as const,
    from: { path: pure.map(place) },
    to: { dependencyTypes: ["core" as const] },
  },
  {
    name: "domain-imports-nothing",
    severity: "error" as const,
    from: { path: place("domain") },
    to: { pathNot: place("domain") },
  },
  {
    name: "only-config-reads-yaml",
    severity: "error" as const,
    from: { path: "^src/", pathNot: place("config") },
    to: { path: "node_modules/yaml/" },
  },
  {
    name: "server-needs-no-development-package",
    severity: "error" as const,
    from: { path: "^src/" },
    to: { dependencyTypes: ["npm-dev" as const], dependencyTypesNot: ["type-only" as const] },
  },
];
