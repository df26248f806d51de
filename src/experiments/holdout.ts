import type { Holdout } from "../domain/experiment.ts";
import { Bucket, type UnitKey } from "./bucket.ts";
import type { UnitKind } from "./unit.ts";

/** `holdout:` starts the holdouts' salts: who is held out says nothing about places in layers or among arms. */
export const holdoutSaltPrefix = "holdout:";

/** A holdout with everything worked out that a request would otherwise repeat. */
export interface CompiledHoldout {
  readonly holdout: Holdout;
  /** Its place among the holdouts of one set of experiments. */
  readonly index: number;
  readonly kind: UnitKind;
  readonly bucket: Bucket;
}

export function compileHoldouts(
  holdouts: readonly Holdout[],
  kindOf: (unit: Holdout["unit"]) => UnitKind,
): readonly CompiledHoldout[] {
  return holdouts.map((holdout, index) => ({
    holdout,
    index,
    kind: kindOf(holdout.unit),
    bucket: new Bucket(holdoutSaltPrefix + holdout.id),
  }));
}

export function covers({ layers }: Holdout, layer: string): boolean {
  return layers === undefined || layers.includes(layer);
}

/** Growing the share only adds units: everyone's place stays where it is. */
export function holdsOut({ holdout, bucket }: CompiledHoldout, unit: UnitKey): boolean {
  return bucket.placeOf(unit) < holdout.share;
}
