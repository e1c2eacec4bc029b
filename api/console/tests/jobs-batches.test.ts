import { expect, test } from 'vitest';
import { BATCH, isAllCheaper, nextBatch, pauseBefore } from '../src/screens/jobs/batches';

const contexts = (count: number) => Array.from({ length: count }, (_, n) => `ctx-${n}`);

test('rows in sight that have changed are read first, then those that have waited longest', () => {
  const changed = new Set(contexts(60));
  const batch = nextBatch(changed, ['ctx-59', 'unchanged', 'ctx-3']);
  expect(batch.slice(0, 4)).toEqual(['ctx-59', 'ctx-3', 'ctx-0', 'ctx-1']);
  expect([batch.length, new Set(batch).size]).toEqual([BATCH, BATCH]);
});

test('fewer than a batch are all of one', () => expect(nextBatch(new Set(['a', 'b']), [])).toEqual(['a', 'b']));

test('changes are collected for half a second, and for less while more wait than a batch has', () => {
  expect(pauseBefore(1, 20)).toBe(500);
  expect(pauseBefore(BATCH, 20)).toBe(500);
  expect(pauseBefore(BATCH + 1, 20)).toBe(100);
});

test('at most half of the time is spent reading', () => {
  expect(pauseBefore(1, 2_000)).toBe(2_000);
  expect(pauseBefore(1_000, 2_000)).toBe(2_000);
});

test.each([
  [10, 10, false],
  [250, 250, false],
  [251, 1_000, true],
  [251, 1_005, false],
  [2_501, 10_000, true],
])('%i changed of %i: all are read at once: %s', (waiting, all, isAll) => expect(isAllCheaper(waiting, all)).toBe(isAll));

/** What readings took with 2,000 jobs on two busy cores, in milliseconds. */
const [OF_A_BATCH, OF_A_THOUSAND] = [45, 200];

/** Return the longest time from a change of a job to its answer, if so many of all change in each of 60 seconds. */
function longestLag(perSecond: number, all: number): number {
  const changed = new Map<string, number>();
  let [longest, next] = [0, 0];
  for (let now = 0, made = 0; now < 60_000; now = next) {
    for (; (made * 1_000) / perSecond <= now; made++) {
      const context = `ctx-${made % all}`;
      if (!changed.has(context)) changed.set(context, (made * 1_000) / perSecond);
    }
    const isAll = isAllCheaper(changed.size, all);
    const took = isAll ? (OF_A_THOUSAND * all) / 1_000 : OF_A_BATCH;
    for (const context of isAll ? [...changed.keys()] : nextBatch(new Set(changed.keys()), [])) {
      longest = Math.max(longest, now + took - (changed.get(context) ?? now));
      changed.delete(context);
    }
    next = now + took + pauseBefore(changed.size, took);
  }
  return longest;
}

test.each([
  [10, 10_000, 1],
  [100, 1_000, 2],
  [100, 10_000, 2],
  [300, 10_000, 2],
  [5_000, 10_000, 6],
])('%i changes a second of %i jobs are all shown within %i seconds', (perSecond, all, seconds) =>
  expect(longestLag(perSecond, all)).toBeLessThan(seconds * 1_000));
