/** Long answers, one after the other: the service gives each caller two at once, who may also have another tab. */
import { ApiError } from '../../lib/api/problem';

/** How often a busy service is asked again before the reader is told. */
const ATTEMPTS = 20;
const PAUSE = 500;

let last: Promise<unknown> = Promise.resolve();

/** Do the work when what was begun before has ended, and again while the service is busy. */
export function inTurn<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const done = last.then(() => whileBusy(signal, work));
  last = done.catch(() => undefined);
  return done;
}

async function whileBusy<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 429) || attempt === ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}
