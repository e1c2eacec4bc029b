import { describe, expect, test } from 'vitest';
import { age, bytes, duration, exact, percent } from '../src/lib/format';

describe('bytes', () => {
  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [1024 ** 3 * 1.5, '1.5 GiB'],
    [1024 ** 4 - 1, '1023 GiB'],
    [2n ** 63n, '8 EiB'],
    [null, '–'],
  ])('%s reads as %s', (count, text) => expect(bytes(count)).toBe(text));

  test('every digit above 2^53 is kept', () =>
    expect(exact(9007199254740993n)).toBe('9\u202f007\u202f199\u202f254\u202f740\u202f993'));
});

describe('percent', () => {
  test.each([
    [99.99, '99.9 %'],
    [100, '100 %'],
    [33.3, '33.3 %'],
    [null, '–'],
  ])('%s reads as %s', (value, text) => expect(percent(value)).toBe(text));
});

describe('duration', () => {
  test.each([
    [0, '0 s'],
    [4.1, '4.1 s'],
    [200, '3 min 20 s'],
    [3600, '1 h'],
    [273_600, '3 d 4 h'],
    [null, '–'],
  ])('%s reads as %s', (seconds, text) => expect(duration(seconds)).toBe(text));

  test('a time to come has the age 0', () => expect(age(5000, 1000)).toBe('0 s'));
});
