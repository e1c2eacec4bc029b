/** Fields of values that come from a file: each is checked, because anybody may have written the file. */

/** A file that is not what it should be. The message says where, and what to do. */
export class FileProblem extends Error {
  override readonly name = 'FileProblem';
}

export type Fields = Record<string, unknown>;

/** Return a value as an object; throw if it is none. */
export function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new FileProblem(`${what} is not an object`);
}

export function text(from: Fields, name: string): string {
  const value = from[name];
  if (typeof value === 'string') return value;
  throw new FileProblem(`${name} is not a text`);
}

export function number(from: Fields, name: string): number {
  const value = from[name];
  if (typeof value === 'number') return value;
  throw new FileProblem(`${name} is not a number`);
}

/** Return a field that may be missing, as in files of earlier versions. */
export function optional<T>(from: Fields, name: string, read: (from: Fields, name: string) => T): T | null {
  return from[name] === undefined || from[name] === null ? null : read(from, name);
}

export function list(from: Fields, name: string): unknown[] {
  const value = from[name];
  if (Array.isArray(value)) return value;
  throw new FileProblem(`${name} is not a list`);
}

export function inner(from: Fields, name: string): Fields {
  return fieldsOf(from[name], name);
}

/** Return a time, in ISO 8601. */
export function time(from: Fields, name: string): string {
  const value = text(from, name);
  if (Number.isNaN(Date.parse(value))) throw new FileProblem(`${name} is not a time`);
  return value;
}
