/** In which order, and how soon, changed jobs are read again. They are named by their VM contexts. */

/** The API takes as many values of one filter. */
export const BATCH = 50;
/** At most one reading in this time, in milliseconds, however many events arrive. */
const PAUSE = 500;
/** The same while more jobs wait than a batch has. */
const BUSY_PAUSE = 100;
/** A page of a thousand jobs costs the service as much as five batches: a job in it a quarter of one in a batch. */
const SHARE = 4;
const FEW = 5 * BATCH;

/** Return the wait before the next reading, in milliseconds. At most half of the time is spent reading. */
export function pauseBefore(waiting: number, took: number): number {
  return Math.max(waiting > BATCH ? BUSY_PAUSE : PAUSE, took);
}

/** Return whether to read all jobs instead of those that changed. */
export function isAllCheaper(waiting: number, all: number): boolean {
  return waiting > FEW && waiting * SHARE > all;
}

/** Return what to read next: those in sight first, then those that have waited longest. */
export function nextBatch(changed: ReadonlySet<string>, inSight: readonly string[]): string[] {
  const seen = inSight.filter((context) => changed.has(context));
  return [...new Set([...seen, ...changed])].slice(0, BATCH);
}
