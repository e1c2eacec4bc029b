/** Two runs side by side: what they recorded about the same jobs. */
import { counted } from '../../lib/format';
import type { Replay } from './replay';

export interface Difference {
  jobId: string;
  a: string | null;
  b: string | null;
}

/** Return the jobs for which the runs recorded different rules; null where a run has no decision. */
export function differences(a: Replay, b: Replay): Difference[] {
  const [one, other] = [rulesById(a), rulesById(b)];
  return [...new Set([...one.keys(), ...other.keys()])]
    .sort()
    .map((jobId) => ({ jobId, a: one.get(jobId) ?? null, b: other.get(jobId) ?? null }))
    .filter((difference) => difference.a !== difference.b);
}

export interface Phases {
  firstRound: number | null;
  decided: number | null;
  verified: number | null;
}

/** Return the seconds until every job was asked, was decided, and, if resumed, was polled again; null before. */
export function phases({ run, lanes }: Replay): Phases {
  const asked = lanes.flatMap(({ probes }) => probes.slice(0, 1).map(({ at }) => at));
  return {
    firstRound: asked.length === lanes.length ? last(asked) : null,
    decided: run.decidedIn,
    verified: run.verifiedIn,
  };
}

/** Return what two runs have in common if they decided no job by different rules. */
export function inCommon(a: Replay, b: Replay): string {
  const [one, other] = [undecided(a), undecided(b)];
  if (one + other === 0) return 'Both runs decided every job by the same rule';
  return `No job decided by different rules; not decided: ${counted(one, 'job')} of ${a.run.id}, ${counted(other, 'job')} of ${b.run.id}`;
}

/** Return `a → b` with the number of jobs, most first. */
export function pairs(found: readonly Difference[]): { a: string | null; b: string | null; count: number }[] {
  const counts = new Map<string, { a: string | null; b: string | null; count: number }>();
  for (const { a, b } of found) {
    const key = JSON.stringify([a, b]);
    const pair = counts.get(key) ?? { a, b, count: 0 };
    pair.count += 1;
    counts.set(key, pair);
  }
  return [...counts.values()].sort((one, other) => other.count - one.count);
}

function undecided({ lanes }: Replay): number {
  return lanes.filter(({ decision }) => !decision).length;
}

function rulesById({ lanes }: Replay): Map<string, string | null> {
  return new Map(lanes.map(({ jobId, decision }) => [jobId, decision?.rule ?? null]));
}

function last(times: readonly number[]): number | null {
  return times.length ? times.reduce((latest, at) => Math.max(latest, at), 0) : null;
}
