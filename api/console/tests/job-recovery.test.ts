import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Recovery } from '../src/screens/job/recovery.svelte';
import { json, refusal, serve } from './service';

const run = (ended_at: string | null) => ({ run_id: 'run-1', ended_at });

let recovery: Recovery;

beforeEach(() => {
  vi.useFakeTimers();
  recovery = new Recovery();
});
afterEach(() => void vi.useRealTimers());

async function start(): Promise<void> {
  serve(() => json(run(null)));
  void recovery.start(false);
  await vi.advanceTimersByTimeAsync(0);
}

test('a run is followed over a service that does not answer', async () => {
  await start();
  serve(() => Promise.reject(new TypeError('fetch failed')));
  await vi.advanceTimersByTimeAsync(3_000);
  expect([recovery.isRunning, recovery.error?.status]).toEqual([true, 0]);

  serve(() => json(run('2026-01-01T00:00:00Z')));
  await vi.advanceTimersByTimeAsync(1_000);
  expect([recovery.isRunning, recovery.error, recovery.isAsking]).toEqual([false, null, false]);
});

test.each([
  ['that is not in the event log', () => serve(() => refusal(404))],
  ['whose dialog is closed', () => (recovery.stop(), serve(() => json(run(null))))],
])('a run %s is not followed', async (_, change) => {
  await start();
  const asked = change();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked).toHaveLength(1);
  expect(recovery.isAsking).toBe(false);
});
