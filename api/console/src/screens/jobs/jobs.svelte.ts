/** All jobs, kept current: an event names a job that has changed, and changed jobs are read again in batches. */
import { get } from '../../lib/api/client';
import type { ApiError } from '../../lib/api/problem';
import { Reading } from '../../lib/reading.svelte';
import { session } from '../../lib/session.svelte';
import { stream, type Entry } from '../../lib/stream/stream.svelte';
import { BATCH, isAllCheaper, nextBatch, pauseBefore } from './batches';
import type { Job } from './figures';

const PAGE = 1000;
/** How often the rows in sight are read: the poller's figures change without an event. In milliseconds. */
const LIVE = 5_000;

export class Jobs {
  /** By id; replaced, never changed in place, so that one assignment draws the list. */
  all = $state.raw<ReadonlyMap<string, Job>>(new Map());
  isLoaded = $state(false);
  /** Whether what is shown is of now; false while jobs of before are read again. */
  isCurrent = $state(false);
  /** The id of the selected job, which stays selected on a return to the list. */
  selected = $state<string | null>(null);
  /** VM contexts whose jobs have changed. */
  private changed = new Set<string>();
  /** VM contexts of the rows in sight: they are read before others. */
  private inSight: readonly string[] = [];
  private readonly reading = new Reading(() => void this.load());
  private timer: ReturnType<typeof setTimeout> | undefined;

  get error(): ApiError | null {
    return this.reading.error;
  }

  /** Load the jobs, and keep them current. Returns a function that ends it. */
  start(): () => void {
    const end = stream.subscribe({ events: (entries) => this.note(entries), gap: () => this.catchUp() });
    const watching = setInterval(() => this.watch(), LIVE);
    this.catchUp();
    return () => {
      end();
      clearInterval(watching);
      clearTimeout(this.timer);
      this.timer = undefined;
      this.reading.stop();
    };
  }

  /** Read all jobs. A reading that runs is given up for this one. The first shows each page as it comes. */
  async load(): Promise<void> {
    this.changed.clear();
    await this.read({}, (jobs) => {
      this.all = byId(jobs);
      this.isLoaded = this.isCurrent = true;
    });
  }

  /** Note which rows are in sight. */
  see(jobs: readonly Job[]): void {
    this.inSight = jobs.slice(0, BATCH).map(({ vm_context_id }) => vm_context_id);
  }

  /** Read all jobs, because events may have been missed. */
  private catchUp(): void {
    this.isCurrent = false;
    void this.load();
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
    // After a failure, the next attempt reads everything.
    if (!this.changed.size || this.timer !== undefined || this.reading.isRunning || this.error) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (!this.reading.isRunning) void this.refresh();
    }, pauseBefore(this.changed.size, this.reading.took));
  }

  private refresh(): Promise<void> {
    if (!this.isLoaded || isAllCheaper(this.changed.size, this.all.size)) return this.load();
    const contexts = nextBatch(this.changed, this.inSight);
    for (const context of contexts) this.changed.delete(context);
    return this.read({ vm_context_id: contexts }, (jobs) => (this.all = new Map([...this.all, ...byId(jobs)])));
  }

  private async read(filter: Filter, show: (jobs: Job[]) => void): Promise<void> {
    const each = (jobs: Job[]) => this.isLoaded || (this.all = byId(jobs));
    if (await this.reading.read((signal) => pagesOf(filter, signal, each), show)) this.schedule();
  }
}

interface Filter {
  vm_context_id?: string[];
}

let kept: { token: string | null; jobs: Jobs } | null = null;

/** Return the jobs as they were left, so that a return to the list finds it as it was. Not those of another token. */
export function jobsOfSession(): Jobs {
  if (kept?.token !== session.token || !kept) kept = { token: session.token, jobs: new Jobs() };
  return kept.jobs;
}

async function pagesOf(
  filter: Filter,
  signal: AbortSignal,
  each: (jobs: Job[]) => void,
): Promise<Job[]> {
  const jobs: Job[] = [];
  let cursor: string | null | undefined;
  do {
    const { data } = await get('/api/v1/jobs', { query: { ...filter, limit: PAGE, cursor }, signal });
    signal.throwIfAborted();
    jobs.push(...data.items);
    each(jobs);
    cursor = data.next_cursor;
  } while (cursor);
  return jobs;
}

function byId(jobs: Job[]): Map<string, Job> {
  return new Map(jobs.map((job) => [job.job_id, job]));
}
