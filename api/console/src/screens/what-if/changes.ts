/** The decisions that two policies make differently. Each policy's decisions are the API's; here they are put together. */
import type { Schemas } from '../../lib/api/client';

export type Decision = Schemas['ReplayedDecision'];
export type Change = Schemas['Change'];

/** A decision by the first policy and by the second. */
export interface Pair {
  jobId: string;
  runId: string;
  from: Decision;
  to: Decision;
}

export interface Cell {
  from: string;
  to: string;
  count: number;
}

/**
 * Return the decisions that differ between two policies, from what each changes of what was recorded. A decision that
 * one of them does not change is the recorded one.
 */
export function between(first: readonly Change[], second: readonly Change[]): Pair[] {
  const byFirst = new Map(first.map((change) => [keyOf(change), change]));
  const bySecond = new Map(second.map((change) => [keyOf(change), change]));
  const pairs = [...second, ...first.filter((change) => !bySecond.has(keyOf(change)))].map((change) => ({
    jobId: change.job_id,
    runId: change.run_id,
    from: byFirst.get(keyOf(change))?.would_be ?? change.was,
    to: bySecond.get(keyOf(change))?.would_be ?? change.was,
  }));
  return pairs.filter(({ from, to }) => nameOf(from) !== nameOf(to));
}

/** Return `fail by lost, inferred`: by it the decisions are grouped. */
export function nameOf({ outcome, rule, basis }: Decision): string {
  return outcome ? `${outcome} by ${rule}${basis ? `, ${basis}` : ''}` : 'no decision yet';
}

export function cellsOf(pairs: readonly Pair[]): Cell[] {
  const cells = new Map<string, Cell>();
  for (const pair of pairs) {
    const [from, to] = [nameOf(pair.from), nameOf(pair.to)];
    const cell = cells.get(`${from} → ${to}`) ?? { from, to, count: 0 };
    cell.count += 1;
    cells.set(`${from} → ${to}`, cell);
  }
  return [...cells.values()].sort((a, b) => b.count - a.count);
}

export interface Wanted {
  search: string;
  from: string | null;
  to: string | null;
}

export function listed(pairs: readonly Pair[], { search, from, to }: Wanted): Pair[] {
  const wanted = search.trim().toLowerCase();
  return pairs.filter(
    (pair) =>
      (!wanted || pair.jobId.toLowerCase().includes(wanted)) &&
      (from === null || (nameOf(pair.from) === from && nameOf(pair.to) === to)),
  );
}

function keyOf({ job_id, run_id }: Change): string {
  return `${run_id} ${job_id}`;
}
