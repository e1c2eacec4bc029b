import { describe, expect, test } from 'vitest';
import { changesOf } from '../src/screens/job/changes';
import { pathInWords, valueOf } from '../src/screens/job/facts';

describe('what changed', () => {
  test('a change inside of a disk is shown as that', () =>
    expect(changesOf([{
      field: 'disks',
      before: [{ volume_id: 'a', progress_percent: 1 }, { volume_id: 'b', progress_percent: 5 }],
      after: [{ volume_id: 'a', progress_percent: 2 }, { volume_id: 'b', progress_percent: 5 }],
    }])).toEqual([{ path: 'disks.a.progress_percent', before: 1, after: 2 }]));

  test('what was not there before is shown by its parts', () =>
    expect(changesOf([{ field: 'ended', before: null, after: { outcome: 'fail', who: null } }])).toEqual([
      { path: 'ended.outcome', before: null, after: 'fail' },
    ]));

  test('numbers above 2^53 that differ by one differ', () =>
    expect(changesOf([{ field: 'bytes', before: 2n ** 60n, after: 2n ** 60n + 1n }])).toHaveLength(1));

  test('a list of words changes as a whole', () =>
    expect(changesOf([{ field: 'attention', before: [], after: ['stalled'] }])).toEqual([
      { path: 'attention', before: [], after: ['stalled'] },
    ]));
});

describe('values in words', () => {
  test.each([
    ['progress_percent', 42.98917, '42.9 %'],
    ['held_for', 6.08, '6.1 s'],
    ['unreachable_timeout', 1800, '30 min'],
    ['took_ms', 28.1, '28.1 ms'],
    ['contact_age', 0.000008, '0 s'],
    ['bytes_transferred', 1024, '1 KiB (1\u202f024)'],
    ['disks.vol-1.total_bytes', 2n ** 63n, '8 EiB (9\u202f223\u202f372\u202f036\u202f854\u202f775\u202f808)'],
    ['seen_on_vma', true, 'yes'],
    ['attention', [], '–'],
    ['error', null, '–'],
  ])('%s of %s reads as %s', (key, value, words) => expect(valueOf(key, value)).toBe(words));

  test('names of the log are shown in words', () =>
    expect(pathInWords('disks.vol-1.progress_percent')).toBe('disks › vol-1 › progress percent'));

  test('a name that every object has is a name like others', () => expect(pathInWords('constructor')).toBe('constructor'));
});
