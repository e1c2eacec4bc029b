import { expect, test } from 'vitest';
import { ApiError } from '../src/lib/api/problem';
import { groupsOf, laneAt, spansOf } from '../src/screens/run/heat';
import { SPEEDS, speedFor } from '../src/screens/run/playback.svelte';
import type { Lane } from '../src/screens/run/replay';
import { inTurn } from '../src/screens/run/turns';

function lane(jobId: string, rule: string | null, at = 1): Lane {
  const decision = rule === null ? null : { at, outcome: rule === 'lost' ? 'fail' : 'resume', rule, basis: null, reason: '', retryIn: null };
  return { jobId, vma: null, stateBefore: null, lastSight: -10, probes: [{ at: 0.5, status: 'running', tookMs: 300, progress: null, answers: [] }], decision };
}

const THOUSANDS = [
  ...Array.from({ length: 5000 }, (_, at) => lane(`job-${at}`, 'still-running', 5000 - at)),
  lane('the-one', 'lost'),
  lane('open', null),
];

test('a job among thousands has a group of its own that can be seen', () => {
  const groups = groupsOf(THOUSANDS, 500);
  expect(groups.map(({ count }) => count.rule)).toEqual(['lost', 'still-running', 'not decided']);
  expect(Math.min(...groups.map(({ height }) => height))).toBeGreaterThanOrEqual(20);
  expect(groups.reduce((jobs, { lanes }) => jobs + lanes.length, 0)).toBe(THOUSANDS.length);
});

test('the lines of a group are its jobs in the order of their decisions', () => {
  const running = groupsOf(THOUSANDS, 500).find(({ count }) => count.rule === 'still-running');
  if (!running) throw new Error('there is no such group');
  const times = [-5, 0, 100, 499, 1000].map((y) => laneAt(running, y)?.decision?.at ?? NaN);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect([times[0], times.at(-1)]).toEqual([1, 5000]);
});

test('a job is unseen until it is asked, and asked until it is decided', () => {
  const axis = { before: 60, end: 9 };
  expect(spansOf(lane('a', 'lost', 4), axis)).toEqual([
    { from: -10, to: 0.2, kind: 'unseen' },
    { from: 0.2, to: 4, kind: 'asked' },
    { from: 4, to: 9, kind: 'fail' },
  ]);
  expect(spansOf({ ...lane('a', null), lastSight: null, probes: [] }, axis)).toEqual([{ from: -60, to: 9, kind: 'unseen' }]);
});

test('a replay of any length takes seconds, at one of the offered speeds', () => {
  for (const end of [0.8, 6, 33, 400, 2000]) {
    expect(SPEEDS).toContain(speedFor(end));
    expect(end / speedFor(end)).toBeLessThan(20);
  }
});

test('long answers are read one after the other, also after one that failed', async () => {
  const { signal } = new AbortController();
  const order: string[] = [];
  const read = (name: string, fails = false) => async () => {
    order.push(`${name} begins`);
    await Promise.resolve();
    order.push(`${name} ends`);
    if (fails) throw new Error(name);
  };
  const all = [inTurn(signal, read('a', true)), inTurn(signal, read('b'))];
  expect((await Promise.allSettled(all)).map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
});

test('a busy service is asked again, and one that refuses is not', async () => {
  const { signal } = new AbortController();
  let asked = 0;
  const busy = async () => {
    asked += 1;
    if (asked === 1) throw new ApiError(429, 'Too Many Requests', '');
    return 'answer';
  };
  expect(await inTurn(signal, busy)).toBe('answer');
  const refusing = async () => {
    asked += 1;
    throw new ApiError(404, 'Not Found', '');
  };
  await expect(inTurn(signal, refusing)).rejects.toThrow('Not Found');
  expect(asked).toBe(3);
});
