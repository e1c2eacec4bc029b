/** The filters of the trail, in the address under the names that the API gives them: a link shows the same. */
import type { paths } from '../../lib/api/schema';
import { exactTime } from '../../lib/time';

export type Query = NonNullable<paths['/api/v1/audit']['get']['parameters']['query']>;

type Values<Name extends keyof Query> = NonNullable<Query[Name]> extends readonly (infer V extends string)[] ? V : never;

/** What may be chosen. Every value of the API must be named here, or the check of types fails. */
const CHOICES = {
  type: named<Values<'type'>>({
    JobRegistered: 0, JobAdmitted: 0, JobReleased: 0, VMAStatusObserved: 0, JobStalled: 0, JobMovedAgain: 0,
    RecoveryStarted: 0, RecoveryDecided: 0, OutcomeRevised: 0, OutcomeConfirmed: 0, OutcomeContradicted: 0,
    OperatorDecided: 0, RecoveryRunStarted: 0, RecoveryRunFinished: 0, RecoveryRunInterrupted: 0,
  }),
  rule: named<Values<'rule'>>({
    'still-running': 0, 'completed-while-away': 0, 'completion-unconfirmed': 0, 'failed-on-vma': 0, 'not-started-yet': 0,
    'never-seen': 0, 'vma-replaced': 0, 'vma-amnesia': 0, 'gone-near-end': 0, lost: 0, 'unreachable-recent': 0,
    'unreachable-too-long': 0, unanswered: 0, unintelligible: 0, 'not-asked': 0, 'outcome-revised': 0, operator: 0,
  }),
  outcome: named<Values<'outcome'>>({ resume: 0, complete: 0, fail: 0, retry: 0 }),
  basis: named<Values<'basis'>>({ observed: 0, inferred: 0 }),
  state: named<Values<'state'>>({ replicating: 0, recovering: 0, 'pending-retry': 0, completed: 0, failed: 0 }),
} as const;

const TEXTS = ['job_id', 'actor', 'run_id', 'vm_context_id', 'stream_id', 'correlation_id', 'causation_id'] as const;
const TIMES = ['from', 'to'] as const;

export type Choice = keyof typeof CHOICES;
export type Name = Choice | (typeof TEXTS)[number] | (typeof TIMES)[number];

export const LABELS: Record<Name, string> = {
  type: 'Event', rule: 'Rule', outcome: 'Outcome', basis: 'Basis', state: 'State', job_id: 'Job', actor: 'Who',
  run_id: 'Run', vm_context_id: 'VM context', stream_id: 'Stream', correlation_id: 'Request or run',
  causation_id: 'Cause', from: 'From', to: 'To',
};
export const CHOICE_NAMES = Object.keys(CHOICES) as Choice[];
const NAMES = Object.keys(LABELS) as Name[];

export function choicesOf(name: Choice): readonly string[] {
  return CHOICES[name];
}

/** Return the filters as the API takes them. It refuses values that it does not know, and says so. */
export function queryOf(address: URLSearchParams): Query {
  const found = NAMES.filter((name) => address.has(name)).map((name) => [name, isTime(name) ? address.get(name) : address.getAll(name)]);
  return Object.fromEntries(found) as Query;
}

/** Return every value that filters, in the order of the form. */
export function chosen(address: URLSearchParams): { name: Name; value: string }[] {
  return NAMES.flatMap((name) => address.getAll(name).map((value) => ({ name, value })));
}

/** Return the values of one filter with another, or without one of them; those of a time replace each other. */
export function added(address: URLSearchParams, name: Name, value: string): string[] {
  return isTime(name) ? [value] : [...new Set([...address.getAll(name), value])];
}

export function removed(address: URLSearchParams, name: Name, value: string): string[] {
  return address.getAll(name).filter((one) => one !== value);
}

/** Return the value for reading: a time in the viewer's zone. */
export function shown(name: Name, value: string): string {
  return isTime(name) && !Number.isNaN(Date.parse(value)) ? exactTime(value).replace(/\.0+ /, ' ') : value;
}

/** Return a time of an input, which has no zone and means the viewer's, as the API takes it; null if there is none. */
export function utc(local: string): string | null {
  const at = new Date(local);
  return local && !Number.isNaN(at.getTime()) ? at.toISOString() : null;
}

function named<V extends string>(values: Record<V, 0>): readonly V[] {
  return Object.keys(values) as V[];
}

function isTime(name: Name): name is 'from' | 'to' {
  return name === 'from' || name === 'to';
}
