import { expect, test } from 'vitest';
import { added, chosen, queryOf, removed, utc } from '../src/screens/audit/filters';
import { MOST, withNewest, withOlder } from '../src/screens/audit/merge';
import type { Entry } from '../src/lib/stream/stream.svelte';

const events = (...positions: number[]) => positions.map((position) => ({ position }) as Entry);
const positions = (entries: readonly Entry[]) => entries.map(({ position }) => position);

test('the address has the filters of the API, and nothing else becomes one', () => {
  const address = new URLSearchParams('rule=lost&rule=gone-near-end&job_id=a%26b&from=2026-01-01T00:00:00Z&event=7');

  expect(queryOf(address)).toEqual({ rule: ['lost', 'gone-near-end'], job_id: ['a&b'], from: '2026-01-01T00:00:00Z' });
  expect(chosen(address)).toHaveLength(4);
});

test('a value is added once, a time replaces the last one, and each can be removed', () => {
  const address = new URLSearchParams('rule=lost&from=2026-01-01T00:00:00Z');

  expect(added(address, 'rule', 'lost')).toEqual(['lost']);
  expect(added(address, 'rule', 'operator')).toEqual(['lost', 'operator']);
  expect(added(address, 'from', '2026-02-01T00:00:00Z')).toEqual(['2026-02-01T00:00:00Z']);
  expect(removed(address, 'rule', 'lost')).toEqual([]);
});

test('a time of the form is in the zone of the viewer', () => {
  expect(utc('2026-07-01T14:00')).toBe('2026-07-01T12:00:00.000Z');
  expect(utc('')).toBeNull();
});

test('the newest page is joined to what is known', () => {
  const { entries, meets } = withNewest(events(5, 4, 3), events(8, 7, 6, 5));

  expect([positions(entries), meets]).toEqual([[8, 7, 6, 5, 4, 3], true]);
});

test('after a gap what is older is left out, because nobody knows what is between', () => {
  const { entries, meets } = withNewest(events(5, 4, 3), events(20, 19));

  expect([positions(entries), meets]).toEqual([[20, 19], false]);
});

test('older events follow, each once', () => {
  expect(positions(withOlder(events(9, 8), events(8, 7, 6)).entries)).toEqual([9, 8, 7, 6]);
});

test('a day of events does not make the page grow', () => {
  const known = events(...Array.from({ length: MOST }, (_, at) => MOST - at));

  const { entries, isCut } = withNewest(known, events(MOST + 1, MOST));

  expect([entries.length, entries[0]?.position, isCut]).toEqual([MOST, MOST + 1, true]);
});
