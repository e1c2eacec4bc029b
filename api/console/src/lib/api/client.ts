/** Typed requests to the API. Every answer sets the clock; a refused token leads to sign-in. */
import { clock } from '../clock.svelte';
import { ROOT } from '../root';
import { fill } from '../router';
import { session } from '../session.svelte';
import { jsonOf, problemOf, send } from './network';
import type { ApiError } from './problem';
import type { components, paths } from './schema';

export type Schemas = components['schemas'];

type Inside = `/api/v1/${string}` | '/health';
type Method = 'get' | 'post';
type ApiPath<M extends Method> = {
  [P in keyof paths]: P extends Inside ? (paths[P][M] extends object ? P : never) : never;
}[keyof paths];
type Parameters<P extends keyof paths, M extends Method, Kind extends 'path' | 'query'> =
  paths[P][M] extends { parameters: infer All } ? (All extends { [K in Kind]?: infer Some } ? Some : never) : never;
type Body<P extends keyof paths> =
  paths[P]['post'] extends { requestBody: { content: { 'application/json': infer B } } } ? B : never;
type Success<R> = {
  [S in keyof R & (200 | 201 | 202)]: R[S] extends { content: { 'application/json': infer A } } ? A : never;
}[keyof R & (200 | 201 | 202)];
type Answered<P extends keyof paths, M extends Method> =
  paths[P][M] extends { responses: infer R } ? Success<R> : never;

export interface Options<P extends keyof paths, M extends Method> {
  path?: Parameters<P, M, 'path'>;
  query?: Parameters<P, M, 'query'>;
  ifMatch?: string | null;
  signal?: AbortSignal;
}

/** An answer, with the tag that a decision sends back as `ifMatch`, so that a stale page cannot decide. */
export interface Answer<T> {
  data: T;
  etag: string | null;
  /** By it the events of this request are found in the audit trail: their correlation is `request-ID`. */
  requestId: string;
}

/** Return an answer: `get('/api/v1/jobs/{job_id}', { path: { job_id } })`. */
export function get<P extends ApiPath<'get'>>(path: P, options: Options<P, 'get'> = {}): Promise<Answer<Answered<P, 'get'>>> {
  return ask(path, 'GET', options, undefined);
}

export function post<P extends ApiPath<'post'>>(
  path: P,
  body: Body<P>,
  options: Options<P, 'post'> = {},
): Promise<Answer<Answered<P, 'post'>>> {
  return ask(path, 'POST', options, JSON.stringify(body));
}

/** Return the address of a request, for the `curl` command that gives the same, and for downloads. */
export function addressOf(path: string, params: object = {}, query: object = {}): URL {
  const filled = fill(path.slice(1).replace(/\{(\w+)\}/g, ':$1'), params as Record<string, string>);
  const url = new URL(filled, ROOT);
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null) url.searchParams.append(name, String(one));
    }
  }
  return url;
}

/** Return the answer as it came, for a body that is read piece by piece, such as an export. */
export async function fetchRaw<P extends ApiPath<'get'>>(path: P, options: Options<P, 'get'> = {}): Promise<Response> {
  return (await request(path, 'GET', options, undefined)).response;
}

interface AnyOptions {
  path?: unknown;
  query?: unknown;
  ifMatch?: string | null;
  signal?: AbortSignal;
}

async function ask<T>(path: string, method: string, options: AnyOptions, body: string | undefined): Promise<Answer<T>> {
  const { response, requestId } = await request(path, method, options, body);
  return {
    data: (await jsonOf(response)) as T,
    etag: response.headers.get('ETag'),
    requestId,
  };
}

async function request(
  path: string,
  method: string,
  { path: params, query, ifMatch, signal }: AnyOptions,
  body: string | undefined,
): Promise<{ response: Response; requestId: string }> {
  const requestId = newRequestId();
  const headers = new Headers({ Accept: 'application/json', 'X-Request-ID': requestId });
  if (session.token) headers.set('Authorization', `Bearer ${session.token}`);
  if (ifMatch) headers.set('If-Match', ifMatch);
  if (body !== undefined) headers.set('Content-Type', 'application/json');
  const address = addressOf(path, params ?? {}, query ?? {});
  const sent = Date.now();
  const response = await send(address, { method, headers, body, signal, credentials: 'same-origin' });
  clock.heard(response.headers.get('Date'), sent, Date.now());
  if (!response.ok) throw await refused(response);
  return { response, requestId };
}

async function refused(response: Response): Promise<ApiError> {
  const problem = await problemOf(response);
  if (problem.isSignInNeeded) session.refuse();
  return problem;
}

/** `crypto.randomUUID` is missing on pages over plain http. */
function newRequestId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
