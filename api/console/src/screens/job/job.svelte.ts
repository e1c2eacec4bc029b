/** One job and its events, kept current. */
import { get, type Schemas } from '../../lib/api/client';
import { asApiError, type ApiError } from '../../lib/api/problem';
import { stream, type Entry } from '../../lib/stream/stream.svelte';
import type { Job } from '../jobs/figures';

const PAGE = 1000;
/** Events come in groups: one request for each group, in milliseconds. */
const PAUSE = 300;
/** How often the figures of the poller are read, of which there are no events, in milliseconds. */
const LIVE = 5_000;
const RETRY = 3_000;

export class OneJob {
  job = $state.raw<Job | null>(null);
  /** Of the job as it is shown: a decision names it, so that a job that has changed since is not decided. */
  etag = $state<string | null>(null);
  /** Oldest first. */
  entries = $state.raw<readonly Entry[]>([]);
  error = $state.raw<ApiError | null>(null);
  /** Counts the loads: after each, the log may be another one, so that what was read before may not be in it. */
  generation = $state(0);
  /** What came while all events are read; null at other times. */
  private arrived: Entry[] | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private retrying: ReturnType<typeof setTimeout> | undefined;
  private reading: AbortController | null = null;

  constructor(readonly id: string) {}

  start(): () => void {
    const end = stream.subscribe({ events: (entries) => this.note(entries), gap: () => void this.load() });
    const ticking = setInterval(() => document.hidden || this.reading || void this.refresh(), LIVE);
    void this.load();
    return () => {
      end();
      clearInterval(ticking);
      clearTimeout(this.timer);
      clearTimeout(this.retrying);
      this.reading?.abort();
    };
  }

  /** Read the job and all of its events. */
  async load(): Promise<void> {
    await this.read(async (signal) => {
      const arrived: Entry[] = (this.arrived = []);
      const entries = await eventsOf(this.id, signal);
      const { data, etag } = await this.ask(signal);
      this.entries = merged(entries, arrived);
      this.arrived = null;
      this.generation++;
      this.show(data, etag);
    });
  }

  /** Read the job, but not its events. */
  async refresh(): Promise<void> {
    await this.read(async (signal) => {
      const { data, etag } = await this.ask(signal);
      this.show(data, etag);
    });
  }

  show(job: Job, etag: string | null): void {
    this.job = job;
    this.etag = etag;
  }

  private note(entries: readonly Entry[]): void {
    const own = entries.filter((entry) => entry.job_id === this.id);
    if (!own.length) return;
    this.arrived?.push(...own);
    this.entries = merged(this.entries, own);
    this.timer ??= setTimeout(() => this.afterEvents(), PAUSE);
  }

  private afterEvents(): void {
    this.timer = this.reading ? setTimeout(() => this.afterEvents(), PAUSE) : undefined;
    // A load that failed left events out: it is to be repeated, and not to be mistaken for complete.
    if (!this.timer) void (this.arrived ? this.load() : this.refresh());
  }

  private ask(signal: AbortSignal): Promise<{ data: Schemas['JobView']; etag: string | null }> {
    return get('/api/v1/jobs/{job_id}', { path: { job_id: this.id }, signal });
  }

  private async read(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    clearTimeout(this.retrying);
    this.reading?.abort();
    const reading = (this.reading = new AbortController());
    try {
      await work(reading.signal);
      this.error = null;
    } catch (failed) {
      if (reading.signal.aborted) return;
      this.error = asApiError(failed);
      if (this.error.status !== 404) this.retrying = setTimeout(() => void this.load(), RETRY);
    } finally {
      if (this.reading === reading) this.reading = null;
    }
  }
}

async function eventsOf(job_id: string, signal: AbortSignal): Promise<Entry[]> {
  const entries: Entry[] = [];
  let cursor: string | null | undefined;
  do {
    const { data } = await get('/api/v1/jobs/{job_id}/events', { path: { job_id }, query: { limit: PAGE, cursor }, signal });
    entries.push(...data.items);
    cursor = data.next_cursor;
  } while (cursor);
  return entries;
}

/** Return both without repetitions, in the order of the log. */
function merged(known: readonly Entry[], others: readonly Entry[]): readonly Entry[] {
  const last = known.at(-1)?.position ?? 0;
  const later = others.filter(({ position }) => position > last);
  return later.length ? [...known, ...later] : known;
}
