/** The last restart of the service, and how its recovery went. */
import { get, type Schemas } from '../../lib/api/client';
import { ApiError } from '../../lib/api/problem';
import { RETRY } from '../../lib/reading.svelte';
import { stream, type Entry } from '../../lib/stream/stream.svelte';

export type Run = Schemas['RunView'];

const CAUSES = ['restart', 'takeover'];
const RUNS = ['RecoveryRunStarted', 'RecoveryRunFinished', 'RecoveryRunInterrupted'];
/** Runs are listed newest first, and retries are runs, too: as many pages are read to find the restart. */
const PAGES = 5;
const PAGE = 200;
/** How often a run that is not finished is read, in milliseconds. */
const POLL = 1_000;

export class LastRestart {
  /** Null without one among the runs that were read; undefined before they were. */
  run = $state.raw<Run | null | undefined>(undefined);
  private reading: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  start(): () => void {
    const end = stream.subscribe({ events: (entries) => this.note(entries), gap: () => void this.load() });
    void this.load();
    return () => {
      end();
      clearTimeout(this.timer);
      this.reading?.abort();
    };
  }

  private note(entries: readonly Entry[]): void {
    if (entries.some(({ type }) => RUNS.includes(type))) void this.load();
  }

  private async load(): Promise<void> {
    clearTimeout(this.timer);
    this.reading?.abort();
    const { signal } = (this.reading = new AbortController());
    try {
      this.run = await lastRestart(signal);
      if (this.run && this.run.status === 'running') this.timer = setTimeout(() => void this.load(), POLL);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      // The list of jobs tells what is wrong; this sentence stays as it was until it can be read.
      this.timer = setTimeout(() => void this.load(), RETRY);
    }
  }
}

async function lastRestart(signal: AbortSignal): Promise<Run | null> {
  let cursor: string | null | undefined;
  for (let page = 0; page < PAGES; page++) {
    const { data } = await get('/api/v1/recovery-runs', { query: { limit: PAGE, cursor }, signal });
    const found = data.items.find(({ cause }) => CAUSES.includes(cause ?? ''));
    if (found) return found;
    cursor = data.next_cursor;
    if (!cursor) return null;
  }
  return null;
}
