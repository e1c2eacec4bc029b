import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { differences, inCommon, pairs, phases } from '../src/screens/run/sides';
import { lastSightOfAny, listed, momentsOf, passed, rulesOf } from '../src/screens/run/counts';
import { secondsBetween } from '../src/screens/run/replay';
import { readRun } from '../src/screens/run/runFile';
import { placeOf, sinceStart, ticks, timeAt } from '../src/screens/run/scale';

const CORPUS = new URL('../../../tests/corpus/', import.meta.url);
const RECORDED = readFileSync(new URL('restart-of-every-kind.ndjson', CORPUS));
const FORGOTTEN = readFileSync(new URL('vma-that-forgot.ndjson', CORPUS));
const TEXT = RECORDED.toString('utf8');

function streamed(bytes: Uint8Array, size = 1000): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.subarray(at, at + size));
      controller.close();
    },
  });
}

const read = (text: string) => readRun(streamed(new TextEncoder().encode(text)));

describe('a recorded run', async () => {
  const { run, lanes, end } = await readRun(streamed(RECORDED));

  test('has a lane for each of its jobs, each with its decision', () => {
    const jobs = (JSON.parse(TEXT.split('\n')[1] ?? '') as { event: { job_ids: string[] } }).event.job_ids;
    expect(lanes.map((lane) => lane.jobId)).toEqual(jobs);
    expect(lanes.every((lane) => lane.decision && lane.probes.length)).toBe(true);
  });

  test('counts its rules as its own last event does', () => {
    const finished = JSON.parse(TEXT.trim().split('\n').at(-1) ?? '') as { event: { rules: Record<string, number> } };
    const counted = Object.fromEntries(rulesOf(lanes).map(({ rule, total }) => [rule, total]));
    expect(counted).toEqual(finished.event.rules);
  });

  test('knows when each job was last seen before it', () => {
    expect(lanes[0]?.lastSight).toBeCloseTo(-2.979905, 6);
    expect(lastSightOfAny(lanes)).toBeGreaterThan(0);
  });

  test('ends after all that happened in it', () => {
    expect(run.status).toBe('finished');
    expect(end).toBeGreaterThanOrEqual(momentsOf(lanes).at(-1) ?? Infinity);
  });

  test('has the answers of each probe', () => {
    expect(lanes[0]?.probes[0]?.answers[0]).toEqual({
      askedId: 'migration-vol-disk-job-000', status: 'completed', httpStatus: 200, latencyMs: 4.5, detail: 'completed at 100 %',
    });
  });

  test('is read the same however its bytes are cut', async () => {
    expect(await readRun(streamed(RECORDED, 97))).toEqual({ run, lanes, end });
  });
});

describe('a file that is no whole run', () => {
  test.each([
    ['', 'the file is empty'],
    ['<html>', 'line 1: this is not an exported run'],
    ['{"format":"other/1","events":1}\n', 'line 1: this is not an exported run'],
    [TEXT.split('\n').slice(0, 40).join('\n'), 'the file has 39 of the 310 events of its run'],
    [TEXT.replace('"took_ms":', '"took":'), 'cannot be read: took_ms is not a number'],
    [TEXT.replace('{"type":"RecoveryStarted"', '{{'), 'line 3 of the file cannot be read'],
    [TEXT.split('\n').filter((_, at) => at !== 1).join('\n'), 'its start is missing'],
  ])('is refused with the reason', async (text, reason) => {
    await expect(read(text)).rejects.toThrow(reason);
  });

  test('is refused if it is not a text', async () => {
    await expect(readRun(streamed(new Uint8Array([0xff, 0xfe, 0x00])))).rejects.toThrow('not a text');
  });

  test('is refused before a line without an end fills the memory', async () => {
    const endless = new ReadableStream<Uint8Array>({ pull: (to) => to.enqueue(new Uint8Array(1_000_000).fill(32)) });
    await expect(readRun(endless)).rejects.toThrow('too long');
  });
});

test('a run that goes on has jobs without a decision', async () => {
  const lines = TEXT.split('\n').slice(0, 120);
  lines[0] = '{"format":"job-recovery-run/1","events":119}';
  const { run, lanes } = await read(lines.join('\n'));
  expect(run.status).toBe('running');
  expect(lanes.some((lane) => !lane.decision)).toBe(true);
});

test('lanes are found by job, by rule, and in the order of their decisions', async () => {
  const { lanes } = await readRun(streamed(RECORDED));
  const any = { search: '', rules: [], order: 'job' as const };
  expect(listed(lanes, any)).toEqual(lanes);
  expect(listed(lanes, { ...any, search: 'JOB-007' }).map((lane) => lane.jobId)).toEqual(['job-007']);
  const lost = listed(lanes, { ...any, rules: ['lost'], order: 'time' });
  expect(new Set(lost.map((lane) => lane.decision?.rule))).toEqual(new Set(['lost']));
  expect(lost.map((lane) => lane.decision?.at)).toEqual(lost.map((lane) => lane.decision?.at).sort((a = 0, b = 0) => a - b));
});

test('two runs differ in the jobs that only one of them has', async () => {
  const [a, b] = [await readRun(streamed(RECORDED)), await readRun(streamed(FORGOTTEN))];
  expect(differences(a, a)).toEqual([]);
  const found = differences(a, b);
  expect(pairs(found).reduce((sum, { count }) => sum + count, 0)).toBe(found.length);
  expect(phases(a).decided).toBe(a.run.decidedIn);
  expect(phases(a).firstRound).toBeGreaterThan(0);
  expect(inCommon(a, a)).toBe('Both runs decided every job by the same rule');
});

test('a run that has not asked or decided every job claims neither', async () => {
  const lines = TEXT.split('\n').slice(0, 120);
  lines[0] = '{"format":"job-recovery-run/1","events":119}';
  const part = await read(lines.join('\n'));
  const missing = part.lanes.filter((lane) => !lane.decision).length;
  expect(phases(part)).toEqual({ firstRound: null, decided: null, verified: null });
  expect(differences(part, part)).toEqual([]);
  expect(inCommon(part, part)).toBe(`No job decided by different rules; not decided: ${missing} jobs of ${part.run.id}, ${missing} jobs of ${part.run.id}`);
});

test('the part before the start never reaches into the run', () => {
  const scale = { end: 20, before: 7200 };
  const places = [-7200, -60, -1, 0, 10, 20].map((at) => placeOf(at, scale));
  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(placeOf(20, scale)).toBe(1);
  expect(timeAt(placeOf(7.5, scale), scale)).toBeCloseTo(7.5);
  expect(timeAt(0, scale)).toBe(0);
});

test('ticks are round and end within the run', () => {
  expect(ticks(3.08)).toEqual([0, 1, 2, 3]);
  expect(ticks(0.3)).toEqual([0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3]);
  expect(ticks(3000)).toEqual([0, 500, 1000, 1500, 2000, 2500, 3000]);
});

test('times are to the microsecond, also before the start', () => {
  expect(secondsBetween('2026-11-24T02:51:20.369003Z', '2026-11-24T02:51:20.408206Z')).toBeCloseTo(0.039203, 9);
  expect(secondsBetween('2026-11-24T02:51:20Z', '2026-11-24T02:51:19.999999Z')).toBeCloseTo(-0.000001, 9);
  expect(sinceStart(3.081)).toBe('+3.08 s');
  expect(sinceStart(125)).toBe('+2 min 5 s');
});

test('a count includes what happens at that very moment', () => {
  expect([0.5, 1, 2.5, 9].map((at) => passed([1, 2, 2], at))).toEqual([0, 1, 3, 3]);
});
