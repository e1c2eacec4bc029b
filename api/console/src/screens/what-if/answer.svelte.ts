/** The API's answer to the shown question. A newer question ends the request of the one before. */
import { get } from '../../lib/api/client';
import { asApiError, type ApiError } from '../../lib/api/problem';
import { between, type Change, type Pair } from './changes';
import type { Policy } from './thresholds';

/** Long enough for the steps of a slider that is moved, short enough to be an answer at once. In milliseconds. */
const PAUSE = 40;
/** After a refusal, because a request that was given up may still count for a moment. */
const REFUSED = 300;

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
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asking: AbortController | null = null;

  ask(question: Question): void {
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
      const error = asApiError(failed);
      if (error.status === 429) return this.sendIn(REFUSED, question, began);
      this.error = error;
      this.isAsking = false;
    }
  }
}

async function answerTo({ scope, first, second }: Question, signal: AbortSignal): Promise<Omit<Answered, 'took'>> {
  const asked = (policy: Policy) => get('/api/v1/recovery-runs/what-if', { query: { ...scope, ...policy }, signal });
  // Without a number, the API would compare the code: what was decided is what both policies start from.
  const changesOf = async (policy: Policy | null): Promise<Change[]> =>
    policy && Object.keys(policy).length ? (await asked(policy)).data.changes : [];
  const [a, b] = [changesOf(first), asked(second)];
  const answer = (await b).data;
  const changes = Object.keys(second).length ? answer.changes : [];
  return { pairs: between(await a, changes), decisions: answer.decisions, runs: answer.runs };
}
