/** Reads the API, one reading at a time: a newer one gives up the older, and a failure is shown and tried again. */
import { asApiError, type ApiError } from './api/problem';

/** Time from a failure to the next attempt, in milliseconds. */
export const RETRY = 3_000;

export class Reading {
  /** Why the last reading failed; null after one that did not. */
  error = $state.raw<ApiError | null>(null);
  /** How long the last reading took that was not given up, in milliseconds. */
  took = 0;
  private current: AbortController | null = null;
  private retrying: ReturnType<typeof setTimeout> | undefined;

  /** `again` is called some time after a failure, unless that is final: it would be the same again. */
  constructor(
    private readonly again: () => void,
    private readonly isFinal: (error: ApiError) => boolean = () => false,
  ) {}

  get isRunning(): boolean {
    return this.current !== null;
  }

  /** Whether the next attempt after a failure is to come. */
  get isWaiting(): boolean {
    return this.retrying !== undefined;
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

  /** Give up the reading and the next attempt, as a closed screen does. */
  stop(): void {
    clearTimeout(this.retrying);
    this.retrying = undefined;
    this.current?.abort();
    this.current = null;
  }

  private fail(error: ApiError): void {
    this.error = error;
    if (!this.isFinal(error)) this.retrying = setTimeout(() => this.retry(), RETRY);
  }

  private retry(): void {
    this.retrying = undefined;
    this.again();
  }
}
