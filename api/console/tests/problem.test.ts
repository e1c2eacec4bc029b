import { render } from 'svelte/server';
import { expect, test } from 'vitest';
import { ApiError } from '../src/lib/api/problem';
import Problem from '../src/lib/components/Problem.svelte';

const DOWN = new ApiError(0, 'No answer', 'The service did not answer.');
const REFUSED = new ApiError(403, 'Forbidden', 'scope read');

test.each([
  [DOWN, true, true],
  [DOWN, false, false],
  [REFUSED, true, false],
])('%s, repeated: %s, is told as tried again: %s', (error, isRepeated, isTold) =>
  expect(render(Problem, { props: { error, isRepeated } }).body.includes('tries again by itself')).toBe(isTold));
