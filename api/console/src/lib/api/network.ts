/** Requests over a network that breaks, or goes silent: both are told as errors of the API, with status 0. */
import { parseJson } from './json';
import { ApiError } from './problem';

/**
 * The service begins each answer within this time, in milliseconds. A network that has forgotten a connection sends
 * nothing, and a browser would wait for minutes.
 */
const PATIENCE = 30_000;

/** Return the answer to a request. Throws an ApiError if none comes. */
export async function send(address: URL, { signal, ...init }: RequestInit): Promise<Response> {
  const silent = new AbortController();
  const waiting = setTimeout(() => silent.abort(noAnswer(` within ${PATIENCE / 1000} s`)), PATIENCE);
  const signals = signal ? [signal, silent.signal] : [silent.signal];
  try {
    return await unbroken(fetch(address, { ...init, cache: 'no-store', signal: AbortSignal.any(signals) }));
  } finally {
    clearTimeout(waiting);
  }
}

/** Return the text of an answer. Throws an ApiError if the connection breaks within it. */
export function textOf(response: Response): Promise<string> {
  return unbroken(response.text());
}

/** Return the error of a response that is not ok. A proxy between may have answered with HTML. */
export async function problemOf(response: Response): Promise<ApiError> {
  const retryAfter = Number(response.headers.get('Retry-After')) || null;
  const isProblem = response.headers.get('Content-Type')?.startsWith('application/problem+json');
  if (!isProblem) {
    const detail = `HTTP ${response.status} without an explanation, perhaps by a proxy`;
    return new ApiError(response.status, response.statusText || 'Error', detail, retryAfter);
  }
  const { title, detail } = parseJson(await textOf(response)) as { title: string; detail: string };
  return new ApiError(response.status, title, detail, retryAfter);
}

/** `fetch` and the readers of its answers report every failure of the network as a TypeError. */
async function unbroken<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof TypeError) throw noAnswer();
    throw error;
  }
}

function noAnswer(within = ''): ApiError {
  return new ApiError(0, 'No answer', `The service did not answer${within}.`);
}
