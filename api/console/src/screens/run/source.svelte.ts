/** A run of the service, read as its export, and read again while it goes on. */
import { fetchRaw, get } from '../../lib/api/client';
import { ApiError, asApiError } from '../../lib/api/problem';
import { stream } from '../../lib/stream/stream.svelte';
import { FileProblem } from './fields';
import type { Replay } from './replay';
import { readRun } from './runFile';
import { inTurn } from './turns';

/** At least this time between two readings, in milliseconds, and never more than a fifth of the time spent reading. */
const PAUSE = 1_000;
const RETRY = 3_000;

/** What the service says about its own decisions, made again from their evidence. */
export interface Verdict {
  decisions: number;
  different: number;
}

export class RunSource {
  replay = $state.raw<Replay | null>(null);
  verdict = $state.raw<Verdict | null>(null);
  error = $state.raw<ApiError | null>(null);
  /** The part of the run that is read: a large one takes seconds. */
  share = $state(0);
  private reading: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private took = 0;

  constructor(private readonly id: string) {}

  /** Load the run, and keep it current. Returns a function that ends it. */
  start(): () => void {
    const end = stream.subscribe({
      events: (entries) => entries.some((entry) => entry.run_id === this.id) && this.later(this.pause),
      gap: () => this.replay?.run.status !== 'finished' && this.later(this.pause),
    });
    void this.load();
    return () => {
      end();
      clearTimeout(this.timer);
      this.reading?.abort();
      this.reading = null;
    };
  }

  async load(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.reading?.abort();
    const reading = (this.reading = new AbortController());
    const began = performance.now();
    try {
      await this.read(reading.signal);
      this.error = null;
    } catch (failed) {
      if (!reading.signal.aborted) this.failed(failed);
    } finally {
      this.took = performance.now() - began;
      if (this.reading === reading) this.reading = null;
    }
  }

  private async read(signal: AbortSignal): Promise<void> {
    const path = { run_id: this.id };
    this.replay = await inTurn(signal, async () => {
      const { body } = await fetchRaw('/api/v1/recovery-runs/{run_id}/export', { path, signal });
      if (!body) throw new FileProblem('the answer is empty');
      return readRun(body, (share) => (this.share = share));
    });
    const { data } = await inTurn(signal, () =>
      get('/api/v1/recovery-runs/{run_id}/replay', { path, query: { limit: 1 }, signal }),
    );
    this.verdict = { decisions: data.decisions, different: data.different.length };
  }

  private get pause(): number {
    return Math.max(PAUSE, 5 * this.took);
  }

  private later(pause: number): void {
    this.timer ??= setTimeout(() => void this.load(), pause);
  }

  private failed(error: unknown): void {
    // A connection that breaks within an answer is a TypeError of its body's reader.
    const isCut = error instanceof FileProblem || error instanceof TypeError;
    this.error = isCut ? new ApiError(0, 'The run could not be read', error.message) : asApiError(error);
    if (this.error.status === 0 || this.error.status === 429 || this.error.status >= 500) this.later(RETRY);
  }
}
