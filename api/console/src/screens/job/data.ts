/** Reading of an event's data, whose fields depend on its type: what is missing or of another kind is null. */

export type Data = Record<string, unknown>;

export function record(value: unknown): Data | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Data) : null;
}

export function records(value: unknown): Data[] {
  return Array.isArray(value) ? value.map(record).filter((one) => one !== null) : [];
}

export function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** Return a number; a bigint, which is exact but of no use to a plot, as the nearest one. */
export function number(value: unknown): number | null {
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'number' ? value : null;
}

/** Return a count of bytes with every digit. */
export function count(value: unknown): number | bigint | null {
  return typeof value === 'bigint' || typeof value === 'number' ? value : null;
}
