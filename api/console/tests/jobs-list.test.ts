import { describe, expect, test } from 'vitest';
import { contactOf, decisionOf, roughly, type Job } from '../src/screens/jobs/figures';
import { filterOf, listed, nextSort, orderOf } from '../src/screens/jobs/list';

function job(job_id: string, fields: Partial<Job> = {}): Job {
  return { job_id, vm_name: job_id, state: 'replicating', progress_percent: 0, needs_attention: false, attention: [],
    last_contact: null, decision: null, ended: null, live: null, ...fields } as Job;
}

function ids(jobs: Job[], query: string): string[] {
  const asked = new URLSearchParams(query);
  return listed(jobs, filterOf(asked), orderOf(asked)).map(({ job_id }) => job_id);
}

describe('the list of jobs', () => {
  const JOBS = [
    job('c', { progress_percent: 50, last_contact: '2026-11-26T14:00:00Z' }),
    job('a', { progress_percent: 10, state: 'failed', last_contact: '2026-11-26T14:00:00.5Z' }),
    job('b', { progress_percent: 50, needs_attention: true }),
  ];

  test('what needs a person is first, then by id', () => expect(ids(JOBS, '')).toEqual(['b', 'a', 'c']));
  test('a column sorts, and equal jobs are in the order of their ids', () =>
    expect(ids(JOBS, 'sort=-progress')).toEqual(['b', 'c', 'a']));
  test('a job without a value is last in both directions', () => {
    expect(ids(JOBS, 'sort=contact')).toEqual(['c', 'a', 'b']);
    expect(ids(JOBS, 'sort=-contact')).toEqual(['a', 'c', 'b']);
  });
  test('a sort that does not exist is the first one', () => expect(ids(JOBS, 'sort=toString')).toEqual(['b', 'a', 'c']));
  test('filters apply together', () => expect(ids(JOBS, 'q=A&state=failed')).toEqual(['a']));
  test('a column is clicked through ascending, descending, and none', () => {
    expect(nextSort({ by: 'attention', isDescending: false }, 'vm')).toBe('vm');
    expect(nextSort({ by: 'vm', isDescending: false }, 'vm')).toBe('-vm');
    expect(nextSort({ by: 'vm', isDescending: true }, 'vm')).toBeNull();
  });
});

describe('the figures of a job', () => {
  const polled = { polled_at: '2026-11-26T14:00:09Z', polls: 3, misses: 0, moved_at: '2026-11-26T14:00:00Z' };

  test('a poll that brought nothing new is contact', () =>
    expect(contactOf(job('a', { last_contact: '2026-11-26T14:00:00Z', live: { ...polled, vma_status: 'running' } }))).toBe(
      polled.polled_at,
    ));

  test('a poll without an answer is none', () =>
    expect(contactOf(job('a', { last_contact: '2026-11-26T14:00:00Z', live: { ...polled, vma_status: 'unreachable' } }))).toBe(
      '2026-11-26T14:00:00Z',
    ));

  test('a job that the VMA completed is not told by the decision before', () => {
    const decision = { rule: 'still-running', outcome: 'resume', basis: 'observed', reason: '', decided_at: '', attempt: 0 };
    const ended = { outcome: 'complete', basis: 'observed', rule: null, who: null, why: '', at: '', version: 9 };
    expect(decisionOf(job('a', { decision }))).toBe('resume: still-running, observed');
    expect(decisionOf(job('a', { decision, ended }))).toBe('complete: by a report, observed');
  });

  test('an estimate has no seconds that it does not know', () => {
    expect(roughly(80)).toBe('1 min 20 s');
    expect(roughly(321)).toBe('5 min');
  });
});
