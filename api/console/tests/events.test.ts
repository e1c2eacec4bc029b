import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { stream } from '../src/lib/stream/stream.svelte';
import { Trail } from '../src/screens/audit/trail.svelte';
import { LastRestart } from '../src/screens/jobs/restart.svelte';
import { Runs } from '../src/screens/runs/runs.svelte';
import { json, serve } from './service';

const STARTED = { type: 'RecoveryRunStarted', run_id: 'run-1', job_id: null };
const SLOW = 3_000;

let leave: () => void;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  leave();
  vi.useRealTimers();
});

/** Let an event come every 100 ms for some time. */
async function events(seconds: number): Promise<void> {
  for (let tenths = 0; tenths < 10 * seconds; tenths++) {
    stream['receive']({ kind: 'events', events: [{ type: STARTED.type, data: JSON.stringify(STARTED) }] });
    await vi.advanceTimersByTimeAsync(100);
  }
}

function serveSlowly(): string[] {
  return serve(async () => {
    await new Promise((resolve) => setTimeout(resolve, SLOW));
    return json({ items: [], next_cursor: null });
  });
}

test.each([
  ['the audit trail', () => new Trail()],
  ['the runs', () => new Runs()],
])('%s of a slow service are shown while events come', async (_, make) => {
  serveSlowly();
  const screen = make();
  leave = screen.start();
  await events(10);
  expect(screen.isLoaded).toBe(true);
});

test('the last restart is read once a second at most, and also by a slow service while events come', async () => {
  const asked = serveSlowly();
  const restart = new LastRestart();
  leave = restart.start();
  await events(10);
  expect(restart.run).toBeNull();
  expect(asked.length).toBeLessThan(5);
});
