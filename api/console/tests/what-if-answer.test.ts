import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Answer } from '../src/screens/what-if/answer.svelte';
import { json, refusal, serve } from './service';

const QUESTION = { scope: {}, first: null, second: { startup_grace: 3 } };
const TWO = { ...QUESTION, first: { startup_grace: 9 } };
const ANSWERED = { changes: [], decisions: 5, runs: 1 };

let answer: Answer;

beforeEach(() => {
  vi.useFakeTimers();
  answer = new Answer();
});
afterEach(() => {
  answer.stop();
  vi.useRealTimers();
});

async function ask(question: typeof QUESTION | typeof TWO): Promise<void> {
  answer.ask(question);
  await vi.advanceTimersByTimeAsync(100);
}

test('a busy service is asked again after the time that it names', async () => {
  const asked = serve(() => refusal(429, { 'Retry-After': '5' }));
  await ask(QUESTION);
  await vi.advanceTimersByTimeAsync(4_000);
  expect([asked.length, answer.isAsking, answer.error]).toEqual([1, true, null]);

  serve(() => json(ANSWERED));
  await vi.advanceTimersByTimeAsync(1_000);
  expect([answer.found?.decisions, answer.isAsking]).toEqual([5, false]);
});

test('a service that stays busy is told, and asked once a second until it answers', async () => {
  const asked = serve(() => refusal(429));
  await ask(QUESTION);
  await vi.advanceTimersByTimeAsync(10_000);
  expect([asked.length, answer.error?.status]).toEqual([11, 429]);

  serve(() => json(ANSWERED));
  await vi.advanceTimersByTimeAsync(1_000);
  expect([answer.found?.decisions, answer.error]).toEqual([5, null]);
});

test('of two questions that both fail, one failure is told', async () => {
  serve(() => refusal(503));
  await ask(TWO);
  expect([answer.error?.status, answer.isAsking]).toEqual([503, false]);
});
