/** Filters and order of the list of jobs. */
import { contactOf, progressOf, type Job } from './figures';

export const STATES = ['replicating', 'recovering', 'pending-retry', 'completed', 'failed'] as const;

export interface Filter {
  /** Part of a job's id or of a VM's name, in any case. */
  search: string;
  /** Any of these; all if empty. */
  states: readonly string[];
  attentionOnly: boolean;
}

/** `attention`: those that need a person first, then by id. */
export interface Order {
  by: string;
  isDescending: boolean;
}

type Key = string | number | null;

/** The columns by which the list can be sorted, and what is compared. */
export const COLUMNS: Record<string, { label: string; key: (job: Job) => Key }> = {
  attention: { label: 'Needs you', key: (job) => (job.needs_attention ? 0 : 1) },
  vm: { label: 'VM and job', key: (job) => job.vm_name.toLowerCase() },
  state: { label: 'State', key: (job) => STATES.findIndex((state) => state === job.state) },
  progress: { label: 'Progress', key: progressOf },
  rate: { label: 'Rate', key: (job) => numberOf(job.live?.bytes_per_second) },
  left: { label: 'Time left', key: (job) => numberOf(job.live?.estimated_seconds_left) },
  contact: { label: 'Last contact', key: (job) => timeOf(contactOf(job)) },
  decision: { label: 'Last decision', key: (job) => timeOf(job.decision?.decided_at) },
};

export function filterOf(query: URLSearchParams): Filter {
  return {
    search: query.get('q') ?? '',
    states: query.getAll('state'),
    attentionOnly: query.has('attention'),
  };
}

/** Return the order that an address names, such as `sort=-progress`: a minus is descending. */
export function orderOf(query: URLSearchParams): Order {
  const asked = query.get('sort') ?? '';
  const by = asked.replace(/^-/, '');
  return Object.hasOwn(COLUMNS, by) ? { by, isDescending: asked.startsWith('-') } : { by: 'attention', isDescending: false };
}

/** Return the `sort` of an address after a click on a column: ascending, descending, and then as it was at first. */
export function nextSort(order: Order, by: string): string | null {
  if (order.by !== by) return by;
  return order.isDescending || by === 'attention' ? null : `-${by}`;
}

/** Return the jobs that match, in order; by id where they are equal, and without a value last. */
export function listed(jobs: Iterable<Job>, filter: Filter, order: Order): Job[] {
  const wanted = filter.search.toLowerCase();
  const key = COLUMNS[order.by]?.key ?? (() => null);
  const sign = order.isDescending ? -1 : 1;
  // Keys are made once for each job, not for each comparison.
  const found: { job: Job; key: Key }[] = [];
  for (const job of jobs) if (matches(job, filter, wanted)) found.push({ job, key: key(job) });
  found.sort((a, b) => compareKeys(a.key, b.key, sign) || (a.job.job_id < b.job.job_id ? -1 : 1));
  return found.map(({ job }) => job);
}

/** Return how many jobs each state has, in the order of `STATES`. */
export function totals(jobs: Iterable<Job>): { state: string; count: number }[] {
  const counts = new Map<string, number>(STATES.map((state) => [state, 0]));
  for (const job of jobs) counts.set(job.state, (counts.get(job.state) ?? 0) + 1);
  return [...counts].map(([state, count]) => ({ state, count }));
}

function matches(job: Job, { states, attentionOnly }: Filter, wanted: string): boolean {
  if (attentionOnly && !job.needs_attention) return false;
  if (states.length && !states.includes(job.state)) return false;
  return !wanted || job.job_id.toLowerCase().includes(wanted) || job.vm_name.toLowerCase().includes(wanted);
}

function compareKeys(a: Key, b: Key, sign: number): number {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? 1 : -1;
  return a < b ? -sign : sign;
}

function numberOf(count: number | bigint | null | undefined): number | null {
  return count === null || count === undefined ? null : Number(count);
}

function timeOf(at: string | null | undefined): number | null {
  return at ? Date.parse(at) : null;
}
