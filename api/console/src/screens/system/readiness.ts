/** Whether the instance is ready, in words. */
import type { Schemas } from '../../lib/api/client';
import type { ApiError } from '../../lib/api/problem';
import { shortTime } from '../../lib/time';
import { EVERY } from './samples';

type Readiness = Schemas['Readiness'];

/** An answer that is older is not of now, in milliseconds: the service has not answered the last questions. */
const OLD = 3 * EVERY * 1000;

/** What was last read about the readiness, when, and why it could not be read again. */
export interface Known {
  last: Readiness | null;
  at: number;
  error: ApiError | null;
}

export function complaintsOf(readiness: Readiness | null): string[] {
  return [...(readiness?.why ?? []), ...(readiness?.degraded ?? [])];
}

/** Return `Ready`, or what is wrong; with the time if that is not of now. */
export function readinessInWords({ last, at, error }: Known, now: number): string {
  if (!last) return 'Not known';
  const state = !last.ready ? 'Not ready' : complaintsOf(last).length ? 'Ready, with restrictions' : 'Ready';
  return error || now - at > OLD ? `${state}, as of ${shortTime(at, now)}` : state;
}
