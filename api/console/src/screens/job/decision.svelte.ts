/**
 * A person's decision. It is about the job as it was when it was looked at: if it has changed since, the service refuses,
 * and the present state is looked at before another attempt.
 */
import { get, post } from '../../lib/api/client';
import { asApiError, type ApiError } from '../../lib/api/problem';
import { session } from '../../lib/session.svelte';
import type { Job } from '../jobs/figures';

type Changed = (job: Job, etag: string | null) => void;

export class Decision {
  /** Not the job of the page, which is live and moves: the one that the reader looks at while deciding. */
  job: Job;
  outcome = $state<'complete' | 'fail' | ''>('');
  who = $state(session.caller?.tokens_required ? session.caller.name : '');
  why = $state('');
  isAsking = $state(false);
  error = $state.raw<ApiError | null>(null);
  /** Whether the service may have recorded the decision without an answer: also one that is slow may go on with it. */
  isUnknown = $state(false);
  private etag: string | null;

  /** `changed` is told what the service says about the job. */
  constructor(
    job: Job,
    etag: string | null,
    private readonly changed: Changed,
  ) {
    this.job = $state.raw(job);
    this.etag = etag;
  }

  /** Look at another state of the job. What was chosen was about the one before, and is to be chosen again. */
  look(job: Job, etag: string | null): void {
    this.job = job;
    this.etag = etag;
    this.outcome = '';
  }

  /** Return whether the decision was recorded. */
  async send(): Promise<boolean> {
    if (!this.outcome || this.isAsking) return false;
    this.isAsking = true;
    this.isUnknown = false;
    try {
      await this.ask(this.outcome);
      return true;
    } catch (failed) {
      await this.fail(asApiError(failed));
      return false;
    } finally {
      this.isAsking = false;
    }
  }

  private async ask(outcome: 'complete' | 'fail'): Promise<void> {
    const { who, why } = this;
    const options = { path: { job_id: this.job.job_id }, ifMatch: this.etag ?? '"none"' };
    const answer = await post('/api/v1/jobs/{job_id}/decision', { outcome, who, why }, options);
    this.changed(answer.data, answer.etag);
  }

  private async fail(error: ApiError): Promise<void> {
    this.error = error;
    this.isUnknown = error.status === 0 || error.status >= 500;
    if (this.isUnknown || error.isStale || error.status === 409) await this.lookAgain();
  }

  private async lookAgain(): Promise<void> {
    try {
      const { data, etag } = await get('/api/v1/jobs/{job_id}', { path: { job_id: this.job.job_id } });
      this.look(data, etag);
      this.changed(data, etag);
    } catch (failed) {
      this.error = asApiError(failed);
    }
  }
}
