import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SILENCE } from '../src/lib/stream/feed';
import type { FromTab, ToTab } from '../src/lib/stream/messages';
import { stream } from '../src/lib/stream/stream.svelte';
import { never, serve } from './service';

const gap = vi.fn();
let unsubscribe: () => void;
let close: () => void;
/** What each worker was sent. */
let workers: FromTab[][];
let latest: Worker;

class Worker {
  onerror: () => void = () => undefined;
  readonly port = { postMessage: (message: FromTab) => void this.sent.push(message) };
  private readonly sent: FromTab[] = [];

  constructor() {
    workers.push(this.sent);
    latest = this;
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('window', Object.assign(new EventTarget(), { SharedWorker: Worker }));
  vi.stubGlobal('SharedWorker', Worker);
  workers = [];
  gap.mockClear();
  unsubscribe = stream.subscribe({ events: () => undefined, gap });
  close = stream.start();
});
afterEach(() => {
  close();
  unsubscribe();
  vi.useRealTimers();
});

const tell = (message: ToTab) => stream['receive'](message);

/** Let the machine sleep: no worker says anything. */
function sleep(): void {
  vi.advanceTimersByTime(SILENCE + 5_000);
  expect(workers).toHaveLength(2);
}

test('a tab whose worker was silent knows since when it is not live', () => {
  tell({ kind: 'state', connection: 'live', heard: 1_000 });
  sleep();
  tell({ kind: 'state', connection: 'connecting', heard: null });
  expect([stream.isLive, stream.heard]).toEqual([false, 1_000]);
});

test('what was heard with one token says nothing about another', () => {
  tell({ kind: 'state', connection: 'live', heard: 1_000 });
  close();
  close = stream.start();
  expect(stream.heard).toBeNull();
});

test('the first gap of a tab is of the log that it has read, and a later one may be of another', () => {
  tell({ kind: 'gap', mayBeReplaced: false });
  tell({ kind: 'gap', mayBeReplaced: false });
  expect(gap.mock.calls).toEqual([[false], [true]]);
});

test('the log may be another one after a sleep, also for a tab that was not live before', () => {
  sleep();
  tell({ kind: 'gap', mayBeReplaced: false });
  expect(gap.mock.calls).toEqual([[true]]);
});

test('a tab whose worker cannot be loaded has a stream of its own', () => {
  const asked = serve(never);
  latest.onerror();
  expect(asked).toEqual(['/api/v1/events/stream']);
});
