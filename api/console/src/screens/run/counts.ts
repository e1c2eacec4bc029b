/** Counts, order and filters over the lanes of a run. */
import type { Lane } from './replay';

export interface RuleCount {
  rule: string;
  outcome: string;
  total: number;
  /** When each of them was decided, ascending. */
  times: number[];
}

/** Shown for jobs without a decision, as in a run that goes on or was interrupted. */
export const UNDECIDED = 'not decided';

export const OUTCOMES = ['fail', 'complete', 'retry', 'resume', ''];

/** Return the decisions of each rule; what may need a look first. */
export function rulesOf(lanes: readonly Lane[]): RuleCount[] {
  const found = new Map<string, RuleCount>();
  for (const { decision } of lanes) {
    const [rule, outcome] = [decision?.rule ?? UNDECIDED, decision?.outcome ?? ''];
    const count = found.get(`${outcome} ${rule}`) ?? { rule, outcome, total: 0, times: [] };
    count.total += 1;
    if (decision) count.times.push(decision.at);
    found.set(`${outcome} ${rule}`, count);
  }
  for (const { times } of found.values()) times.sort((a, b) => a - b);
  return [...found.values()].sort((a, b) => OUTCOMES.indexOf(a.outcome) - OUTCOMES.indexOf(b.outcome) || b.total - a.total);
}

/** Return how many of the ascending times have passed. */
export function passed(times: readonly number[], at: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? Infinity) <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Return every moment at which something happened, ascending. */
export function momentsOf(lanes: readonly Lane[]): number[] {
  const all = new Set(lanes.flatMap((lane) => [...lane.probes.map((probe) => probe.at), ...(lane.decision ? [lane.decision.at] : [])]));
  return [...all].sort((a, b) => a - b);
}

export type Order = 'job' | 'time' | 'rule';

/** Return the order of an address: that of the run, if it names none. */
export function orderOf(name: string | null): Order {
  return name === 'time' || name === 'rule' ? name : 'job';
}

export interface Wanted {
  search: string;
  rules: readonly string[];
  order: Order;
}

/** Return the lanes that match, in order. */
export function listed(lanes: readonly Lane[], { search, rules, order }: Wanted): Lane[] {
  const wanted = search.trim().toLowerCase();
  const found = lanes.filter(
    (lane) =>
      (!rules.length || rules.includes(lane.decision?.rule ?? UNDECIDED)) &&
      (!wanted || lane.jobId.toLowerCase().includes(wanted) || lane.vma?.toLowerCase() === wanted),
  );
  if (order === 'job') return found;
  return found.sort((a, b) => (order === 'rule' ? byRule(a, b) : 0) || byTime(a, b));
}

/** Return the longest time before the start that any lane shows, in seconds. */
export function longestBefore(lanes: readonly Lane[]): number {
  return lanes.reduce((longest, { lastSight }) => Math.max(longest, -(lastSight ?? 0)), 0);
}

/** Return when any job was last seen before the run, in seconds before it; null if that is not recorded. */
export function lastSightOfAny(lanes: readonly Lane[]): number | null {
  const seen = lanes.flatMap(({ lastSight }) => (lastSight === null ? [] : [lastSight]));
  return seen.length ? -seen.reduce((last, one) => Math.max(last, one), -Infinity) : null;
}

function byRule(a: Lane, b: Lane): number {
  const [one, other] = [a.decision, b.decision];
  return (
    OUTCOMES.indexOf(one?.outcome ?? '') - OUTCOMES.indexOf(other?.outcome ?? '') ||
    (one?.rule ?? '').localeCompare(other?.rule ?? '')
  );
}

function byTime(a: Lane, b: Lane): number {
  return (a.decision?.at ?? Infinity) - (b.decision?.at ?? Infinity) || 0;
}
