import { describe, expect, test } from 'vitest';
import { between, cellsOf, type Change, type Decision, listed, nameOf } from '../src/screens/what-if/changes';
import { withQuery } from '../src/lib/router';
import { inQuery, inWords, policyIn, stopsWith, THRESHOLDS } from '../src/screens/what-if/thresholds';

const LOST: Decision = { outcome: 'fail', rule: 'lost', basis: 'inferred', reason: 'not above 90 %' };
const GONE: Decision = { outcome: 'complete', rule: 'gone-near-end', basis: 'inferred', reason: 'above 50 %' };
const UNDECIDED: Decision = { outcome: null, rule: null, basis: null, reason: 'the silence is too short' };

function change(job_id: string, was: Decision, would_be: Decision, run_id = 'run-1'): Change {
  return { job_id, run_id, was, would_be };
}

describe('the decisions that two policies make differently', () => {
  test('are those that the second changes, if the first is the recorded one', () => {
    expect(between([], [change('a', LOST, GONE)])).toEqual([{ jobId: 'a', runId: 'run-1', from: LOST, to: GONE }]);
  });

  test('go back to what was recorded where only the first changes it', () => {
    expect(between([change('a', LOST, GONE)], [])).toEqual([{ jobId: 'a', runId: 'run-1', from: GONE, to: LOST }]);
  });

  test('are none where both change it alike', () => {
    expect(between([change('a', LOST, GONE)], [change('a', LOST, GONE)])).toEqual([]);
  });

  test('are counted once where both change it otherwise', () => {
    const [pair, ...more] = between([change('a', LOST, GONE)], [change('a', LOST, UNDECIDED)]);
    expect([pair?.from, pair?.to, more]).toEqual([GONE, UNDECIDED, []]);
  });

  test('are told apart by their run', () => {
    const first = [change('a', LOST, GONE, 'run-1')];
    expect(between(first, [change('a', LOST, GONE, 'run-2')]).map((pair) => pair.runId)).toEqual(['run-2', 'run-1']);
  });
});

test('the matrix has a cell for each pair of decisions, the largest first', () => {
  const pairs = between([], [change('a', LOST, UNDECIDED), change('b', LOST, GONE), change('c', LOST, GONE)]);
  expect(cellsOf(pairs)).toEqual([
    { from: 'fail by lost, inferred', to: 'complete by gone-near-end, inferred', count: 2 },
    { from: 'fail by lost, inferred', to: 'no decision yet', count: 1 },
  ]);
  expect(listed(pairs, { search: '', from: nameOf(LOST), to: nameOf(GONE) }).map((pair) => pair.jobId)).toEqual(['b', 'c']);
  expect(listed(pairs, { search: 'B', from: null, to: null }).map((pair) => pair.jobId)).toEqual(['b']);
});

test('a policy in an address has only numbers that the API takes', () => {
  const query = new URLSearchParams('complete_above_percent=95&unreachable_timeout=abc&amnesia_share=2&confirmation_probes=&x=1');
  expect(policyIn(query)).toEqual({ complete_above_percent: 95 });
  expect(policyIn(new URLSearchParams('first.startup_grace=0&startup_grace=9'), 'first.')).toEqual({ startup_grace: 0 });
});

test('a policy is the same after its way through the address', () => {
  const policy = { complete_above_percent: 0, amnesia_share: 0.35 };
  const query = withQuery(new URLSearchParams('startup_grace=3'), inQuery(policy));
  expect(policyIn(query)).toEqual(policy);
});

test('a slider stops at the recorded value, and at one that was typed', () => {
  const timeout = THRESHOLDS.find(({ name }) => name === 'unreachable_timeout');
  if (!timeout) throw new Error('there is no such threshold');
  const stops = stopsWith(timeout, 1234, 1800);
  expect(stops).toContain(1234);
  expect(stops).toEqual([...new Set(stops)].sort((a, b) => a - b));
  expect(inWords(timeout, 1800)).toBe('30 min');
  expect(inWords(timeout, undefined)).toBe('–');
});
