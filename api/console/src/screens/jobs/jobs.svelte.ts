/** All jobs, kept current: an event names a job that has changed, and changed jobs are read again in batches. */
import { get, type Schemas } from '../../lib/api/client';
import { asApiError, type ApiError } from '../../lib/api/problem';
import { stream, type Entry } from '../../lib/stream/stream.svelte';

export type Job = Schemas['JobView'];

const PAGE = 1000;
/** The API takes as many values of one filter. */
const CONTEXTS = 50;
/** At most one batch in this time, in milliseconds, however many events arrive. */
const PAUSE = 500;
/** Time until everything is read again after a failure, which may have lost changes, in milliseconds. */
const RETRY = 3_000;

export class Jobs {
  /** By id; replaced, never changed in place, so that one assignment draws the list. */
  all = $state.raw<ReadonlyMap<string, Job>>(new Map());
  isLoaded = $state(false);
  error = $state.raw<ApiError | null>(null);
  /** VM contexts whose jobs have changed. */
  private changed = new Set<string>();
  private reading: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private retrying: ReturnType<typeof setTimeout> | undefined;

  /** Load the jobs, and keep them current. Returns a function that ends it. */
  start(): () => void {
    const end = stream.subscribe({ events: (entries) => this.note(entries), gap: () => void this.load() });
    void this.load();
    return () => {
      end();
      clearTimeout(this.timer);
      this.reading?.abort();
      clearTimeout(this.retrying);
    };
  }

  /** Read all jobs. A load that runs is given up for this one. */
  async load(): Promise<void> {
    await this.read(async (signal) => {
      this.changed.clear();
      this.all = byId(await pagesOf({}, signal));
      this.isLoaded = true;
    });
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
    const contexts = [...this.changed].slice(0, CONTEXTS);
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

async function pagesOf(filter: { vm_context_id?: string[] }, signal: AbortSignal): Promise<Job[]> {
  const jobs: Job[] = [];
  let cursor: string | null | undefined;
  do {
    const { data } = await get('/api/v1/jobs', { query: { ...filter, limit: PAGE, cursor }, signal });
    jobs.push(...data.items);
    cursor = data.next_cursor;
  } while (cursor);
  return jobs;
}

function byId(jobs: Job[]): Map<string, Job> {
  return new Map(jobs.map((job) => [job.job_id, job]));
}
