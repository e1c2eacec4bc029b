/** The recorded runs, and the policies with which they decided. */
import { get, type Schemas } from '../../lib/api/client';
import { asApiError, type ApiError } from '../../lib/api/problem';
import { type Policy, THRESHOLDS } from './thresholds';

type Run = Schemas['RunView'];

export class Recorded {
  runs = $state.raw<readonly Run[]>([]);
  isLoaded = $state(false);
  error = $state.raw<ApiError | null>(null);
  private reading: AbortController | null = null;

  /** The last run after a restart, or the last of all; null if none has decided anything. */
  get newest(): string | null {
    const decided = this.runs.filter((run) => run.settled > 0);
    return (decided.find((run) => run.cause === 'restart') ?? decided[0])?.run_id ?? null;
  }

  stop(): void {
    this.reading?.abort();
  }

  /** Return the policy of a run; for a period that of the last, which the decisions before need not have had. */
  policyOf(id: string | null): Policy {
    const run = this.runs.find((one) => one.run_id === id) ?? this.runs[0];
    const policy: Policy = {};
    for (const { name } of THRESHOLDS) {
      const value: unknown = run?.policy?.[name];
      if (typeof value === 'number') policy[name] = value;
    }
    return policy;
  }

  /** Load the newest runs, and one that the address names, which may be older. */
  async load(named: string | null = null): Promise<void> {
    this.reading?.abort();
    const reading = (this.reading = new AbortController());
    const { signal } = reading;
    try {
      const runs = (await get('/api/v1/recovery-runs', { query: { limit: 100 }, signal })).data.items;
      const isListed = named === null || runs.some((run) => run.run_id === named);
      if (!isListed) runs.push((await get('/api/v1/recovery-runs/{run_id}', { path: { run_id: named }, signal })).data);
      this.runs = runs;
      this.isLoaded = true;
      this.error = null;
    } catch (failed) {
      if (!reading.signal.aborted) this.error = asApiError(failed);
    }
  }
}
