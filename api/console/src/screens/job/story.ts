/** Why a job is as it is, in words. */
import type { Entry } from '../../lib/stream/stream.svelte';
import type { Job } from '../jobs/figures';

const DECISIONS = ['RecoveryDecided', 'OperatorDecided', 'OutcomeRevised', 'OutcomeConfirmed', 'OutcomeContradicted'];

export interface Ending {
  what: string;
  why: string;
  /** How sure it is. */
  basis: string;
}

/** Return how a job ended; null while it is open. */
export function endingOf({ ended, state }: Job): Ending | null {
  if (!ended) return null;
  const by = ended.who ? `by ${ended.who}` : ended.rule ? `by the rule ${ended.rule}` : 'by a report';
  return { what: `${state === 'completed' ? 'Completed' : 'Failed'} ${by}`, why: ended.why, basis: basisOf(ended.basis) };
}

/** Return the position of the newest decision; null without one. */
export function lastDecisionAt(entries: readonly Entry[]): number | null {
  return entries.findLast(({ type }) => DECISIONS.includes(type))?.position ?? null;
}

function basisOf(basis: string | null): string {
  if (basis === 'inferred') return 'Inferred: a conclusion, not a statement of the VMA. It can still be corrected.';
  return basis === 'observed' ? 'Observed: the VMA or its worker said so.' : 'Decided by a person.';
}
