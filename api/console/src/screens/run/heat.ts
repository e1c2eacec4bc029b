/** The heat map: one line of pixels per job or per several jobs, in the order of their decisions, grouped by rule. */
import { listed, type RuleCount, rulesOf, UNDECIDED } from './counts';
import type { Lane } from './replay';

/** From this many jobs on, a run is shown as a heat map unless the reader chooses lanes. */
export const MANY = 400;
const SMALLEST = 24;

export interface Group {
  count: RuleCount;
  lanes: Lane[];
  /** In pixels: in proportion to its jobs, but never so small that a few jobs among thousands are overlooked. */
  height: number;
}

export interface Span {
  from: number;
  to: number;
  /** What the job was in this time: not seen, asked, or decided with this outcome. */
  kind: string;
}

export function groupsOf(lanes: readonly Lane[], height: number): Group[] {
  return rulesOf(lanes).map((count) => {
    const same = lanes.filter(({ decision }) => isOf(count, decision));
    const share = Math.round((height * same.length) / lanes.length);
    return { count, lanes: listed(same, { search: '', rules: [], order: 'time' }), height: Math.max(SMALLEST, share) };
  });
}

/** Return the job of a line of pixels. Where jobs share a line, it is one of them: they are in order. */
export function laneAt({ lanes, height }: Group, y: number): Lane | undefined {
  return lanes[Math.min(lanes.length - 1, Math.max(0, Math.floor((y * lanes.length) / height)))];
}

/** Return the periods of a job. `before`: the seconds before the start that are shown. */
export function spansOf({ lastSight, probes, decision }: Lane, { before, end }: { before: number; end: number }): Span[] {
  const first = probes[0];
  const asked = first ? Math.max(0, first.at - first.tookMs / 1000) : end;
  const decided = decision?.at ?? end;
  return [
    { from: lastSight ?? -before, to: asked, kind: 'unseen' },
    { from: asked, to: decided, kind: 'asked' },
    { from: decided, to: end, kind: decision?.outcome ?? 'asked' },
  ].filter(({ from, to }) => to > from);
}

function isOf({ rule, outcome }: RuleCount, decision: Lane['decision']): boolean {
  return (decision?.rule ?? UNDECIDED) === rule && (decision?.outcome ?? '') === outcome;
}
