/** This instance, read every few seconds while the screen is open. Samples stay while the page does. */
import { get, type Schemas } from '../../lib/api/client';
import { parseJson } from '../../lib/api/json';
import { send, textOf } from '../../lib/api/network';
import { asApiError, type ApiError } from '../../lib/api/problem';
import { clock } from '../../lib/clock.svelte';
import { ROOT } from '../../lib/root';
import { session } from '../../lib/session.svelte';
import { EVERY, withSample, type Sample } from './samples';

const RUNS = 10;

let kept: readonly Sample[] = [];

export class System {
  health = $state.raw<Schemas['Health'] | null>(null);
  readiness = $state.raw<Schemas['Readiness'] | null>(null);
  polling = $state.raw<Schemas['PollingStatus'] | null>(null);
  runs = $state.raw<readonly Schemas['RunView'][]>([]);
  settings = $state.raw<readonly Schemas['SettingView'][]>([]);
  samples = $state.raw<readonly Sample[]>(kept);
  error = $state.raw<ApiError | null>(null);
  private reading: AbortController | null = null;

  /** Read now and every few seconds. Returns a function that ends it. */
  start(): () => void {
    void this.load();
    const timer = setInterval(() => void this.load(), EVERY * 1000);
    return () => {
      clearInterval(timer);
      this.reading?.abort();
    };
  }

  async load(): Promise<void> {
    this.reading?.abort();
    const { signal } = (this.reading = new AbortController());
    try {
      const [health, readiness, polling, runs, settings] = await Promise.all([
        get('/health', { signal }),
        readinessOf(signal),
        get('/api/v1/polling', { signal }),
        get('/api/v1/recovery-runs', { query: { limit: RUNS }, signal }),
        get('/api/v1/settings', { signal }),
      ]);
      Object.assign(this, { readiness, health: health.data, polling: polling.data, runs: runs.data.items, settings: settings.data.items, error: null });
      this.sample(health.data);
    } catch (failed) {
      if (!signal.aborted) this.error = asApiError(failed);
    }
  }

  private sample(health: Schemas['Health']): void {
    kept = withSample(kept, {
      at: Math.round(clock.now / 1000),
      pollLag: health.poll_lag_seconds,
      projectionLag: health.projection_lag_events,
    });
    this.samples = kept;
  }
}

/** Return whether the service is ready, and why not: an answer with the status 503 is no failure here. */
async function readinessOf(signal: AbortSignal): Promise<Schemas['Readiness'] | null> {
  const headers = new Headers(session.token ? { Authorization: `Bearer ${session.token}` } : {});
  const response = await send(new URL('readyz', ROOT), { headers, signal });
  const isReadiness = response.headers.get('Content-Type')?.startsWith('application/json');
  return isReadiness ? (parseJson(await textOf(response)) as Schemas['Readiness']) : null;
}
