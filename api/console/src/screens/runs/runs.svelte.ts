/** The recorded runs, newest first, kept current. */
import { get, type Schemas } from '../../lib/api/client';
import { asApiError, type ApiError } from '../../lib/api/problem';
import { stream, type Entry } from '../../lib/stream/stream.svelte';

export type Run = Schemas['RunView'];

const PAGE = 100;
/** At least this time between two readings, in milliseconds, and at most a fifth of the time is spent reading. */
const PAUSE = 1_000;
const RETRY = 3_000;

export class Runs {
  all = $state.raw<readonly Run[]>([]);
  hasOlder = $state(false);
  isLoaded = $state(false);
  error = $state.raw<ApiError | null>(null);
  /** Read again with each change: a page that stays open keeps as many runs as the reader has asked for. */
  private pages = 1;
  private took = 0;
  private reading: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Load the newest runs, and keep them current. Returns a function that ends it. */
  start(): () => void {
    const end = stream.subscribe({
      events: (entries: Entry[]) => entries.some((entry) => entry.run_id) && this.later(Math.max(PAUSE, 5 * this.took)),
      gap: () => this.later(0),
    });
    void this.load();
    return () => {
      end();
      clearTimeout(this.timer);
      this.reading?.abort();
    };
  }

  older(): Promise<void> {
    this.pages += 1;
    return this.load();
  }

  /** Read the runs. A load that runs is given up for this one. */
  async load(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.reading?.abort();
    const reading = (this.reading = new AbortController());
    const began = performance.now();
    try {
      await this.read(reading.signal);
      this.took = performance.now() - began;
      this.isLoaded = true;
      this.error = null;
    } catch (failed) {
      if (reading.signal.aborted) return;
      this.error = asApiError(failed);
      this.later(RETRY);
    }
  }

  private async read(signal: AbortSignal): Promise<void> {
    const found: Run[] = [];
    let cursor: string | null | undefined;
    for (let page = 0; page < this.pages; page++) {
      const { data } = await get('/api/v1/recovery-runs', { query: { limit: PAGE, cursor }, signal });
      found.push(...data.items);
      cursor = data.next_cursor;
      if (!cursor) break;
    }
    this.all = found;
    this.hasOlder = Boolean(cursor);
  }

  private later(pause: number): void {
    this.timer ??= setTimeout(() => void this.load(), pause);
  }
}
