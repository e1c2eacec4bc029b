/** The time axis of a replay: what was before the start in a narrow part on the left, logarithmic; then linear. */

/** The share of the axis for the time before the start, which may be hours when the run is seconds. */
export const BEFORE = 0.18;

export interface Scale {
  end: number;
  /** Seconds before the start that the left part covers. */
  before: number;
}

/** Return the place of a time, as a share of the axis. */
export function placeOf(at: number, { end, before }: Scale): number {
  if (at >= 0) return BEFORE + (1 - BEFORE) * Math.min(1, at / end);
  const share = before > 0 ? Math.log1p(Math.min(-at, before)) / Math.log1p(before) : 0;
  return BEFORE * (1 - share * 0.92);
}

/** Return the time at a place right of the start; the start for a place left of it. */
export function timeAt(place: number, { end }: Scale): number {
  return Math.min(end, Math.max(0, ((place - BEFORE) / (1 - BEFORE)) * end));
}

/** Return round times for the axis, at most `most` after the start. */
export function ticks(end: number, most = 6): number[] {
  const rough = end / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  return Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, at) => Number((at * step).toPrecision(12)));
}

/** Return a time of the run: `+3.08 s`, `+2 min 5 s`. */
export function sinceStart(seconds: number): string {
  if (seconds < 100) return `+${Number(seconds.toFixed(seconds < 1 ? 3 : seconds < 10 ? 2 : 1))} s`;
  const whole = Math.round(seconds);
  return whole < 3600 ? `+${Math.floor(whole / 60)} min ${whole % 60} s` : `+${Math.floor(whole / 3600)} h ${Math.floor(whole / 60) % 60} min`;
}
