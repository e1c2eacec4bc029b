/** A run of the service, read as its export, and read again while it goes on. */
import { fetchRaw, get } from '../../lib/api/client';
import { ApiError } from '../../lib/api/problem';
import { Reading } from '../../lib/reading.svelte';
import { stream } from '../../lib/stream/stream.svelte';
import { FileProblem } from './fields';
import type { Replay } from './replay';
import { readRun } from './runFile';
import { inTurn } from './turns';

/** At least this time between two readings, in milliseconds, and never more than a fifth of the time spent reading. */
const PAUSE = 1_000;

/** What the service says about its own decisions, made again from their evidence. */
export interface Verdict {
  decisions: number;
  different: number;
}

export class RunSource {
  replay = $state.raw<Replay | null>(null);
  verdict = $state.raw<Verdict | null>(null);
  /** The part of the run that is read: a large one takes seconds. */
  share = $state(0);
  private readonly reading = new Reading(() => void this.load(), isFinal);

  constructor(private readonly id: string) {}

  get error(): ApiError | null {
    return this.reading.error;
  }

  /** Load the run, and keep it current. Returns a function that ends it. */
  start(): () => void {
    const end = stream.subscribe({
      events: (entries) => entries.some((entry) => entry.run_id === this.id) && this.reading.later(this.pause),
      gap: (mayBeReplaced) => (mayBeReplaced || this.replay?.run.status !== 'finished') && this.reading.later(this.pause),
    });
    void this.load();
    return () => {
      end();
      this.reading.stop();
    };
  }

  async load(): Promise<void> {
    await this.reading.read(
      (signal) => this.ask(signal).catch(told),
      (verdict) => (this.verdict = verdict),
    );
    // Not in the event log, perhaps since it was restored from a backup.
    if (this.error?.status === 404) this.replay = this.verdict = null;
  }

  /** Show the run as soon as it is read, and return the verdict, which takes as long again. */
  private async ask(signal: AbortSignal): Promise<Verdict> {
    const path = { run_id: this.id };
    const replay = await inTurn(signal, async () => {
      const { body } = await fetchRaw('/api/v1/recovery-runs/{run_id}/export', { path, signal });
      if (!body) throw new FileProblem('the answer is empty');
      return readRun(body, (share) => (this.share = share));
    });
    signal.throwIfAborted();
    this.replay = replay;
    const { data } = await inTurn(signal, () =>
      get('/api/v1/recovery-runs/{run_id}/replay', { path, query: { limit: 1 }, signal }),
    );
    return { decisions: data.decisions, different: data.different.length };
  }

  private get pause(): number {
    return Math.max(PAUSE, 5 * this.reading.took);
  }
}

function told(error: unknown): never {
  if (!(error instanceof FileProblem)) throw error;
  throw new ApiError(0, 'The run could not be read', error.message);
}

function isFinal({ status }: ApiError): boolean {
  return status !== 0 && status !== 429 && status < 500;
}
