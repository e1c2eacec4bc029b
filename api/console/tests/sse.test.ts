import { expect, test } from 'vitest';
import { waitBefore } from '../src/lib/stream/backoff';
import { SseParser } from '../src/lib/stream/sse';

const STREAM = ': after position 3\r\nretry: 1000\r\n\r\nid: 4-a\nevent: JobRegistered\ndata: {"a":\ndata: 1}\n\n: still here\n\ndata: x\n\n';
const EVENTS = [
  { id: '4-a', type: 'JobRegistered', data: '{"a":\n1}' },
  { id: null, type: 'message', data: 'x' },
];

test('comments and settings are no events', () => expect(new SseParser().push(STREAM)).toEqual(EVENTS));

test('a stream may be split anywhere', () => {
  for (let at = 1; at < STREAM.length; at++) {
    const parser = new SseParser();
    expect([...parser.push(STREAM.slice(0, at)), ...parser.push(STREAM.slice(at))]).toEqual(EVENTS);
  }
});

test('an event that is cut off by the end is not delivered', () =>
  expect(new SseParser().push('id: 5-b\ndata: {}\n')).toEqual([]));

test('attempts are at least a second apart, and never more than half a minute and a bit', () => {
  for (const random of [0, 0.5, 0.999]) {
    for (const attempt of [0, 1, 5, 1000]) {
      expect(waitBefore(attempt, random)).toBeGreaterThanOrEqual(1000);
      expect(waitBefore(attempt, random)).toBeLessThan(6_000);
    }
  }
});
