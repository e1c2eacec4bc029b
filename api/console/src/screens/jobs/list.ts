/** Filters and order of the list of jobs. */
import type { Job } from './jobs.svelte';

export const STATES = ['replicating', 'recovering', 'pending-retry', 'completed', 'failed'] as const;

export interface Filter {
  /** Part of a job's id or of a VM's name, in any case. */
  search: string;
  /** Any of these; all if empty. */
  states: readonly string[];
  attentionOnly: boolean;
}

export function filterOf(query: URLSearchParams): Filter {
  return {
    search: query.get('q') ?? '',
    states: query.getAll('state'),
    attentionOnly: query.has('attention'),
  };
}

/** Return the jobs that match, those that need attention first, then by id. */
export function listed(jobs: Iterable<Job>, filter: Filter): Job[] {
  const wanted = filter.search.toLowerCase();
  return [...jobs].filter((job) => matches(job, filter, wanted)).sort(inOrder);
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

function inOrder(a: Job, b: Job): number {
  return Number(b.needs_attention) - Number(a.needs_attention) || (a.job_id < b.job_id ? -1 : 1);
}
