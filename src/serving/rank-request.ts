import type { Attributes, Features } from "../domain/feature.ts";

/** A rank request as a transport decodes it: CONTRACT's JSON, every type right, nothing else checked. */
export interface WireRankRequest {
  readonly requestId?: string | undefined;
  readonly surface: string;
  readonly user: {
    readonly id: string;
    readonly attributes?: Attributes | undefined;
    readonly features?: Features | undefined;
  };
  readonly context?:
    | { readonly attributes?: Attributes | undefined; readonly features?: Features | undefined }
    | undefined;
  readonly candidates?:
    | readonly { readonly id: string; readonly features?: Features | undefined }[]
    | undefined;
  readonly candidateIds?: readonly string[] | undefined;
  readonly limit?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly explain?: boolean | undefined;
}
