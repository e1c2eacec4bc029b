/** The service's clock. Ages go by it, because the browser's may be an hour off. */

/** Offsets below this are the resolution of the `Date` header and the travel of the answer, in milliseconds. */
const RESOLUTION = 2_000;
const WORTH_TELLING = 60_000;
const TICK = 1_000;

class Clock {
  /** The time now, by the service's clock, in milliseconds. Advances every second. */
  now = $state(Date.now());
  /** How far the browser's clock is behind the service's, in milliseconds. */
  offset = $state(0);
  private isTold = $state(false);

  /** Whether to tell the reader that the browser's clock is wrong: once a page. */
  get isToBeTold(): boolean {
    return !this.isTold && Math.abs(this.offset) > WORTH_TELLING;
  }

  told(): void {
    this.isTold = true;
  }

  /** Take the time from an answer's `Date` header, which was written between `sent` and `received`. */
  heard(date: string | null, sent: number, received: number): void {
    const written = date ? Date.parse(date) : NaN;
    if (Number.isNaN(written)) return;
    // The header's second is cut off: on average half a second more has passed.
    const offset = written + 500 - (sent + received) / 2;
    const tolerance = RESOLUTION + (received - sent) / 2;
    if (Math.abs(offset - this.offset) > tolerance) this.offset = Math.abs(offset) > tolerance ? offset : 0;
    this.now = received + this.offset;
  }

  /** Let `now` advance. Returns a function that ends it. */
  start(): () => void {
    const timer = setInterval(() => (this.now = Date.now() + this.offset), TICK);
    return () => clearInterval(timer);
  }
}

export const clock = new Clock();
