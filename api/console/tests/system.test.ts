import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { clock } from '../src/lib/clock.svelte';
import { readinessInWords } from '../src/screens/system/readiness';
import { EVERY } from '../src/screens/system/samples';
import { System } from '../src/screens/system/system.svelte';
import { json, never, refusal, serve } from './service';

const READY = { ready: true, why: [], degraded: [] };
const NOT_READY = { ready: false, why: ['the disk is full'], degraded: [] };
const ANSWERS: Record<string, unknown> = {
  '/readyz': READY,
  '/health': { poll_lag_seconds: 0, projection_lag_events: 0 },
  '/api/v1/polling': { vmas: [] },
};
const TICK = EVERY * 1000;

let system: System;
let ends: (() => void)[];

beforeEach(() => {
  vi.useFakeTimers();
  clock.now = Date.now();
  system = new System();
});
afterEach(() => {
  ends.forEach((end) => end());
  vi.useRealTimers();
});

const answer = (path: string) => json(ANSWERS[path] ?? { items: [] });
const inWords = () => readinessInWords(system.readiness, clock.now);

async function start(): Promise<void> {
  ends = [clock.start(), system.start()];
  await vi.advanceTimersByTimeAsync(0);
}

test('an instance that is ready is shown as ready, also later', async () => {
  serve(answer);
  await start();
  await vi.advanceTimersByTimeAsync(10 * TICK);
  expect([inWords(), system.error, system.details.last?.vmas]).toEqual(['Ready', null, []]);
});

test('a service that hangs is told, and what it said before has its time', async () => {
  serve(answer);
  await start();
  const asked = serve(never);
  await vi.advanceTimersByTimeAsync(4 * TICK);
  expect(inWords()).toContain('Ready, as of');

  await vi.advanceTimersByTimeAsync(4 * TICK);
  expect(system.error?.title).toBe('No answer');
  expect(asked.filter((path) => path === '/readyz')).toHaveLength(2);
});

test('why an instance is not ready is told, also if its storage answers nothing else', async () => {
  serve((path) => (path === '/readyz' ? json(NOT_READY, 503) : refusal(503)));
  await start();
  expect([inWords(), system.readiness.last, system.error?.status]).toEqual(['Not ready', NOT_READY, 503]);
});

test('an answer that is no readiness, such as one of a proxy, says nothing about it', async () => {
  serve((path) => (path === '/readyz' ? new Response('Bad Gateway', { status: 502 }) : answer(path)));
  await start();
  expect([inWords(), system.error?.status]).toEqual(['Not known', 502]);
});
