/** All jobs, kept current: an event names a job that has changed, and changed jobs are read again in batches. */
import { get } from '../../lib/api/client';
import { asApiError, type ApiError } from '../../lib/api/problem';
import { session } from '../../lib/session.svelte';
import { stream, type Entry } from '../../lib/stream/stream.svelte';
import type { Job } from './figures';

const PAGE = 1000;
/** The API takes as many values of one filter. */
const CONTEXTS = 50;
/** At most one batch in this time, in milliseconds, however many events arrive. */
const PAUSE = 500;
/** Time until everything is read again after a failure, which may have lost changes, in milliseconds. */
const RETRY = 3_000;
/** How often the rows in sight are read: the poller's figures change without an event. In milliseconds. */
const LIVE = 5_000;

export class Jobs {
  /** By id; replaced, never changed in place, so that one assignment draws the list. */
  all = $state.raw<ReadonlyMap<string, Job>>(new Map());
  isLoaded = $state(false);
  /** The id of the selected job, which stays selected on a return to the list. */
  selected = $state<string | null>(null);
  error = $state.raw<ApiError | null>(null);
  /** VM contexts whose jobs have changed. */
  private changed = new Set<string>();
  /** VM contexts of the rows in sight: they are read before others. */
  private inSight: readonly string[] = [];
  private reading: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private retrying: ReturnType<typeof setTimeout> | undefined;

  /** Load the jobs, and keep them current. Returns a function that ends it. */
  start(): () => void {
    const end = stream.subscribe({ events: (entries) => this.note(entries), gap: () => void this.load() });
    const watching = setInterval(() => this.watch(), LIVE);
    void this.load();
    return () => {
      end();
      clearInterval(watching);
      clearTimeout(this.timer);
      this.reading?.abort();
      clearTimeout(this.retrying);
    };
  }

  /** Read all jobs. A load that runs is given up for this one. The first shows each page as it comes. */
  async load(): Promise<void> {
    await this.read(async (signal) => {
      this.changed.clear();
      const found = await pagesOf({}, signal, (jobs) => this.isLoaded || (this.all = byId(jobs)));
      this.all = byId(found);
      this.isLoaded = true;
    });
  }

  /** Note which rows are in sight. */
  see(jobs: readonly Job[]): void {
    this.inSight = jobs.slice(0, CONTEXTS).map(({ vm_context_id }) => vm_context_id);
  }

  private watch(): void {
    if (document.hidden || !this.isLoaded || !stream.isLive) return;
    for (const context of this.inSight) this.changed.add(context);
    this.schedule();
  }

  private note(entries: Entry[]): void {
    for (const { job_id, vm_context_id } of entries) if (job_id && vm_context_id) this.changed.add(vm_context_id);
    this.schedule();
  }

  private schedule(): void {
    if (!this.changed.size || this.timer !== undefined) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (this.reading) this.schedule();
      else void this.refresh();
    }, PAUSE);
  }

  private async refresh(): Promise<void> {
    const seen = this.inSight.filter((context) => this.changed.has(context));
    const contexts = [...new Set([...seen, ...this.changed])].slice(0, CONTEXTS);
    for (const context of contexts) this.changed.delete(context);
    await this.read(async (signal) => {
      const found = await pagesOf({ vm_context_id: contexts }, signal);
      this.all = new Map([...this.all, ...byId(found)]);
    });
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
      this.retrying = setTimeout(() => void this.load(), RETRY);
      this.error = asApiError(failed);
    } finally {
      if (this.reading === reading) this.reading = null;
      this.schedule();
    }
  }
}

let kept: { token: string | null; jobs: Jobs } | null = null;

/** Return the jobs as they were left, so that a return to the list finds it as it was. Not those of another token. */
export function jobsOfSession(): Jobs {
  if (kept?.token !== session.token || !kept) kept = { token: session.token, jobs: new Jobs() };
  return kept.jobs;
}

async function pagesOf(
  filter: { vm_context_id?: string[] },
  signal: AbortSignal,
  each: (jobs: Job[]) => void = () => undefined,
): Promise<Job[]> {
  const jobs: Job[] = [];
  let cursor: string | null | undefined;
  do {
    const { data } = await get('/api/v1/jobs', { query: { ...filter, limit: PAGE, cursor }, signal });
    jobs.push(...data.items);
    each(jobs);
    cursor = data.next_cursor;
  } while (cursor);
  return jobs;
}

function byId(jobs: Job[]): Map<string, Job> {
  return new Map(jobs.map((job) => [job.job_id, job]));
}
