/** Two runs side by side: what they recorded about the same jobs. */
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

/** Return the seconds until every job was asked, was decided, and, if resumed, was polled again. */
export function phases({ run, lanes }: Replay): Phases {
  return {
    firstRound: last(lanes.flatMap(({ probes }) => probes.slice(0, 1).map(({ at }) => at))),
    decided: last(lanes.flatMap(({ decision }) => (decision ? [decision.at] : []))),
    verified: run.verifiedIn,
  };
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

function rulesById({ lanes }: Replay): Map<string, string | null> {
  return new Map(lanes.map(({ jobId, decision }) => [jobId, decision?.rule ?? null]));
}

function last(times: readonly number[]): number | null {
  return times.length ? times.reduce((latest, at) => Math.max(latest, at), 0) : null;
}
