import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { OneJob } from '../src/screens/job/job.svelte';
import { json, refusal, serve } from './service';

const EVENTS = { items: [{ position: 1 }], next_cursor: null };
const isEvents = (path: string) => path.endsWith('/events');

let job: OneJob;
let leave: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  job = new OneJob('job-1');
});
afterEach(() => {
  leave();
  vi.useRealTimers();
});

async function open(): Promise<void> {
  leave = job.start();
  await vi.advanceTimersByTimeAsync(0);
}

const answer = (path: string) => json(isEvents(path) ? EVENTS : { job_id: 'job-1' });

test('events that could not be read are read when the service answers again, also of a job that has ended', async () => {
  serve((path) => (isEvents(path) ? refusal(503) : answer(path)));
  await open();
  await vi.advanceTimersByTimeAsync(30_000);
  expect([job.error?.status, job.entries]).toEqual([503, []]);

  serve(answer);
  await vi.advanceTimersByTimeAsync(5_000);
  expect([job.error, job.entries]).toEqual([null, EVENTS.items]);
});

test('the figures of a job are read every 5 s, and its events once', async () => {
  const asked = serve(answer);
  await open();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked.filter(isEvents)).toHaveLength(1);
  expect(asked).toHaveLength(4);
});

test('a job that is not known yet is shown with its events when it is', async () => {
  serve(() => refusal(404));
  await open();
  expect(job.error?.status).toBe(404);

  serve(answer);
  await vi.advanceTimersByTimeAsync(5_000);
  expect([job.job, job.entries]).toEqual([{ job_id: 'job-1' }, EVENTS.items]);
});
