/** The course of a job for the plot: what was observed of it, and when nothing was. */
import type { Entry } from '../../lib/stream/stream.svelte';
import { millis } from '../../lib/time';
import { CONCLUSIVE } from '../jobs/figures';
import { count, number, record, records, text } from './data';

/** A job that is polled has an event at least every minute; more than this without one is a gap, in seconds. */
export const LONGEST_PAUSE = 150;

const RESTARTS = ['restart', 'takeover'];

export interface Gap {
  /** In seconds since 1970. */
  from: number;
  to: number;
  /** `restart`: this service was away. `unseen`: no answer said how the job is. */
  kind: 'restart' | 'unseen';
}

export interface Course {
  /** In seconds since 1970; a point without values breaks the lines at each gap. */
  times: number[];
  percent: (number | null)[];
  /** Bytes per second since the observation before. */
  rate: (number | null)[];
  disks: Map<string, (number | null)[]>;
  gaps: Gap[];
}

interface Seen {
  at: number;
  percent: number | null;
  bytes: number | bigint | null;
  disks: Map<string, number | null>;
}

/** Return the course by a job's events, oldest first. `until`: the present, in seconds, for a job that is still open. */
export function courseOf(entries: readonly Entry[], until: number | null): Course {
  const drawing = new Drawing();
  for (const entry of entries) drawing.take(entry);
  return drawing.end(until);
}

class Drawing {
  private readonly course: Course = { times: [], percent: [], rate: [], disks: new Map(), gaps: [] };
  private last: Seen | null = null;
  private isBlind = false;
  private isRestarted = false;

  take(entry: Entry): void {
    if (entry.type === 'RecoveryStarted' && RESTARTS.includes(text(entry.data.cause) ?? '')) this.isRestarted = true;
    const observation = record(entry.data.observation);
    const at = text(observation?.observed_at);
    if (!observation || !at) return;
    if (!CONCLUSIVE.includes(text(observation.status) ?? '')) this.isBlind = true;
    else this.see({ at: millis(at) / 1000, percent: number(observation.progress_percent),
      bytes: count(observation.bytes_transferred), disks: disksOf(observation) });
  }

  end(until: number | null): Course {
    if (until !== null && this.last && this.isGapUntil(until)) this.addGap(this.last.at, until);
    return this.course;
  }

  private see(now: Seen): void {
    const before = this.last;
    // The machine's clock may have been set back: a plot needs times that grow.
    if (before && now.at <= before.at) return;
    const isGap = before !== null && this.isGapUntil(now.at);
    if (before && isGap) this.addGap(before.at, now.at);
    this.add(now.at, now.percent, before && !isGap ? rateBetween(before, now) : null, now.disks);
    this.last = now;
    this.isBlind = this.isRestarted = false;
  }

  private isGapUntil(at: number): boolean {
    return this.isBlind || this.isRestarted || at - (this.last?.at ?? at) > LONGEST_PAUSE;
  }

  private addGap(from: number, to: number): void {
    if (to <= from) return;
    this.course.gaps.push({ from, to, kind: this.isRestarted ? 'restart' : 'unseen' });
    this.add((from + to) / 2, null, null, new Map());
  }

  private add(at: number, percent: number | null, rate: number | null, disks: Map<string, number | null>): void {
    const { times, percent: percents, rate: rates, disks: lines } = this.course;
    for (const name of disks.keys()) if (!lines.has(name)) lines.set(name, times.map(() => null));
    times.push(at);
    percents.push(percent);
    rates.push(rate);
    for (const [name, line] of lines) line.push(disks.get(name) ?? null);
  }
}

function disksOf(observation: Record<string, unknown>): Map<string, number | null> {
  return new Map(records(observation.disks).map((disk) => [text(disk.volume_id) ?? '', number(disk.progress_percent)]));
}

/** Return the mean rate between two observations; null if bytes are missing, or fell as those of another worker. */
function rateBetween(before: Seen, now: Seen): number | null {
  if (before.bytes === null || now.bytes === null) return null;
  const grown = Number(BigInt(now.bytes) - BigInt(before.bytes));
  return grown < 0 ? null : grown / (now.at - before.at);
}
