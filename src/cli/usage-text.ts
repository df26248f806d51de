const inOurWords: readonly [RegExp, string][] = [
  [
    /^option '(?:-\w, )?(--[\w-]+)[^']*' argument '(.*)' is invalid\. Allowed choices are (.*)\.$/s,
    "$1 $2: expected one of $3",
  ],
  [/^option '(?:-\w, )?(--[\w-]+)[^']*' argument '(.*)' is invalid\. (.*?)\.?$/s, "$1 $2: $3"],
  [/^option '(?:-\w, )?(--[\w-]+) <(.*)>' argument missing$/, "$1: expected $2, but missing"],
  [/^required option '(?:-\w, )?(--[\w-]+) <(.*)>' not specified$/, "$1: expected $2, but missing"],
  [/^missing required argument '(.*)'$/, "$1: expected, but missing"],
];

/** What commander says of wrong usage, as every other error of ours reads: what, expected what, and why not. */
export function usageText(text: string): string {
  const said = text.replace(/^error: /, "").trimEnd();
  const known = inOurWords.find(([pattern]) => pattern.test(said));
  return `setlist: ${known === undefined ? said : said.replace(...known)}\n`;
}
