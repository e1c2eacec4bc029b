/**
 * A recovery run, folded from its events: what is drawn. Nothing is decided here, every decision is a recorded one.
 * Times are seconds from the start of the run; negative before it.
 */
import { micros, millis } from '../../lib/time';
import { type Fields, FileProblem, fieldsOf, inner, list, number, optional, text, time } from './fields';

export interface ProbeAnswer {
  askedId: string;
  status: string;
  httpStatus: number | null;
  latencyMs: number;
  detail: string | null;
}

/** One question to the VMA about a job. `at`: when its answer was recorded. */
export interface Probe {
  at: number;
  status: string;
  tookMs: number;
  progress: number | null;
  answers: ProbeAnswer[];
}

export interface Decision {
  at: number;
  outcome: string;
  rule: string;
  basis: string | null;
  reason: string;
  retryIn: number | null;
}

/** One job of the run. `lastSight`: the last recorded contact before the run; null if it is not recorded. */
export interface Lane {
  jobId: string;
  vma: string | null;
  stateBefore: string | null;
  lastSight: number | null;
  probes: Probe[];
  decision: Decision | null;
}

export interface Run {
  id: string;
  cause: string;
  instance: string;
  policy: Readonly<Record<string, number>>;
  policyHash: string;
  startedAt: string;
  status: 'running' | 'finished' | 'interrupted';
  endedAt: number | null;
  decidedIn: number | null;
  verifiedIn: number | null;
  resumed: number | null;
  polledAgain: number | null;
  settledElsewhere: number | null;
}

export interface Replay {
  run: Run;
  lanes: Lane[];
  /** Where its time axis ends. */
  end: number;
}

/** Return the seconds from one time to another, to the microsecond. */
export function secondsBetween(from: string, to: string): number {
  const whole = Math.floor(millis(to) / 1000) - Math.floor(millis(from) / 1000);
  return whole + (Number(micros(to)) - Number(micros(from))) / 1e6;
}

/** Takes the events of a run, in the order of the log. */
export class ReplayBuilder {
  private run: Run | null = null;
  private readonly lanes = new Map<string, Lane>();
  private last = 0;

  add(type: string, event: Fields): void {
    if (type === 'RecoveryRunStarted') return this.start(event);
    const run = this.run;
    if (!run) throw new FileProblem('these are not the events of a recovery run: its start is missing');
    const at = secondsBetween(run.startedAt, time(event, 'recorded_at'));
    const lane = this.lanes.get(text(event, 'originator_id'));
    if (type === 'RecoveryStarted') this.begin(event);
    else if (type === 'VMAStatusObserved' && lane) observe(lane, inner(event, 'observation'), at);
    else if (type === 'RecoveryDecided' && lane) decide(lane, event, at, run.startedAt);
    else if (type === 'RecoveryRunFinished') finish(run, event, at);
    else if (type === 'RecoveryRunInterrupted') Object.assign(run, { status: 'interrupted', endedAt: at });
    this.last = Math.max(this.last, at);
  }

  /** Return what was added so far. */
  build(): Replay {
    if (!this.run) throw new FileProblem('these are not the events of a recovery run: its start is missing');
    return { run: this.run, lanes: [...this.lanes.values()], end: Math.max(this.last, this.run.verifiedIn ?? 0, 0.001) };
  }

  private start(event: Fields): void {
    this.run = {
      id: text(event, 'originator_id'),
      cause: text(event, 'cause'),
      instance: text(event, 'instance'),
      policy: inner(event, 'policy') as Record<string, number>,
      policyHash: text(event, 'policy_hash'),
      startedAt: time(event, 'recorded_at'),
      status: 'running',
      endedAt: null,
      decidedIn: null,
      verifiedIn: null,
      resumed: null,
      polledAgain: null,
      settledElsewhere: null,
    };
    for (const id of list(event, 'job_ids')) this.lanes.set(String(id), emptyLane(String(id)));
  }

  private begin(event: Fields): void {
    const jobId = text(event, 'originator_id');
    this.lanes.set(jobId, { ...emptyLane(jobId), stateBefore: text(event, 'from_state') });
  }
}

function emptyLane(jobId: string): Lane {
  return { jobId, vma: null, stateBefore: null, lastSight: null, probes: [], decision: null };
}

function observe(lane: Lane, seen: Fields, at: number): void {
  lane.vma = optional(seen, 'vma', text);
  lane.probes.push({
    at,
    status: text(seen, 'status'),
    tookMs: number(seen, 'took_ms'),
    progress: optional(seen, 'progress_percent', number),
    answers: list(seen, 'answers').map((answer) => answerOf(fieldsOf(answer, 'an answer'))),
  });
}

function answerOf(answer: Fields): ProbeAnswer {
  return {
    askedId: text(answer, 'asked_id'),
    status: text(answer, 'status'),
    httpStatus: optional(answer, 'http_status', number),
    latencyMs: optional(answer, 'latency_ms', number) ?? 0,
    detail: optional(answer, 'detail', text),
  };
}

function decide(lane: Lane, event: Fields, at: number, start: string): void {
  const contact = secondsBetween(start, time(inner(event, 'evidence'), 'last_contact_at'));
  // A contact during the run says nothing about the last one before it.
  if (contact <= 0) lane.lastSight = contact;
  lane.decision = {
    at,
    outcome: text(event, 'outcome'),
    rule: text(event, 'rule'),
    basis: optional(event, 'basis', text),
    reason: text(event, 'reason'),
    retryIn: optional(event, 'retry_in', number),
  };
}

function finish(run: Run, event: Fields, at: number): void {
  Object.assign(run, {
    status: 'finished',
    endedAt: at,
    decidedIn: number(event, 'decided_in'),
    verifiedIn: number(event, 'proven_in'),
    resumed: number(event, 'resumed'),
    polledAgain: number(event, 'polled_again'),
    settledElsewhere: number(event, 'settled_elsewhere'),
  });
}
