/** The numbers of a policy that a decision depends on, as the reader sees and moves them. */
import { duration, NONE } from '../../lib/format';

export interface Threshold {
  name: keyof Numbers;
  label: string;
  /** The rules that it decides about. */
  about: string;
  unit: '%' | 's' | '';
  /** The values at which the slider stops, ascending. Any other can be typed. */
  stops: readonly number[];
  max: number;
}

/** As the API's query has them. `attention_after` is missing: no decision depends on it. */
export interface Numbers {
  complete_above_percent: number;
  unreachable_timeout: number;
  unreachable_grace: number;
  startup_grace: number;
  confirmation_window: number;
  confirmation_probes: number;
  completion_window: number;
  amnesia_share: number;
  amnesia_at_least: number;
}

export type Policy = Partial<Numbers>;

const HOUR = 3600;
const SECONDS = [0, 1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 120, 180, 300];
const MINUTES = [0, 10, 30, 60, 120, 180, 300, 600, 900, 1200, 1800, 2700, HOUR, 2 * HOUR, 4 * HOUR];
const HOURS = [...MINUTES, 8 * HOUR, 12 * HOUR, 24 * HOUR, 48 * HOUR];
const LONGEST = 1e9;

export const THRESHOLDS: readonly Threshold[] = [
  { name: 'complete_above_percent', label: 'Complete above', about: 'gone-near-end or lost', unit: '%', stops: upTo(100), max: 100 },
  { name: 'unreachable_timeout', label: 'Unreachable timeout', about: 'unreachable-too-long, vma-amnesia', unit: 's', stops: HOURS, max: LONGEST },
  { name: 'unreachable_grace', label: 'Unreachable grace', about: 'unreachable-too-long', unit: 's', stops: MINUTES, max: LONGEST },
  { name: 'confirmation_window', label: 'Confirmation window', about: 'gone-near-end, lost', unit: 's', stops: SECONDS, max: LONGEST },
  { name: 'confirmation_probes', label: 'Confirmation probes', about: 'gone-near-end, lost', unit: '', stops: upTo(20, 1), max: 1000 },
  { name: 'completion_window', label: 'Completion window', about: 'completed-while-away', unit: 's', stops: MINUTES, max: LONGEST },
  { name: 'startup_grace', label: 'Start-up grace', about: 'not-started-yet', unit: 's', stops: MINUTES, max: LONGEST },
  { name: 'amnesia_share', label: 'Amnesia share', about: 'vma-amnesia', unit: '', stops: upTo(20).map((step) => step / 20), max: 1 },
  { name: 'amnesia_at_least', label: 'Amnesia at least', about: 'vma-amnesia', unit: '', stops: upTo(50, 1), max: 1e9 },
];

/** Return `95 %`, `30 min`, `3`. */
export function inWords({ unit }: Threshold, value: number | undefined): string {
  if (value === undefined) return NONE;
  if (unit === 's') return duration(value);
  return unit ? `${value} ${unit}` : String(value);
}

/** Return the stops of a slider, with the given values among them, so that no thumb stands beside its value. */
export function stopsWith({ stops }: Threshold, ...values: (number | undefined)[]): number[] {
  const all = new Set([...stops, ...values.filter((value) => value !== undefined)]);
  return [...all].sort((a, b) => a - b);
}

/** Return the numbers in a query, such as `unreachable_timeout=600`; those with a prefix are of the first policy. */
export function policyIn(query: URLSearchParams, prefix = ''): Policy {
  const policy: Policy = {};
  for (const { name, max } of THRESHOLDS) {
    const text = query.get(prefix + name);
    const value = Number(text);
    if (text && Number.isFinite(value) && value >= 0 && value <= max) policy[name] = value;
  }
  return policy;
}

/** Return a policy as changes of a query; null removes a number. */
export function inQuery(policy: Policy, prefix = ''): Record<string, string | null> {
  return Object.fromEntries(THRESHOLDS.map(({ name }) => [prefix + name, policy[name]?.toString() ?? null]));
}

function upTo(end: number, start = 0): number[] {
  return Array.from({ length: end - start + 1 }, (_, at) => at + start);
}
