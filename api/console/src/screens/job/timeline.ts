/** Events in words, for the timeline. The words are of the event's own fields: nothing is inferred here. */
import { counted, percent } from '../../lib/format';
import type { Entry } from '../../lib/stream/stream.svelte';
import { fullTime } from '../../lib/time';
import { number, record, text } from './data';

export type Kind = 'seen' | 'silent' | 'recovery' | 'decision' | 'operator' | 'warning' | 'life';

export interface Told {
  kind: Kind;
  title: string;
  /** May come from outside, such as an operator's reason. */
  detail: string;
}

const CAUSES: Record<string, string> = {
  restart: 'the service was restarted',
  takeover: 'this instance took over',
  'contact-lost': 'contact with the VMA was lost',
  stale: 'the job had not been seen for long',
  'retry-due': 'a retry was due',
  operator: 'an operator asked for it',
};
const SEEN = ['running', 'completed', 'failed'];

export function told(entry: Entry): Told {
  const teller = TELLERS[entry.type];
  return teller ? teller(entry) : { kind: 'life', title: entry.type, detail: '' };
}

/** Return whether an event is more than an observation, so that it stands out among hundreds. */
export function isTurn(entry: Entry): boolean {
  return entry.type !== 'VMAStatusObserved';
}

const TELLERS: Record<string, (entry: Entry) => Told> = {
  JobRegistered: ({ data }) => ({ kind: 'life', title: 'Registered',
    detail: `${counted((data.volume_ids as unknown[] | undefined)?.length ?? 0, 'disk')} on the VMA ${text(data.vma) ?? '?'}` }),
  JobAdmitted: () => ({ kind: 'life', title: 'Admitted', detail: 'the active job of its VM' }),
  JobReleased: () => ({ kind: 'life', title: 'Released', detail: 'its VM is free for another job' }),
  VMAStatusObserved: observed,
  RecoveryStarted: ({ data }) => ({ kind: 'recovery', title: 'Recovery began',
    detail: CAUSES[text(data.cause) ?? ''] ?? text(data.cause) ?? '' }),
  RecoveryRunStarted: ({ data }) => ({ kind: 'recovery', title: 'Recovery run began',
    detail: CAUSES[text(data.cause) ?? ''] ?? text(data.cause) ?? '' }),
  RecoveryDecided: ({ data, rule, outcome, basis }) => ({ kind: 'decision',
    title: `Decided: ${outcome}`, detail: `${rule}${basis ? `, ${basis}` : ''}: ${text(data.reason) ?? ''}` }),
  OperatorDecided: ({ data, outcome }) => ({ kind: 'operator', title: `${text(data.who) ?? 'An operator'}: ${outcome}`,
    detail: text(data.why) ?? '' }),
  OutcomeConfirmed: ({ data }) => ({ kind: 'decision', title: 'Outcome confirmed', detail: text(data.reason) ?? '' }),
  OutcomeRevised: ({ data }) => ({ kind: 'decision', title: 'Outcome revised', detail: text(data.reason) ?? '' }),
  OutcomeContradicted: ({ data }) => ({ kind: 'warning', title: 'Outcome contradicted', detail: text(data.reason) ?? '' }),
  JobStalled: ({ data }) => ({ kind: 'warning', title: 'Stalled',
    detail: `nothing has moved since ${fullTime(text(data.since) ?? '')}` }),
  JobMovedAgain: ({ data }) => ({ kind: 'life', title: 'Moves again', detail: percent(number(data.progress_percent)) }),
};

function observed({ data }: Entry): Told {
  const observation = record(data.observation);
  const status = text(observation?.status) ?? '?';
  const source = text(observation?.said_by) ?? 'VMA';
  const figures = [number(observation?.progress_percent), text(observation?.phase), text(observation?.error)];
  return {
    kind: SEEN.includes(status) ? 'seen' : 'silent',
    title: `${source === 'VMA' ? 'VMA' : 'Worker'}: ${status.replace('_', ' ')}`,
    detail: figures.map((one) => (typeof one === 'number' ? percent(one) : one)).filter(Boolean).join(', '),
  };
}
