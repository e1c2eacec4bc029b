/** What changed of a job, field by field: a change inside of a disk is shown as that, not as two lists. */
import type { Schemas } from '../../lib/api/client';
import { record, records, text } from './data';

export interface Change {
  path: string;
  before: unknown;
  after: unknown;
}

export function changesOf(changes: readonly Schemas['FieldChange'][]): Change[] {
  return changes.flatMap(({ field, before, after }) => apart(field, before, after));
}

function apart(path: string, before: unknown, after: unknown): Change[] {
  const [was, is] = [partsOf(before, after), partsOf(after, before)];
  if (!was || !is) return same(before, after) ? [] : [{ path, before, after }];
  const names = new Set([...Object.keys(was), ...Object.keys(is)]);
  return [...names].flatMap((name) => apart(`${path}.${name}`, was[name] ?? null, is[name] ?? null));
}

/** Return the parts of a value by name; none of what was or is missing beside something that has parts. */
function partsOf(value: unknown, other: unknown): Record<string, unknown> | null {
  return byName(value) ?? (isEmpty(value) && byName(other) ? {} : null);
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0);
}

/** Return the parts of a value by name; null if it has none. Disks are named by their volume. */
function byName(value: unknown): Record<string, unknown> | null {
  const disks = records(value);
  if (!disks.length) return record(value);
  const names = disks.map((disk) => text(disk.volume_id));
  if (names.includes(null)) return null;
  return Object.fromEntries(disks.map(({ volume_id: _, ...others }, at) => [names[at], others]));
}

function same(before: unknown, after: unknown): boolean {
  return before === after || textOf(before) === textOf(after);
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? `${one}n` : one)) ?? '';
}
