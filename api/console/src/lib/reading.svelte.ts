/** Reads the API, one reading at a time: a newer one gives up the older, and a failure is shown and tried again. */
import { asApiError, type ApiError } from './api/problem';

/** Time from a failure to the next attempt, in milliseconds. */
export const RETRY = 3_000;
/** At least this time from one look at a reading that runs to the next, in milliseconds. */
const RUNNING = 100;

export class Reading {
  /** Why the last reading failed; null after one that did not. */
  error = $state.raw<ApiError | null>(null);
  /** How long the last reading took that was not given up, in milliseconds. */
  took = 0;
  private current: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `again` begins a reading: `later`, and some time after a failure, unless that is final: it would be the same again. */
  constructor(
    private readonly again: () => void,
    private readonly isFinal: (error: ApiError) => boolean = () => false,
  ) {}

  get isRunning(): boolean {
    return this.current !== null;
  }

  /** Whether a reading is to come: after a failure, or `later`. */
  get isWaiting(): boolean {
    return this.timer !== undefined;
  }

  /**
   * Ask, and show the answer, unless a newer reading or `stop` came first: an older answer never replaces a newer one.
   * Returns false if it was given up.
   */
  async read<T>(ask: (signal: AbortSignal) => Promise<T>, show: (answer: T) => void): Promise<boolean> {
    this.stop();
    const reading = (this.current = new AbortController());
    const began = performance.now();
    try {
      const answer = await ask(reading.signal);
      if (reading.signal.aborted) return false;
      show(answer);
      this.error = null;
    } catch (failed) {
      if (reading.signal.aborted) return false;
      this.fail(asApiError(failed));
    } finally {
      if (this.current === reading) this.current = null;
    }
    this.took = performance.now() - began;
    return true;
  }

  /** Read again after a pause, once however often this is called. A reading that runs then ends before. */
  later(pause: number): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      if (this.isRunning) this.later(Math.max(pause, RUNNING));
      else this.again();
    }, pause);
  }

  /** Give up the reading and the next one, as a closed screen does. */
  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.current?.abort();
    this.current = null;
  }

  private fail(error: ApiError): void {
    this.error = error;
    if (!this.isFinal(error)) this.later(RETRY);
  }
}
