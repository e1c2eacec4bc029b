/** The events of a filter, newest first, kept current. The API filters: an event of the stream only says that there is more. */
import { get, type Schemas } from '../../lib/api/client';
import { asApiError, type ApiError } from '../../lib/api/problem';
import { stream, type Entry } from '../../lib/stream/stream.svelte';
import type { Query } from './filters';
import { withNewest, withOlder, type Joined } from './merge';

const PAGE = 200;
/** At most one reading in this time, in milliseconds, however many events arrive. */
const PAUSE = 1_000;
const RETRY = 3_000;

export class Trail {
  entries = $state.raw<readonly Entry[]>([]);
  isLoaded = $state(false);
  hasOlder = $state(false);
  /** Whether older events exist that are not kept here. */
  isCut = $state(false);
  error = $state.raw<ApiError | null>(null);
  seal = $state.raw<Schemas['SealView'] | null>(null);
  private query: Query = {};
  private cursor: string | null = null;
  private isRefused = false;
  private isReadingOlder = false;
  private reading: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Keep the events current. Returns a function that ends it. */
  start(): () => void {
    const end = stream.subscribe({ events: () => this.later(PAUSE), gap: (mayBeReplaced) => (mayBeReplaced ? this.show(this.query) : this.later(0)) });
    return () => {
      end();
      clearTimeout(this.timer);
      this.reading?.abort();
    };
  }

  /** Show the events of a filter. Those of the last one remain until the answer is there, so that nothing jumps. */
  show(query: Query): void {
    this.query = query;
    this.isLoaded = this.isRefused = false;
    void this.newest();
  }

  newest(): Promise<void> {
    return this.read(null, async (page, signal) => {
      const joined = withNewest(this.isLoaded ? this.entries : [], page.items);
      if (!joined.meets) this.turn(page.next_cursor);
      this.take(joined);
      this.isLoaded = true;
      this.seal = (await get('/api/v1/audit/seal', { signal })).data;
    });
  }

  async older(): Promise<void> {
    this.isReadingOlder = true;
    await this.read(this.cursor, (page) => {
      this.turn(page.next_cursor);
      this.take(withOlder(this.entries, page.items));
    });
    this.isReadingOlder = false;
  }

  private take({ entries, isCut, meets }: Joined): void {
    this.entries = entries;
    // The cursor is behind what was cut: reading on would leave a hole.
    this.isCut = isCut || (meets && this.isCut);
  }

  private turn(cursor: string | null | undefined): void {
    this.cursor = cursor ?? null;
    this.hasOlder = this.cursor !== null;
  }

  private async read(
    cursor: string | null,
    use: (page: Schemas['Page_AuditEntry_'], signal: AbortSignal) => void | Promise<void>,
  ): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.reading?.abort();
    const { signal } = (this.reading = new AbortController());
    try {
      const { data } = await get('/api/v1/audit', { query: { ...this.query, limit: PAGE, cursor }, signal });
      await use(data, signal);
      this.error = null;
    } catch (failed) {
      if (signal.aborted) return;
      this.error = asApiError(failed);
      // A filter that is refused stays refused.
      this.isRefused = this.error.status >= 400 && this.error.status < 500 && this.error.status !== 429;
      if (this.isRefused) this.entries = [];
      else this.later(RETRY);
    }
  }

  private later(pause: number): void {
    if (this.isRefused) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      // One reading gives up the other: what the reader asked for goes first.
      if (this.isReadingOlder) this.later(PAUSE);
      else void this.newest();
    }, pause);
  }
}
