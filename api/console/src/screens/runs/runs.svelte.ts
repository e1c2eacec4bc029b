/** The recorded runs, newest first, kept current. */
import { get, type Schemas } from '../../lib/api/client';
import type { ApiError } from '../../lib/api/problem';
import { Reading } from '../../lib/reading.svelte';
import { stream, type Entry } from '../../lib/stream/stream.svelte';

export type Run = Schemas['RunView'];

const PAGE = 100;
/** At least this time between two readings, in milliseconds, and at most a fifth of the time is spent reading. */
const PAUSE = 1_000;

export class Runs {
  all = $state.raw<readonly Run[]>([]);
  hasOlder = $state(false);
  isLoaded = $state(false);
  /** Read again with each change: a page that stays open keeps as many runs as the reader has asked for. */
  private pages = 1;
  private readonly reading = new Reading(() => void this.load());

  get error(): ApiError | null {
    return this.reading.error;
  }

  /** Load the newest runs, and keep them current. Returns a function that ends it. */
  start(): () => void {
    const end = stream.subscribe({
      events: (entries: Entry[]) => entries.some((entry) => entry.run_id) && this.reading.later(Math.max(PAUSE, 5 * this.reading.took)),
      gap: () => this.reading.later(0),
    });
    void this.load();
    return () => {
      end();
      this.reading.stop();
    };
  }

  older(): Promise<void> {
    this.pages += 1;
    return this.load();
  }

  /** Read the runs. A load that runs is given up for this one. */
  async load(): Promise<void> {
    await this.reading.read((signal) => this.ask(signal), ({ runs, hasOlder }) => {
      this.all = runs;
      this.hasOlder = hasOlder;
      this.isLoaded = true;
    });
  }

  private async ask(signal: AbortSignal): Promise<{ runs: Run[]; hasOlder: boolean }> {
    const runs: Run[] = [];
    let cursor: string | null | undefined;
    for (let page = 0; page < this.pages; page++) {
      const { data } = await get('/api/v1/recovery-runs', { query: { limit: PAGE, cursor }, signal });
      runs.push(...data.items);
      cursor = data.next_cursor;
      if (!cursor) break;
    }
    return { runs, hasOlder: Boolean(cursor) };
  }
}
