import { beforeEach, expect, test, vi } from 'vitest';
import { loadOrReload } from '../src/screens/loading';
import { serve } from './service';

const MISSING = new TypeError('Failed to fetch dynamically imported module');
const reload = vi.fn();

beforeEach(() => {
  reload.mockClear();
  sessionStorage.removeItem('job-recovery-reloaded');
  vi.stubGlobal('location', { reload });
});

const load = () => Promise.reject(MISSING);

async function loadBeforeAReload(): Promise<void> {
  void loadOrReload(load);
  await vi.waitFor(() => expect(reload).toHaveBeenCalledOnce());
}

test('a screen whose code is there is loaded', async () => {
  expect(await loadOrReload(async () => 'screen')).toBe('screen');
  expect(reload).not.toHaveBeenCalled();
});

test('a file that a service of another build does not have reloads the page once', async () => {
  serve(() => new Response('<!doctype html>'));
  await loadBeforeAReload();

  await expect(loadOrReload(load)).rejects.toBe(MISSING);
  expect(reload).toHaveBeenCalledOnce();
});

test.each([
  ['does not answer', () => Promise.reject(new TypeError('fetch failed'))],
  ['is down behind a proxy', () => new Response('Bad Gateway', { status: 502 })],
])('a service that %s does not cost the page', async (_, answer) => {
  serve(answer);
  await expect(loadOrReload(load)).rejects.toMatchObject({ status: 0, detail: 'The service does not answer.' });
  expect(reload).not.toHaveBeenCalled();

  serve(() => new Response('<!doctype html>'));
  await loadBeforeAReload();
});
