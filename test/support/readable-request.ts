import { IdBytes } from "../../src/domain/id-bytes.ts";
import type { WireRankRequest } from "../../src/serving/serving.ts";

/** A request as it was decoded, with texts for ids that are still bytes. */
export function readable(request: WireRankRequest): WireRankRequest {
  const { candidateIds: ids } = request;
  if (!(ids instanceof IdBytes)) return request;
  return { ...request, candidateIds: Array.from({ length: ids.length }, (_, place) => ids.text(place)) };
}
