import { beforeEach, expect, test, vi } from 'vitest';
import { Decision } from '../src/screens/job/decision.svelte';
import type { Job } from '../src/screens/jobs/figures';
import { json, refusal, serve } from './service';

const job = (version: number) => ({ job_id: 'job-1', version }) as Job;
const etag = (version: number) => ({ ETag: `"${version}"` });
const changed = vi.fn();

let decision: Decision;

beforeEach(() => {
  changed.mockClear();
  decision = new Decision(job(1), '"1"', changed);
  Object.assign(decision, { outcome: 'fail', who: 'mara', why: 'VM was deleted' });
});

test('a decision is about the state that was looked at', async () => {
  let asked: RequestInit = {};
  serve((_, init) => ((asked = init), json(job(2), 200, etag(2))));

  expect(await decision.send()).toBe(true);

  expect(new Headers(asked.headers).get('If-Match')).toBe('"1"');
  expect(JSON.parse(String(asked.body))).toEqual({ outcome: 'fail', who: 'mara', why: 'VM was deleted' });
  expect(changed.mock.lastCall).toEqual([job(2), '"2"']);
});

test('a decision about an old state shows the present one, and its outcome is to be chosen again', async () => {
  serve((path) => (path.endsWith('/decision') ? refusal(412) : json(job(2), 200, etag(2))));

  expect(await decision.send()).toBe(false);

  expect([decision.error?.status, decision.job, decision.outcome, decision.why]).toEqual([412, job(2), '', 'VM was deleted']);
  expect(changed.mock.lastCall).toEqual([job(2), '"2"']);
});

test('a decision without an outcome is not sent', async () => {
  const asked = serve(() => json(job(2)));
  decision.look(job(2), '"2"');

  expect(await decision.send()).toBe(false);

  expect(asked).toEqual([]);
});

test.each([
  ['gives no answer', () => Promise.reject(new TypeError('fetch failed'))],
  ['goes on with it without an answer', () => refusal(503)],
])('a decision of which the service %s may be recorded, and the job is looked at', async (_, answer) => {
  serve((path) => (path.endsWith('/decision') ? answer() : json(job(2), 200, etag(2))));

  expect(await decision.send()).toBe(false);

  expect([decision.isUnknown, decision.job, decision.outcome]).toEqual([true, job(2), '']);
});

test('a decision that is refused is not recorded', async () => {
  serve(() => refusal(403));

  expect(await decision.send()).toBe(false);

  expect([decision.isUnknown, decision.outcome]).toEqual([false, 'fail']);
});
