/** An answer that is read again and again. The last one stays when a later one fails, with the time of which it is. */
import type { ApiError } from '../../lib/api/problem';
import { clock } from '../../lib/clock.svelte';
import { Reading } from '../../lib/reading.svelte';

export class Polled<T> {
  last = $state.raw<T | null>(null);
  /** When `last` came, by the service's clock, in milliseconds. */
  at = $state(0);
  private readonly reading = new Reading(() => void this.load());

  constructor(private readonly ask: (signal: AbortSignal) => Promise<T>) {}

  get error(): ApiError | null {
    return this.reading.error;
  }

  /** Read, unless a reading runs: one that is given up each time would never end, and never fail. */
  async load(): Promise<void> {
    if (this.reading.isRunning) return;
    await this.reading.read(this.ask, (answer) => {
      this.last = answer;
      this.at = clock.now;
    });
  }

  stop(): void {
    this.reading.stop();
  }
}
