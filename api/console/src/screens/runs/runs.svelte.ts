/** The recorded runs, newest first, kept current. */
import { get, type Schemas } from '../../lib/api/client';
import { asApiError, type ApiError } from '../../lib/api/problem';
import { stream, type Entry } from '../../lib/stream/stream.svelte';

export type Run = Schemas['RunView'];

const PAGE = 100;
/** At most one reading in this time, in milliseconds, however many events arrive. */
const PAUSE = 1_000;
const RETRY = 3_000;

export class Runs {
  all = $state.raw<readonly Run[]>([]);
  hasOlder = $state(false);
  isLoaded = $state(false);
  error = $state.raw<ApiError | null>(null);
  private cursor: string | null = null;
  private reading: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Load the newest runs, and keep them current. Returns a function that ends it. */
  start(): () => void {
    const end = stream.subscribe({
      events: (entries: Entry[]) => entries.some((entry) => entry.run_id) && this.later(PAUSE),
      gap: () => this.later(0),
    });
    void this.newest();
    return () => {
      end();
      clearTimeout(this.timer);
      this.reading?.abort();
    };
  }

  /** Read the newest runs again, and keep the older ones that were read. */
  newest(): Promise<void> {
    return this.read(null, (page) => {
      const known = new Set(page.items.map((run) => run.run_id));
      const older = this.all.filter((run) => !known.has(run.run_id));
      if (!this.isLoaded) this.turn(page.next_cursor);
      // Without a run in common there is a gap between: what is older is left out.
      const meets = older.length < this.all.length;
      if (!meets) this.turn(page.next_cursor);
      this.all = meets ? [...page.items, ...older] : page.items;
      this.isLoaded = true;
    });
  }

  older(): Promise<void> {
    return this.read(this.cursor, (page) => {
      this.all = [...this.all, ...page.items];
      this.turn(page.next_cursor);
    });
  }

  private turn(cursor: string | null | undefined): void {
    this.cursor = cursor ?? null;
    this.hasOlder = this.cursor !== null;
  }

  private async read(cursor: string | null, use: (page: Schemas['Page_RunView_']) => void): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.reading?.abort();
    const reading = (this.reading = new AbortController());
    try {
      use((await get('/api/v1/recovery-runs', { query: { limit: PAGE, cursor }, signal: reading.signal })).data);
      this.error = null;
    } catch (failed) {
      if (reading.signal.aborted) return;
      this.error = asApiError(failed);
      this.later(RETRY);
    }
  }

  private later(pause: number): void {
    this.timer ??= setTimeout(() => void this.newest(), pause);
  }
}
