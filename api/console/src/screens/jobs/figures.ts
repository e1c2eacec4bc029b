/** The newest figures of a job: those of the last poll where it is polled, otherwise those of its last event. */
import type { Schemas } from '../../lib/api/client';
import { duration } from '../../lib/format';
import { compareTimes } from '../../lib/time';

export type Job = Schemas['JobView'];

/** The statuses that say how a job is; after any other answer, nothing is known about it. */
export const CONCLUSIVE: readonly string[] = ['running', 'completed', 'failed'];

export function progressOf(job: Job): number {
  return job.live?.progress_percent ?? job.progress_percent;
}

export function bytesOf(job: Job): number | bigint | null {
  return job.live?.bytes_transferred ?? job.bytes_transferred;
}

/** Return when the VMA last said how the job is. A poll is not recorded if it brought nothing new, but is contact. */
export function contactOf(job: Job): string | null {
  const polled = CONCLUSIVE.includes(job.live?.vma_status ?? '') ? (job.live?.polled_at ?? null) : null;
  if (!polled || !job.last_contact) return polled ?? job.last_contact;
  return compareTimes(polled, job.last_contact) > 0 ? polled : job.last_contact;
}

/** Return an estimated time in words, without a precision that it does not have. */
export function roughly(seconds: number): string {
  return duration(seconds < 90 ? seconds : Math.round(seconds / 60) * 60);
}

/** Return the last decision in a line. A job that has ended is not told by the decision before its end. */
export function decisionOf({ ended, decision }: Job): string | null {
  const last = ended ?? decision;
  if (!last) return null;
  const by = last.who ? `by ${last.who}` : (last.rule ?? 'by a report');
  return `${last.outcome}: ${by}${last.basis ? `, ${last.basis}` : ''}`;
}

/** Return why the job needs a person and what to do, as text; null if it does not. */
export function attentionOf(job: Job): string | null {
  return job.needs_attention ? job.attention.join(' · ') : null;
}
