/**
 * Times of the API: ISO 8601 in UTC with microseconds. A `Date` has milliseconds: the text is kept, and never rebuilt
 * from a `Date`. Shown in the viewer's zone, with UTC at hand.
 */

const FRACTION = /\.(\d+)/;
const DATE_AND_TIME: Intl.DateTimeFormatOptions = {
  year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
  hourCycle: 'h23', timeZoneName: 'short',
};
const formats = new Map<string, Intl.DateTimeFormat>();

export function viewersZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

export function millis(iso: string): number {
  return Date.parse(iso);
}

/** Return the fraction of a second as six digits: `000000` if the text has none. */
export function micros(iso: string): string {
  return (FRACTION.exec(iso)?.[1] ?? '').slice(0, 6).padEnd(6, '0');
}

/** Compare two times to the microsecond, for sorting. */
export function compareTimes(a: string, b: string): number {
  return Math.floor(millis(a) / 1000) - Math.floor(millis(b) / 1000) || Number(micros(a)) - Number(micros(b));
}

/** Return `14:03:12` of today, and with the date if it is another day. */
export function shortTime(at: number, now: number, zone: string = viewersZone()): string {
  const parts = partsOf(at, zone);
  const isToday = dateOf(parts) === dateOf(partsOf(now, zone));
  return isToday ? timeOf(parts) : `${dateOf(parts)} ${timeOf(parts)}`;
}

/** Return a time for an axis whose labels are `step` seconds apart: `14:03:12`, `14:03`, or the date. */
export function timeOfDay(at: number, step: number, zone: string = viewersZone()): string {
  const parts = partsOf(at, zone);
  if (step >= 86_400) return dateOf(parts);
  return step >= 60 ? timeOf(parts).slice(0, 5) : timeOf(parts);
}

/** Return `2026-10-25 02:30:00 CET`. The zone's name tells the two hours apart when winter time begins. */
export function fullTime(iso: string, zone: string = viewersZone()): string {
  const parts = partsOf(millis(iso), zone);
  return `${dateOf(parts)} ${timeOf(parts)} ${parts.timeZoneName ?? ''}`;
}

/** Return `2026-10-25 02:30:00.123456 CET`. */
export function exactTime(iso: string, zone: string = viewersZone()): string {
  const parts = partsOf(millis(iso), zone);
  return `${dateOf(parts)} ${timeOf(parts)}.${micros(iso)} ${parts.timeZoneName ?? ''}`;
}

function partsOf(at: number, zone: string): Partial<Record<Intl.DateTimeFormatPartTypes, string>> {
  const parts = formatOf(zone).formatToParts(at);
  return Object.fromEntries(parts.map((part) => [part.type, part.value]));
}

function dateOf({ year, month, day }: Partial<Record<Intl.DateTimeFormatPartTypes, string>>): string {
  return `${year}-${month}-${day}`;
}

function timeOf({ hour, minute, second }: Partial<Record<Intl.DateTimeFormatPartTypes, string>>): string {
  return `${hour}:${minute}:${second}`;
}

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    // British English names the European zones, which American English writes as GMT+1.
    format = new Intl.DateTimeFormat('en-GB', { ...DATE_AND_TIME, timeZone: zone });
    formats.set(zone, format);
  }
  return format;
}
