/** The shaded periods of a plot, and the mark of a moment. */
import type uPlot from 'uplot';
import { colour } from '../theme.svelte';

/** A shaded period, in seconds. */
export interface Band {
  from: number;
  to: number;
  /** The variable of the theme. */
  colour: string;
  label: string;
  /** Periods of two kinds differ by more than their colour. */
  isHatched?: boolean;
}

/** Least width of a band, in pixels: a short one, such as a quick restart, must not vanish in a plot of hours. */
const LEAST = 3;
/** Pixels between the lines of a hatched band. */
const HATCH = 10;

interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Draw the bands, and a line at `mark`, in seconds. */
export function drawBands({ ctx, bbox, valToPos }: uPlot, bands: readonly Band[], mark: number | null): void {
  for (const band of bands) {
    const left = Math.max(bbox.left, valToPos(band.from, 'x', true));
    const right = Math.min(bbox.left + bbox.width, valToPos(band.to, 'x', true));
    if (right < bbox.left || left > bbox.left + bbox.width) continue;
    fill(ctx, band, { left, top: bbox.top, width: Math.max(right - left, LEAST), height: bbox.height });
  }
  if (mark === null) return;
  ctx.fillStyle = colour('--text');
  ctx.fillRect(valToPos(mark, 'x', true) - 1, bbox.top, 2, bbox.height);
}

function fill(ctx: CanvasRenderingContext2D, band: Band, { left, top, width, height }: Box): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.fillStyle = ctx.strokeStyle = colour(band.colour);
  ctx.globalAlpha = 0.18;
  ctx.fillRect(left, top, width, height);
  if (band.isHatched) hatch(ctx, { left, top, width, height });
  ctx.restore();
}

function hatch(ctx: CanvasRenderingContext2D, { left, top, width, height }: Box): void {
  ctx.globalAlpha = 0.5;
  ctx.setLineDash([]);
  ctx.beginPath();
  for (let x = left - height; x < left + width; x += HATCH) {
    ctx.moveTo(x, top + height);
    ctx.lineTo(x + height, top);
  }
  ctx.stroke();
}
