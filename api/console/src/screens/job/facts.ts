/** Names and values of the API in words. Names that are not listed are shown as they are. */
import { bytes, duration, exact, NONE, percent } from '../../lib/format';

/** Names that the log keeps from earlier versions, and such as read badly. */
const NAMES: Record<string, string> = {
  held_for: 'same answer for',
  unheard_for: 'nothing conclusive for',
  speaks_for: 'disks covered by the progress',
  progress_speaks_for: 'disks covered by the progress',
  covered: 'disks covered by the completion',
  belied_at: 'contradicted by a progress of',
  said_by: 'source',
  left_over: 'readings of earlier jobs',
  took_ms: 'took',
  latency_ms: 'latency',
  vma: 'VMA',
  vma_status: 'VMA status',
  vm_name: 'VM',
  http_status: 'HTTP status',
  contact_age: 'without contact for',
  error: 'error',
};
const SECONDS = [
  'held_for', 'unheard_for', 'contact_age', 'retry_in', 'stalled_for', 'unreachable_timeout', 'unreachable_grace',
  'startup_grace', 'confirmation_window', 'completion_window', 'attention_after',
];
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$/;

export function nameOf(key: string): string {
  // A document of the VMA may have any name in it, also one that every object has.
  return (Object.hasOwn(NAMES, key) && NAMES[key]) || key.replaceAll('_', ' ');
}

/** Return a path such as `disks.vol-1.progress_percent` in words. */
export function pathInWords(path: string): string {
  return path.split('.').map(nameOf).join(' › ');
}

export function isTime(value: unknown): value is string {
  return typeof value === 'string' && TIME.test(value);
}

/** Return the value of a field in words; with its unit, which is in its name. */
export function valueOf(key: string, value: unknown): string {
  const name = key.split('.').at(-1) ?? key;
  if (value === null || value === undefined || value === '') return NONE;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number' || typeof value === 'bigint') return figure(name, value);
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value.join(', ') || NONE;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function figure(name: string, value: number | bigint): string {
  if (name.includes('bytes')) return `${bytes(value)} (${exact(value)})`;
  if (typeof value === 'bigint') return exact(value);
  if (name.endsWith('percent') || name === 'belied_at') return percent(value);
  if (name.endsWith('_ms')) return `${value} ms`;
  if (SECONDS.includes(name)) return duration(value > 0 && value < 0.1 ? 0 : value);
  return Number.isInteger(value) ? exact(value) : String(value);
}
