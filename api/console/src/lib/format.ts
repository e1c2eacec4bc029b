/** Figures for reading. Counts of bytes may be bigint: above 2^53 a number would be rounded. */

export type Count = number | bigint;

/** What is shown for a figure that is not known. */
export const NONE = '–';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB'] as const;
const GROUPS = /\B(?=(\d{3})+(?!\d))/g;

/** Return `1.5 GiB`: three digits, cut off, so that 99.99 % never reads as all. */
export function bytes(count: Count | null | undefined): string {
  if (count === null || count === undefined) return NONE;
  const whole = toBigInt(count);
  const unit = Math.min(Math.max(0, Math.floor((whole.toString(2).length - 1) / 10)), UNITS.length - 1);
  if (unit === 0) return `${whole} B`;
  const hundredths = (whole * 100n) >> BigInt(10 * unit);
  return `${threeDigits(Number(hundredths) / 100)} ${UNITS[unit]}`;
}

/** Return every digit: `9 007 199 254 740 993`, with narrow spaces. */
export function exact(count: Count | null | undefined): string {
  return count === null || count === undefined ? NONE : String(count).replace(GROUPS, '\u202f');
}

export function rate(bytesPerSecond: Count | null | undefined): string {
  return bytesPerSecond === null || bytesPerSecond === undefined ? NONE : `${bytes(bytesPerSecond)}/s`;
}

/** Return `42.5 %`, cut off: only a finished job has 100 %. */
export function percent(value: number | null | undefined): string {
  if (value === null || value === undefined) return NONE;
  // 33.3 * 10 is 332.99…: a part in a million corrects what binary fractions lose.
  return `${Math.floor(value * 10 + 1e-6) / 10} %`;
}

/** Return `3 d 4 h`, `2 h 5 min`, `3 min 20 s`, `12 s`: the two largest units. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return NONE;
  if (seconds > 0 && seconds < 10 && !Number.isInteger(seconds)) return `${seconds.toFixed(1)} s`;
  const whole = Math.max(0, Math.round(seconds));
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return '0 s';
  const shown = parts.slice(first, first + 2).filter(([count]) => count > 0);
  return shown.map(([count, unit]) => `${count} ${unit}`).join(' ');
}

/** Return the age of a time in words, by the given now. A time to come has the age 0. */
export function age(at: number, now: number): string {
  return duration(Math.floor(Math.max(0, now - at) / 1000));
}

/** Return `1 job`, `2 jobs`. */
export function counted(count: number, one: string, many: string = `${one}s`): string {
  return `${exact(count)} ${count === 1 ? one : many}`;
}

function toBigInt(count: Count): bigint {
  return typeof count === 'bigint' ? count : BigInt(Math.trunc(count));
}

function threeDigits(value: number): string {
  if (value >= 100) return String(Math.floor(value));
  return value >= 10 ? String(Math.floor(value * 10) / 10) : String(value);
}
