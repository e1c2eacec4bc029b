/** The events of a filter, newest first, kept current. The API filters: an event of the stream only says that there is more. */
import { get, type Schemas } from '../../lib/api/client';
import type { ApiError } from '../../lib/api/problem';
import { Reading } from '../../lib/reading.svelte';
import { stream, type Entry } from '../../lib/stream/stream.svelte';
import type { Query } from './filters';
import { withNewest, withOlder, type Joined } from './merge';

const PAGE = 200;
/** At most one reading in this time, in milliseconds, however many events arrive. */
const PAUSE = 1_000;

export class Trail {
  entries = $state.raw<readonly Entry[]>([]);
  isLoaded = $state(false);
  hasOlder = $state(false);
  /** Whether older events exist that are not kept here. */
  isCut = $state(false);
  seal = $state.raw<Schemas['SealView'] | null>(null);
  private query: Query = {};
  private cursor: string | null = null;
  private readonly reading = new Reading(() => void this.newest(), isRefusal);

  get error(): ApiError | null {
    return this.reading.error;
  }

  /** Keep the events current. Returns a function that ends it. */
  start(): () => void {
    const end = stream.subscribe({ events: () => this.later(PAUSE), gap: (mayBeReplaced) => (mayBeReplaced ? this.show(this.query) : this.later(0)) });
    return () => {
      end();
      this.reading.stop();
    };
  }

  /** Show the events of a filter. Those of the last one remain until the answer is there, so that nothing jumps. */
  show(query: Query): void {
    this.query = query;
    this.isLoaded = false;
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

  older(): Promise<void> {
    return this.read(this.cursor, (page) => {
      this.turn(page.next_cursor);
      this.take(withOlder(this.entries, page.items));
    });
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
    const ask = async (signal: AbortSignal) => {
      const { data } = await get('/api/v1/audit', { query: { ...this.query, limit: PAGE, cursor }, signal });
      signal.throwIfAborted();
      await use(data, signal);
    };
    const isRead = await this.reading.read(ask, () => undefined);
    if (isRead && this.isRefused) this.entries = [];
  }

  private get isRefused(): boolean {
    return this.error !== null && isRefusal(this.error);
  }

  /** Read what is new after a pause, and after what the reader asked for. A filter that is refused stays refused. */
  private later(pause: number): void {
    if (!this.isRefused || this.reading.isRunning) this.reading.later(pause);
  }
}

function isRefusal({ status }: ApiError): boolean {
  return status >= 400 && status < 500 && status !== 429;
}
