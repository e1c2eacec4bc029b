import { expect, test } from 'vitest';
import { EVERY, MOST, withSample, type Sample } from '../src/screens/system/samples';

const sample = (at: number): Sample => ({ at, pollLag: 0.1, projectionLag: 0 });

test('a gap breaks the line', () => {
  const samples = withSample(withSample(withSample([], sample(1000)), sample(1000 + EVERY)), sample(2000));

  expect(samples.map(({ pollLag }) => pollLag)).toEqual([null, 0.1, 0.1, null, 0.1]);
});

test('an open tab keeps an hour', () => {
  let samples: Sample[] = [];
  for (let at = 0; at < 2 * MOST; at++) samples = withSample(samples, sample(at * EVERY));

  expect(samples).toHaveLength(MOST);
});
