/** What was, at each of a job's events: the state, what the event changed, and its causes. Read when it is looked at. */
import { get, type Schemas } from '../../lib/api/client';
import { asApiError, type ApiError } from '../../lib/api/problem';
import type { Entry } from '../../lib/stream/stream.svelte';
import type { Job } from '../jobs/figures';
import { changesOf, type Change } from './changes';

/** While the scrubber is moved, the moments that it passes are not asked for, in milliseconds. */
const PAUSE = 80;
/** Moments that are kept. The past does not change. */
const KEPT = 200;

export interface Moment {
  entry: Entry;
  /** The job after the event; null before its registration. */
  state: Job | null;
  /** Null for the first event, which has nothing before it. */
  changes: Change[] | null;
  /** The event and its causes, back to the origin. */
  chain: Schemas['ChainView'];
}

export class Moments {
  /** The last one that was read: shown until the next has come, so that nothing jumps. */
  shown = $state.raw<Moment | null>(null);
  error = $state.raw<ApiError | null>(null);
  private readonly kept = new Map<number, Moment>();
  private reading: AbortController | null = null;

  constructor(private readonly jobId: string) {}

  /** Show the moment of an event. `before`: the event before it; `last`: the newest one, for what is known since. */
  choose(entry: Entry, before: Entry | null, last: Entry): () => void {
    this.reading?.abort();
    const reading = (this.reading = new AbortController());
    const kept = this.kept.get(entry.position);
    if (kept) this.shown = kept;
    const timer = setTimeout(() => void this.read(entry, before, last, reading.signal), kept ? 10 * PAUSE : PAUSE);
    return () => {
      clearTimeout(timer);
      reading.abort();
    };
  }

  /** Forget all: the log was replaced. */
  forget(): void {
    this.kept.clear();
  }

  private async read(entry: Entry, before: Entry | null, last: Entry, signal: AbortSignal): Promise<void> {
    try {
      const known = this.kept.get(entry.position);
      const [state, changes, chain] = await Promise.all([
        this.stateAt(entry.position, last.position, signal),
        known ? known.changes : this.changed(before, entry, signal),
        known ? known.chain : chainOf(entry.position, signal),
      ]);
      this.shown = { entry, state, changes, chain };
      this.error = null;
      this.keep(this.shown);
    } catch (failed) {
      if (!signal.aborted) this.error = asApiError(failed);
    }
  }

  private async stateAt(position: number, known: number, signal: AbortSignal): Promise<Job | null> {
    const query = { position, as_known: `position:${known}` };
    const asked = get('/api/v1/jobs/{job_id}', { path: { job_id: this.jobId }, query, signal });
    return asked.then(({ data }) => data, noneBeforeRegistration);
  }

  private async changed(before: Entry | null, entry: Entry, signal: AbortSignal): Promise<Change[] | null> {
    if (!before) return null;
    const query = { from: `position:${before.position}`, to: `position:${entry.position}` };
    const asked = get('/api/v1/jobs/{job_id}/diff', { path: { job_id: this.jobId }, query, signal });
    return asked.then(({ data }) => changesOf(data.changes), noneBeforeRegistration);
  }

  private keep(moment: Moment): void {
    this.kept.delete(moment.entry.position);
    this.kept.set(moment.entry.position, moment);
    const oldest = this.kept.keys().next().value;
    if (this.kept.size > KEPT && oldest !== undefined) this.kept.delete(oldest);
  }
}

async function chainOf(position: number, signal: AbortSignal): Promise<Schemas['ChainView']> {
  return (await get('/api/v1/audit/{position}/chain', { path: { position }, signal })).data;
}

function noneBeforeRegistration(error: unknown): null {
  if (asApiError(error).status !== 404) throw error;
  return null;
}
