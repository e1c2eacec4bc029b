import { expect, test } from 'vitest';
import { compareTimes, exactTime, fullTime, shortTime } from '../src/lib/time';

const BERLIN = 'Europe/Berlin';

test('the two hours of the change to winter time are told apart', () => {
  expect(fullTime('2026-10-25T00:30:00Z', BERLIN)).toBe('2026-10-25 02:30:00 CEST');
  expect(fullTime('2026-10-25T01:30:00Z', BERLIN)).toBe('2026-10-25 02:30:00 CET');
});

test('microseconds are kept', () => {
  expect(exactTime('2026-11-26T13:48:05.123456Z', 'UTC')).toBe('2026-11-26 13:48:05.123456 UTC');
  expect(exactTime('2026-11-26T13:48:05Z', 'UTC')).toBe('2026-11-26 13:48:05.000000 UTC');
});

test('times are compared to the microsecond', () => {
  const times = ['2026-11-26T13:48:05.123457Z', '2026-11-26T13:48:06Z', '2026-11-26T13:48:05.123456Z'];
  expect(times.toSorted(compareTimes)).toEqual([times[2], times[0], times[1]]);
});

test('a time of today is shown without the date, of the viewer’s day', () => {
  const now = Date.parse('2026-11-26T23:30:00Z');
  expect(shortTime(now, now, BERLIN)).toBe('00:30:00');
  expect(shortTime(Date.parse('2026-11-26T22:30:00Z'), now, BERLIN)).toBe('2026-11-26 23:30:00');
});
