/** This instance, read every few seconds while the screen is open. Samples stay while the page does. */
import { get, type Schemas } from '../../lib/api/client';
import { jsonOf, problemOf, send } from '../../lib/api/network';
import type { ApiError } from '../../lib/api/problem';
import { clock } from '../../lib/clock.svelte';
import { ROOT } from '../../lib/root';
import { session } from '../../lib/session.svelte';
import { Polled } from './polled.svelte';
import { EVERY, withSample, type Sample } from './samples';

const RUNS = 10;

let kept: readonly Sample[] = [];

export class System {
  /** Each by itself: an instance that is not ready says why, also if it answers nothing else. */
  readonly readiness = new Polled(readinessOf);
  readonly health = new Polled((signal) => this.healthOf(signal));
  readonly details = new Polled(detailsOf);
  samples = $state.raw<readonly Sample[]>(kept);
  private readonly parts = [this.readiness, this.health, this.details];

  get error(): ApiError | null {
    return this.parts.find(({ error }) => error)?.error ?? null;
  }

  /** Read now and every few seconds. Returns a function that ends it. */
  start(): () => void {
    this.load();
    const timer = setInterval(() => this.load(), EVERY * 1000);
    return () => {
      clearInterval(timer);
      this.parts.forEach((part) => part.stop());
    };
  }

  load(): void {
    this.parts.forEach((part) => void part.load());
  }

  private async healthOf(signal: AbortSignal): Promise<Schemas['Health']> {
    const { data } = await get('/health', { signal });
    signal.throwIfAborted();
    this.sample(data);
    return data;
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
async function readinessOf(signal: AbortSignal): Promise<Schemas['Readiness']> {
  const headers = new Headers(session.token ? { Authorization: `Bearer ${session.token}` } : {});
  const response = await send(new URL('readyz', ROOT), { headers, signal });
  if (!response.headers.get('Content-Type')?.startsWith('application/json')) throw await problemOf(response);
  return (await jsonOf(response)) as Schemas['Readiness'];
}

async function detailsOf(signal: AbortSignal) {
  const [polling, runs, settings] = await Promise.all([
    get('/api/v1/polling', { signal }),
    get('/api/v1/recovery-runs', { query: { limit: RUNS }, signal }),
    get('/api/v1/settings', { signal }),
  ]);
  return { vmas: polling.data.vmas, runs: runs.data.items, settings: settings.data.items };
}
