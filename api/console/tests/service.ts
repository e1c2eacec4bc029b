/** A service in the page, in place of the network. */
import { vi } from 'vitest';

type Answer = (path: string, init: RequestInit) => Response | Promise<Response>;

/** Answer all requests from now on. Returns the paths that were asked for, which grow. */
export function serve(answer: Answer): string[] {
  const asked: string[] = [];
  vi.stubGlobal('fetch', (address: URL, init: RequestInit) => {
    asked.push(address.pathname);
    return unlessAborted(init.signal, async () => answer(address.pathname, init));
  });
  return asked;
}

export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json', ...headers } });
}

export function refusal(status: number, headers: Record<string, string> = {}): Response {
  return json({ title: `HTTP ${status}`, detail: 'refused' }, status, { 'Content-Type': 'application/problem+json', ...headers });
}

/** Return what a service that hangs answers. */
export function never(): Promise<Response> {
  return new Promise(() => undefined);
}

function unlessAborted(signal: AbortSignal | null | undefined, answer: () => Promise<Response>): Promise<Response> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    signal?.addEventListener('abort', () => reject(signal.reason));
    answer().then(resolve, reject);
  });
}
