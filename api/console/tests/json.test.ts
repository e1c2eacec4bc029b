import { expect, test } from 'vitest';
import { parseJson } from '../src/lib/api/json';

test('integers above 2^53 are kept', () =>
  expect(parseJson('{"bytes": 9007199254740993, "small": 5, "rate": 0.1}')).toEqual({
    bytes: 9007199254740993n,
    small: 5,
    rate: 0.1,
  }));

test('a long fraction stays a number', () => expect(parseJson('[0.12345678901234567]')).toEqual([0.12345678901234567]));

test('digits in a text stay a text', () =>
  expect(parseJson('{"id": "90071992547409931234"}')).toEqual({ id: '90071992547409931234' }));
