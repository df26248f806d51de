import { SetlistError } from "../domain/error.ts";
import type { ModelRef, ValueModelOverride } from "../domain/model.ts";
import type { StoreState, SurfaceDefault } from "../domain/store-state.ts";
import type { Surface, Surfaces } from "../domain/surface.ts";
import { nearest } from "../schema/schema.ts";
import { valueModelOver } from "../schema/value-model.ts";

/** What serves a surface without an experiment, and who says so. */
export interface SurfaceView {
  readonly surface: string;
  readonly model: ModelRef;
  readonly valueModel?: ValueModelOverride | undefined;
  readonly origin: "configuration" | "shipped";
  /** The arm that was shipped. */
  readonly experiment?: string | undefined;
  readonly arm?: string | undefined;
  /** 0 where nothing was ever shipped. */
  readonly revision: number;
}

/**
 * The configuration's settings with the default that was shipped, if one was. The halves of a value model that the arm
 * left out stay the surface's, as they were while it was an arm.
 */
export function withShipped(settings: Surface, shipped: SurfaceDefault["shipped"]): Surface {
  if (shipped === undefined) return settings;
  return {
    ...settings,
    defaultModel: shipped.model,
    valueModel: valueModelOver(shipped.valueModel, settings.valueModel),
  };
}

/** @throws {SetlistError} NOT_FOUND with the nearest surface that there is. */
export function knownSurface(configured: Surfaces, surface: string): string {
  if (configured.has(surface)) return surface;
  const hint = nearest(surface, [...configured.keys()]);
  throw new SetlistError("NOT_FOUND", `surface: no surface ${JSON.stringify(surface)}${hint}`);
}

export function surfaceViews(configured: Surfaces, { surfaces }: StoreState): readonly SurfaceView[] {
  return [...configured.keys()].map((surface) =>
    surfaceView(
      configured,
      surface,
      surfaces.find((one) => one.surface === surface),
    ),
  );
}

/** @param surface one of the configured. */
export function surfaceView(
  configured: Surfaces,
  surface: string,
  standing: SurfaceDefault | undefined,
): SurfaceView {
  const settings = configured.get(surface);
  if (settings === undefined) throw new Error(`${surface} is no surface of the configuration`);
  const shipped = standing?.shipped;
  const { defaultModel, valueModel } = withShipped(settings, shipped);
  return {
    surface,
    model: defaultModel,
    ...(valueModel !== undefined && { valueModel }),
    origin: shipped === undefined ? "configuration" : "shipped",
    ...(shipped !== undefined && { experiment: shipped.experiment, arm: shipped.arm }),
    revision: standing?.revision ?? 0,
  };
}
