/** The course of a job for the plot: what was observed of it, and when nothing was. */
import type { Entry } from '../../lib/stream/stream.svelte';
import { millis } from '../../lib/time';
import { CONCLUSIVE } from '../jobs/figures';
import { count, number, record, records, text, type Data } from './data';

/** A job that is polled has an event at least every minute; more than this without one is a gap, in seconds. */
export const LONGEST_PAUSE = 150;

const RESTARTS = ['restart', 'takeover'];

export interface Gap {
  /** In seconds since 1970. */
  from: number;
  to: number;
  /** `restart`: this service was away for a part of it, or for all. `unseen`: no answer said how the job is. */
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

/** Return the course by a job's events, oldest first. `until`: its end or, for an open job, the present, in seconds. */
export function courseOf(entries: readonly Entry[], until: number): Course {
  const drawing = new Drawing();
  for (const entry of entries) drawing.take(entry);
  return drawing.end(until);
}

class Drawing {
  private readonly course: Course = { times: [], percent: [], rate: [], disks: new Map(), gaps: [] };
  private last: Seen | null = null;
  /** Until when it is drawn what was known: the last sight, or the end of the last gap. */
  private edge = 0;
  private isBlind = false;

  take(entry: Entry): void {
    if (entry.type === 'RecoveryStarted' && RESTARTS.includes(text(entry.data.cause) ?? '')) {
      // A silence that began before is not recorded again: when this service ended within it is not known.
      this.addGap(millis(entry.recorded_at) / 1000, this.isBlind ? 'unseen' : 'restart');
    }
    const observation = record(entry.data.observation);
    const at = text(observation?.observed_at);
    if (!observation || !at) return;
    if (CONCLUSIVE.includes(text(observation.status) ?? '')) this.see(millis(at) / 1000, observation);
    else this.miss(millis(at) / 1000);
  }

  end(until: number): Course {
    if (!this.last || until <= this.last.at) return this.course;
    if (this.isBlind || until - this.edge > LONGEST_PAUSE) this.addGap(until, 'unseen');
    this.add(until, null, null, new Map());
    return this.course;
  }

  private see(at: number, observation: Data): void {
    const before = this.last;
    // The machine's clock may have been set back: a plot needs times that grow.
    if (before && at <= before.at) return;
    if (this.isBlind || (before && at - this.edge > LONGEST_PAUSE)) this.addGap(at, 'unseen');
    const isUnbroken = before !== null && this.edge === before.at;
    const now = { at, percent: number(observation.progress_percent), bytes: count(observation.bytes_transferred),
      disks: disksOf(observation) };
    // A point without values breaks the lines.
    if (before && !isUnbroken) this.add((before.at + at) / 2, null, null, new Map());
    this.add(at, now.percent, before && isUnbroken ? rateBetween(before, now) : null, now.disks);
    this.last = now;
    this.edge = at;
    this.isBlind = false;
  }

  private miss(at: number): void {
    this.addGap(at, 'unseen');
    this.isBlind = true;
  }

  private addGap(to: number, kind: Gap['kind']): void {
    const { gaps } = this.course;
    if (!this.last || to <= this.edge) return;
    const before = gaps.at(-1);
    if (before && before.kind === kind && before.to === this.edge) before.to = to;
    else gaps.push({ from: this.edge, to, kind });
    this.edge = to;
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

function disksOf(observation: Data): Map<string, number | null> {
  return new Map(records(observation.disks).map((disk) => [text(disk.volume_id) ?? '', number(disk.progress_percent)]));
}

/** Return the mean rate between two observations; null if bytes are missing, or fell as those of another worker. */
function rateBetween(before: Seen, now: Seen): number | null {
  if (before.bytes === null || now.bytes === null) return null;
  const grown = Number(BigInt(now.bytes) - BigInt(before.bytes));
  return grown < 0 ? null : grown / (now.at - before.at);
}
