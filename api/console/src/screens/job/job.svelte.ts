/** One job and its events, kept current. */
import { get, type Schemas } from '../../lib/api/client';
import type { ApiError } from '../../lib/api/problem';
import { Reading } from '../../lib/reading.svelte';
import { stream, type Entry } from '../../lib/stream/stream.svelte';
import type { Job } from '../jobs/figures';

const PAGE = 1000;
/** Events come in groups: one request for each group, in milliseconds. */
const PAUSE = 300;
/** How often the figures of the poller are read, of which there are no events, in milliseconds. */
const LIVE = 5_000;

export class OneJob {
  job = $state.raw<Job | null>(null);
  /** Of the job as it is shown: a decision names it, so that a job that has changed since is not decided. */
  etag = $state<string | null>(null);
  /** Oldest first. */
  entries = $state.raw<readonly Entry[]>([]);
  /** Counts the loads: after each, the log may be another one, so that what was read before may not be in it. */
  generation = $state(0);
  /** What came while all events are read; null at other times. */
  private arrived: Entry[] | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly reading = new Reading(() => void this.load(), isUnknown);

  constructor(readonly id: string) {}

  get error(): ApiError | null {
    return this.reading.error;
  }

  start(): () => void {
    const end = stream.subscribe({ events: (entries) => this.note(entries), gap: () => void this.load() });
    const ticking = setInterval(() => this.tick(), LIVE);
    void this.load();
    return () => {
      end();
      clearInterval(ticking);
      clearTimeout(this.timer);
      this.reading.stop();
    };
  }

  /** Read the job and all of its events. */
  async load(): Promise<void> {
    const arrived: Entry[] = (this.arrived = []);
    const ask = async (signal: AbortSignal) => ({ entries: await eventsOf(this.id, signal), ...(await this.ask(signal)) });
    await this.reading.read(ask, ({ entries, data, etag }) => {
      this.entries = merged(entries, arrived);
      this.arrived = null;
      this.generation++;
      this.show(data, etag);
    });
    // Not in the event log, perhaps since it was restored from a backup.
    if (isUnknown(this.error)) this.job = null;
  }

  /** Read the job, but not its events. */
  async refresh(): Promise<void> {
    await this.reading.read((signal) => this.ask(signal), ({ data, etag }) => this.show(data, etag));
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
    this.timer = this.reading.isRunning ? setTimeout(() => this.afterEvents(), PAUSE) : undefined;
    if (!this.timer) this.readAgain();
  }

  /** Read the figures again, unless the next attempt after a failure is to come: that one reads what is missing. */
  private tick(): void {
    if (!document.hidden && !this.reading.isRunning && !this.reading.isWaiting) this.readAgain();
  }

  /** A load that failed left events out: it is to be repeated, and not to be mistaken for complete. */
  private readAgain(): void {
    void (this.arrived ? this.load() : this.refresh());
  }

  private ask(signal: AbortSignal): Promise<{ data: Schemas['JobView']; etag: string | null }> {
    return get('/api/v1/jobs/{job_id}', { path: { job_id: this.id }, signal });
  }
}

function isUnknown(error: ApiError | null): boolean {
  return error?.status === 404;
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
