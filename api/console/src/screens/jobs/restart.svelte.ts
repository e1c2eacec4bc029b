/** The last restart of the service, and how its recovery went. */
import { get, type Schemas } from '../../lib/api/client';
import { Reading } from '../../lib/reading.svelte';
import { stream, type Entry } from '../../lib/stream/stream.svelte';

export type Run = Schemas['RunView'];

const CAUSES = ['restart', 'takeover'];
const RUNS = ['RecoveryRunStarted', 'RecoveryRunFinished', 'RecoveryRunInterrupted'];
/** Runs are listed newest first, and retries are runs, too: as many pages are read to find the restart. */
const PAGES = 5;
const PAGE = 200;
/** From an event, or a reading of a run that is not finished, to the next reading, in milliseconds. */
const PAUSE = 1_000;

export class LastRestart {
  /** Null without one among the runs that were read; undefined before they were. */
  run = $state.raw<Run | null | undefined>(undefined);
  /** The list of jobs tells what is wrong; after a failure this sentence stays as it was until it can be read. */
  private readonly reading = new Reading(() => void this.load());

  start(): () => void {
    const end = stream.subscribe({ events: (entries) => this.note(entries), gap: () => void this.load() });
    void this.load();
    return () => {
      end();
      this.reading.stop();
    };
  }

  private note(entries: readonly Entry[]): void {
    if (entries.some(({ type }) => RUNS.includes(type))) this.reading.later(PAUSE);
  }

  private async load(): Promise<void> {
    const isRead = await this.reading.read(lastRestart, (run) => (this.run = run));
    if (isRead && this.run?.status === 'running') this.reading.later(PAUSE);
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
