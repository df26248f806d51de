/** Where an inference worker runs: in a thread of the server, or in a process of its own. */
export const isolations = ["thread", "process"] as const;

export type Isolation = (typeof isolations)[number];
