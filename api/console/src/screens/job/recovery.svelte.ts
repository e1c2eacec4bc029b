/** A recovery run that the reader starts, followed until it ends. */
import { get, post, type Schemas } from '../../lib/api/client';
import { asApiError, type ApiError } from '../../lib/api/problem';

const POLL = 1_000;

export class Recovery {
  run = $state.raw<Schemas['RunView'] | null>(null);
  error = $state.raw<ApiError | null>(null);
  isAsking = $state(false);
  private isStopped = false;

  get isRunning(): boolean {
    return this.run !== null && this.run.ended_at === null;
  }

  async start(dry_run: boolean): Promise<void> {
    this.isAsking = true;
    this.error = null;
    try {
      const { data } = await post('/api/v1/recovery-runs', { dry_run });
      this.run = data;
      await this.follow(data.run_id);
    } catch (failed) {
      this.error = asApiError(failed);
    } finally {
      this.isAsking = false;
    }
  }

  stop(): void {
    this.isStopped = true;
  }

  private async follow(run_id: string): Promise<void> {
    while (this.isRunning && !this.isStopped) {
      await new Promise((resolve) => setTimeout(resolve, POLL));
      await this.look(run_id);
    }
  }

  /** Read the run. A failure is shown until the next attempt, unless the run is not in the event log. */
  private async look(run_id: string): Promise<void> {
    try {
      this.run = (await get('/api/v1/recovery-runs/{run_id}', { path: { run_id } })).data;
      this.error = null;
    } catch (failed) {
      this.error = asApiError(failed);
      if (this.error.status === 404) throw failed;
    }
  }
}
