import { expect, test } from 'vitest';
import type { Entry } from '../src/lib/stream/stream.svelte';
import { isTurn, told } from '../src/screens/job/timeline';

function entry(type: string, data: Record<string, unknown>, more: Partial<Entry> = {}): Entry {
  return { type, data, rule: null, basis: null, outcome: null, ...more } as Entry;
}

test('a decision is told with its rule, its basis and its reason', () =>
  expect(told(entry('RecoveryDecided', { reason: 'not found' }, { outcome: 'fail', rule: 'lost', basis: 'inferred' }))).toEqual({
    kind: 'decision', title: 'Decided: fail', detail: 'lost, inferred: not found',
  }));

test('a retry, which has no basis, is told without one', () =>
  expect(told(entry('RecoveryDecided', { reason: 'x' }, { outcome: 'retry', rule: 'unanswered' })).detail).toBe('unanswered: x'));

test('an answer that says nothing about the job is told apart from a sight of it', () => {
  expect(told(entry('VMAStatusObserved', { observation: { status: 'running', progress_percent: 12.34 } }))).toMatchObject({
    kind: 'seen', title: 'VMA: running', detail: '12.3 %',
  });
  expect(told(entry('VMAStatusObserved', { observation: { status: 'not_found' } })).kind).toBe('silent');
});

test('an operator is named with the reason that was given', () =>
  expect(told(entry('OperatorDecided', { who: 'mara', why: '<b>gone</b>' }, { outcome: 'fail' }))).toEqual({
    kind: 'operator', title: 'mara: fail', detail: '<b>gone</b>',
  }));

test('an event of a later version is told by its type', () =>
  expect(told(entry('SomethingNew', {}))).toEqual({ kind: 'life', title: 'SomethingNew', detail: '' }));

test('observations are no turns', () =>
  expect([entry('VMAStatusObserved', {}), entry('JobStalled', {})].map(isTurn)).toEqual([false, true]));
