/** The API's answer to the shown question. A newer question ends the request of the one before. */
import { get } from '../../lib/api/client';
import { asApiError, type ApiError } from '../../lib/api/problem';
import { between, type Change, type Pair } from './changes';
import type { Policy } from './thresholds';

/** Long enough for the steps of a slider that is moved, short enough to be an answer at once. In milliseconds. */
const PAUSE = 40;
/** After a refusal that names no time, because a request that was given up may still count for a moment. */
const REFUSED = 1_000;
/** How often a busy service refuses before the reader is told. It is asked again nevertheless. */
const ATTEMPTS = 3;

/** The decisions that are asked about. */
export interface Scope {
  run_id?: string;
  from?: string;
  to?: string;
}

export interface Question {
  scope: Scope;
  /** Null: what was decided. */
  first: Policy | null;
  second: Policy;
}

export interface Answered {
  pairs: Pair[];
  decisions: number;
  runs: number;
  /** Milliseconds from the question to the answer. */
  took: number;
}

export class Answer {
  /** The last answer stays until the next, so that nothing moves meanwhile. */
  found = $state.raw<Answered | null>(null);
  error = $state.raw<ApiError | null>(null);
  isAsking = $state(false);
  private refusals = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asking: AbortController | null = null;

  ask(question: Question): void {
    this.refusals = 0;
    this.sendIn(PAUSE, question, performance.now());
  }

  private sendIn(pause: number, question: Question, began: number): void {
    this.stop();
    this.isAsking = true;
    this.timer = setTimeout(() => void this.send(question, began), pause);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.asking?.abort();
  }

  private async send(question: Question, began: number): Promise<void> {
    const asking = (this.asking = new AbortController());
    try {
      const answered = await answerTo(question, asking.signal);
      this.found = { ...answered, took: performance.now() - began };
      this.error = null;
      this.isAsking = false;
    } catch (failed) {
      if (asking.signal.aborted) return;
      this.fail(asApiError(failed), question, began);
    }
  }

  private fail(error: ApiError, question: Question, began: number): void {
    const isBusy = error.status === 429;
    this.isAsking = isBusy;
    if (!isBusy || ++this.refusals >= ATTEMPTS) this.error = error;
    if (isBusy) this.sendIn(Math.max(REFUSED, (error.retryAfter ?? 0) * 1_000), question, began);
  }
}

async function answerTo({ scope, first, second }: Question, signal: AbortSignal): Promise<Omit<Answered, 'took'>> {
  const asked = (policy: Policy) => get('/api/v1/recovery-runs/what-if', { query: { ...scope, ...policy }, signal });
  // Without a number, the API would compare the code: what was decided is what both policies start from.
  const changesOf = async (policy: Policy | null): Promise<Change[]> =>
    policy && Object.keys(policy).length ? (await asked(policy)).data.changes : [];
  const [before, { data }] = await Promise.all([changesOf(first), asked(second)]);
  const changes = Object.keys(second).length ? data.changes : [];
  return { pairs: between(before, changes), decisions: data.decisions, runs: data.runs };
}
