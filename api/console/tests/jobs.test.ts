import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Jobs } from '../src/screens/jobs/jobs.svelte';
import { json, never, serve } from './service';

const LISTED = { items: [{ job_id: 'job-1', vm_context_id: 'ctx-1' }], next_cursor: null };

let jobs: Jobs;
let leave: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  jobs = new Jobs();
});
afterEach(() => {
  leave();
  vi.useRealTimers();
});

async function open(): Promise<void> {
  leave = jobs.start();
  await vi.advanceTimersByTimeAsync(0);
}

test('jobs of an earlier visit stay in sight, and are not of now until all are read', async () => {
  serve(() => json(LISTED));
  await open();
  expect(jobs.isCurrent).toBe(true);
  leave();

  serve(never);
  await open();
  expect([jobs.all.size, jobs.isCurrent]).toEqual([1, false]);

  serve(() => json(LISTED));
  await vi.advanceTimersByTimeAsync(60_000);
  expect([jobs.all.size, jobs.isCurrent]).toEqual([1, true]);
});
