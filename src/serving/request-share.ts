import { murmur3 } from "../domain/murmur3.ts";

/** Whether the request is of the share of one purpose; the same request always is, or never, in whichever process. */
export function isInShare(
  share: number,
  requestId: string,
  purpose: "shadow" | "counterfactual" | "served-features" = "shadow",
): boolean {
  if (share <= 0 || share >= 1) return share >= 1;
  return murmur3(`${purpose}:${requestId}`) / 2 ** 32 < share;
}
