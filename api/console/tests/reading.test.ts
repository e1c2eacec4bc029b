import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ApiError } from '../src/lib/api/problem';
import { Reading, RETRY } from '../src/lib/reading.svelte';

const DOWN = new ApiError(0, 'No answer', 'The service did not answer.');
const UNKNOWN = new ApiError(404, 'Not found', 'job-1');

let shown: string[];
let attempts: number;

beforeEach(() => {
  vi.useFakeTimers();
  shown = [];
  attempts = 0;
});
afterEach(() => void vi.useRealTimers());

const show = (answer: string) => void shown.push(answer);
const reader = (isFinal?: (error: ApiError) => boolean) => new Reading(() => void attempts++, isFinal);

/** Return a question that is open until `answer` or `fail`. A request that came too late ignores its signal. */
function question() {
  let answer: (text: string) => void = () => undefined;
  let fail: (error: unknown) => void = () => undefined;
  let signal: AbortSignal | undefined;
  const answered = new Promise<string>((resolve, reject) => ([answer, fail] = [resolve, reject]));
  const ask = (given: AbortSignal) => ((signal = given), answered);
  return { ask, answer: (text: string) => answer(text), fail: (error: unknown) => fail(error), isAborted: () => signal?.aborted };
}

test('an answer is shown', async () => {
  const reading = reader();
  expect(await reading.read(async () => 'a', show)).toBe(true);
  expect([shown, reading.error, reading.isRunning]).toEqual([['a'], null, false]);
});

test('a newer reading gives up the older, whose answer is never shown', async () => {
  const [reading, older, newer] = [reader(), question(), question()];
  const first = reading.read(older.ask, show);
  const second = reading.read(newer.ask, show);
  expect([older.isAborted(), newer.isAborted()]).toEqual([true, false]);

  newer.answer('newer');
  expect(await second).toBe(true);
  older.answer('older');

  expect(await first).toBe(false);
  expect(shown).toEqual(['newer']);
});

test('an older reading that ends first does not end the newer', async () => {
  const [reading, older, newer] = [reader(), question(), question()];
  const first = reading.read(older.ask, show);
  const second = reading.read(newer.ask, show);

  older.fail(DOWN);
  expect(await first).toBe(false);
  expect([reading.isRunning, reading.error]).toEqual([true, null]);

  newer.answer('newer');
  await second;
  expect(shown).toEqual(['newer']);
});

test('a failure is shown, tried again once, and gone after an answer', async () => {
  const reading = reader();
  expect(await reading.read(() => Promise.reject(DOWN), show)).toBe(true);
  expect([reading.error, attempts]).toEqual([DOWN, 0]);

  vi.advanceTimersByTime(10 * RETRY);
  expect(attempts).toBe(1);

  await reading.read(async () => 'a', show);
  expect([reading.error, shown]).toEqual([null, ['a']]);
});

test('a failure that would be the same again is shown and not tried again', async () => {
  const reading = reader((error) => error.status === 404);
  await reading.read(() => Promise.reject(UNKNOWN), show);
  vi.advanceTimersByTime(10 * RETRY);
  expect([reading.error, attempts]).toEqual([UNKNOWN, 0]);
});

test('a reading before the next attempt takes its place', async () => {
  const reading = reader();
  await reading.read(() => Promise.reject(DOWN), show);
  await reading.read(async () => 'a', show);
  vi.advanceTimersByTime(10 * RETRY);
  expect(attempts).toBe(0);
});

test('a closed screen reads no more: neither its answer nor its next attempt comes', async () => {
  const [reading, open] = [reader(), question()];
  const closed = reading.read(open.ask, show);
  reading.stop();
  open.answer('late');
  expect(await closed).toBe(false);

  await reading.read(() => Promise.reject(DOWN), show);
  reading.stop();
  vi.advanceTimersByTime(10 * RETRY);
  expect([shown, attempts]).toEqual([[], 0]);
});

test('a screen that is opened again reads again', async () => {
  const reading = reader();
  reading.stop();
  await reading.read(async () => 'a', show);
  expect(shown).toEqual(['a']);
});

test('a reading that runs is not given up for a later one, which follows it once', async () => {
  const [reading, open] = [reader(), question()];
  const first = reading.read(open.ask, show);
  for (let events = 0; events < 10; events++) {
    reading.later(1_000);
    vi.advanceTimersByTime(500);
  }
  expect([open.isAborted(), attempts]).toEqual([false, 0]);

  open.answer('a');
  await first;
  vi.advanceTimersByTime(10_000);
  expect([shown, attempts]).toEqual([['a'], 1]);
});

test('a fault of the page is thrown, and hidden by no attempt', async () => {
  const reading = reader();
  await expect(reading.read(() => Promise.reject(new RangeError('fault')), show)).rejects.toThrow('fault');
  vi.advanceTimersByTime(10 * RETRY);
  expect([reading.error, reading.isRunning, attempts]).toEqual([null, false, 0]);
});
