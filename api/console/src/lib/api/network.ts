/** Requests over a network that breaks, or goes silent: both are told as errors of the API, with status 0. */
import { parseJson } from './json';
import { ApiError } from './problem';

/**
 * The service begins each answer within this time, and sends each piece of it, in milliseconds. A network that has
 * forgotten a connection sends nothing, and a browser would wait for minutes.
 */
const PATIENCE = 30_000;

/** Return the answer to a request. Throws an ApiError if none comes; so does the reading of its body. */
export async function send(address: URL, { signal, ...init }: RequestInit): Promise<Response> {
  const silent = new AbortController();
  const signals = signal ? [signal, silent.signal] : [silent.signal];
  const asked = fetch(address, { ...init, cache: 'no-store', signal: AbortSignal.any(signals) });
  return watched(await patient(asked, silent), silent);
}

/** Return the text of an answer. Throws an ApiError if the connection breaks within it. */
export function textOf(response: Response): Promise<string> {
  return unbroken(response.text());
}

/** Return an answer as a file. Throws an ApiError if the connection breaks within it. */
export function blobOf(response: Response): Promise<Blob> {
  return unbroken(response.blob());
}

/** Return the value of an answer. Throws an ApiError if it is not JSON, such as the page of a proxy. */
export async function jsonOf(response: Response): Promise<unknown> {
  const text = await textOf(response);
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ApiError(0, 'No answer of the service', 'The answer cannot be read. It may be of a proxy.');
  }
}

/** Return the error of a response that is not ok. A proxy between may have answered with HTML. */
export async function problemOf(response: Response): Promise<ApiError> {
  const retryAfter = Number(response.headers.get('Retry-After')) || null;
  const isProblem = response.headers.get('Content-Type')?.startsWith('application/problem+json');
  if (!isProblem) {
    const detail = `HTTP ${response.status} without an explanation, perhaps by a proxy`;
    return new ApiError(response.status, response.statusText || 'Error', detail, retryAfter);
  }
  const { title, detail } = (await jsonOf(response)) as { title: string; detail: string };
  return new ApiError(response.status, title, detail, retryAfter);
}

/** Return an answer whose body ends with an error if it is silent while it is read. A slow one may go on. */
function watched({ body, status, statusText, headers }: Response, silent: AbortController): Response {
  if (!body) return new Response(null, { status, statusText, headers });
  const reader = body.getReader();
  const pull = async (to: ReadableStreamDefaultController<Uint8Array>) => {
    const piece = await patient(reader.read(), silent);
    if (piece.done) to.close();
    else to.enqueue(piece.value);
  };
  // Without a queue: a piece is waited for only when it is asked for.
  const pieces = new ReadableStream({ pull, cancel: (reason) => reader.cancel(reason) }, { highWaterMark: 0 });
  return new Response(pieces, { status, statusText, headers });
}

/** Return what the network gives. Throws an ApiError, and ends the connection, if that takes too long. */
async function patient<T>(asked: Promise<T>, silent: AbortController): Promise<T> {
  const error = noAnswer(` within ${PATIENCE / 1000} s`);
  const waiting = setTimeout(() => silent.abort(error), PATIENCE);
  try {
    return await unbroken(asked);
  } catch (failed) {
    // Browsers differ in how they report an answer that was ended within its body.
    throw silent.signal.aborted ? error : failed;
  } finally {
    clearTimeout(waiting);
  }
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
