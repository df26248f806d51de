/** Numbers as a person reads them. A minus is U+2212, as wide as the plus above it. What is no number is a dash. */

/** `5,012`. */
export function count(value: number): string {
  return Number.isFinite(value) ? value.toLocaleString("en-US") : none;
}

/** `1 unit`, `5,012 units`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Four significant digits: `1.203`, `0.0001234`. */
export function amount(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return none;
  const text = Number(value.toPrecision(4)).toLocaleString("en-US", { maximumSignificantDigits: 4 });
  return Math.abs(value) < 1e-6 && value !== 0 ? minus(value.toExponential(2)) : minus(text);
}

/** With its sign: `+0.02`. */
export function signed(value: number): string {
  return value > 0 && Number.isFinite(value) ? `+${amount(value)}` : amount(value);
}

/** A share as percents with its sign: `+1.60 %`. */
export function percent(share: number): string {
  const value = share * 100;
  if (!Number.isFinite(value)) return none;
  const digits = Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0;
  const text = minus(
    value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits }),
  );
  return `${value > 0 ? "+" : ""}${text} %`;
}

/** A share as percents: `50.4 %`. */
export function plainPercent(share: number): string {
  return Number.isFinite(share) ? `${fixed(share * 100, 1)} %` : none;
}

/** With so many decimals: `2.31`. */
export function fixed(value: number, decimals: number): string {
  return Number.isFinite(value) ? minus(value.toFixed(decimals)) : none;
}

/** `95 %` for alpha 0.05. */
export function level(alpha: number): string {
  return `${Number(((1 - alpha) * 100).toFixed(4))} %`;
}

/** `0.041`, `< 0.0001`. */
export function probability(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return none;
  return value < 0.0001 ? "< 0.0001" : value.toPrecision(2);
}

/** Where no line can be wrapped, what is too long loses its middle: names of one family differ at their ends. */
export function shortened(text: string, charactersMax: number): string {
  const characters = [...text];
  if (characters.length <= charactersMax) return text;
  const end = Math.floor((charactersMax - 1) / 2);
  return `${characters.slice(0, charactersMax - 1 - end).join("")}…${characters.slice(-end).join("")}`;
}

const none = "–";

function minus(text: string): string {
  return text.replaceAll("-", "−");
}
