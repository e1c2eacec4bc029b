import { describe, expect, test } from 'vitest';
import type { Entry } from '../src/lib/stream/stream.svelte';
import { courseOf } from '../src/screens/job/course';

const START = Date.parse('2026-11-26T14:00:00Z') / 1000;

function entry(type: string, after: number, data: Record<string, unknown>): Entry {
  const recorded_at = new Date((START + after) * 1000).toISOString();
  return { type, recorded_at, data } as unknown as Entry;
}

function seen(after: number, percent: number, bytes: number | bigint): Entry {
  const observed_at = new Date((START + after) * 1000).toISOString();
  return entry('VMAStatusObserved', after, {
    observation: { observed_at, status: 'running', progress_percent: percent, bytes_transferred: bytes, disks: [] },
  });
}

function missed(after: number, status: string): Entry {
  const observed_at = new Date((START + after) * 1000).toISOString();
  return entry('VMAStatusObserved', after, { observation: { observed_at, status, disks: [] } });
}

const restarted = (after: number) => entry('RecoveryStarted', after, { cause: 'restart' });

describe('the course of a job', () => {
  test('the rate is the mean since the observation before', () =>
    expect(courseOf([seen(0, 10, 1000), seen(10, 20, 3000)], START + 10).rate).toEqual([null, 200]));

  test('counts above 2^53 are subtracted exactly', () =>
    expect(courseOf([seen(0, 10, 2n ** 60n), seen(1, 20, 2n ** 60n + 5n)], START + 1).rate).toEqual([null, 5]));

  test('bytes that fall are another worker’s, and no negative rate', () =>
    expect(courseOf([seen(0, 90, 1000), seen(10, 5, 10)], START + 10).rate).toEqual([null, null]));

  test('a restart is a gap from the last sight, and breaks the lines', () => {
    const course = courseOf([seen(0, 10, 0), restarted(30), seen(31, 15, 10)], START + 31);
    expect(course.gaps).toEqual([{ from: START, to: START + 30, kind: 'restart' }]);
    expect(course.percent).toEqual([10, null, 15]);
    expect(course.rate).toEqual([null, null, null]);
  });

  test('after a restart, answers that say nothing are a gap of their own', () => {
    const course = courseOf([seen(0, 10, 0), restarted(30), missed(31, 'not_found'), missed(35, 'not_found')], START + 36);
    expect(course.gaps).toEqual([
      { from: START, to: START + 30, kind: 'restart' },
      { from: START + 30, to: START + 36, kind: 'unseen' },
    ]);
  });

  test('a restart in a silence that began before is a part of that', () =>
    expect(courseOf([seen(0, 10, 0), missed(5, 'unreachable'), restarted(3600), seen(3601, 15, 10)], START + 3601).gaps)
      .toEqual([{ from: START, to: START + 3601, kind: 'unseen' }]));

  test('a minute without an event is none, three are', () => {
    expect(courseOf([seen(0, 10, 0), seen(65, 11, 0)], START + 65).gaps).toEqual([]);
    expect(courseOf([seen(0, 10, 0), seen(180, 11, 0)], START + 180).gaps).toEqual([
      { from: START, to: START + 180, kind: 'unseen' },
    ]);
  });

  test('an open job that is not seen is blind until now', () =>
    expect(courseOf([seen(0, 10, 0), missed(5, 'unreachable')], START + 500).gaps).toEqual([
      { from: START, to: START + 500, kind: 'unseen' },
    ]));

  test('before the first sight there is no gap: nothing was there to be seen', () =>
    expect(courseOf([missed(0, 'not_found'), seen(300, 1, 0)], START + 300).gaps).toEqual([]));

  test('a clock that was set back does not turn the plot around', () =>
    expect(courseOf([seen(10, 10, 0), seen(5, 11, 0), seen(20, 12, 0)], START + 20).percent).toEqual([10, 12]));
});
