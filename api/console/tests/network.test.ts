import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { blobOf, jsonOf, problemOf, send, textOf } from '../src/lib/api/network';
import { ApiError } from '../src/lib/api/problem';

let answer: (response: ServerResponse) => void;
const server = createServer((_, response) => answer(response));
let address: URL;

beforeEach(async () => {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  address = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});
afterEach(() => {
  vi.useRealTimers();
  server.closeAllConnections();
  return new Promise<void>((closed) => void server.close(() => closed()));
});

const noAnswer = (detail: string) => new ApiError(0, 'No answer', detail);

function breakWithin(response: ServerResponse, status: number, type: string): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': 1000 });
  response.write('{');
  setTimeout(() => response.destroy(), 50);
}

test('an answer is given as it came', async () => {
  answer = (response) => response.end('text');
  expect(await textOf(await send(address, {}))).toBe('text');
});

test('a connection that breaks before an answer is no answer', async () => {
  answer = (response) => response.destroy();
  await expect(send(address, {})).rejects.toEqual(noAnswer('The service did not answer.'));
});

test('a connection that breaks within an answer is no answer', async () => {
  answer = (response) => breakWithin(response, 200, 'application/json');
  const begun = await send(address, {});
  await expect(textOf(begun)).rejects.toEqual(noAnswer('The service did not answer.'));
});

test('a connection that breaks within a file is no answer', async () => {
  answer = (response) => breakWithin(response, 200, 'application/x-ndjson');
  const begun = await send(address, {});
  await expect(blobOf(begun)).rejects.toEqual(noAnswer('The service did not answer.'));
});

test('an answer that is not JSON is no answer of the service', async () => {
  answer = (response) => response.end('<!doctype html><title>Log in to the network</title>');
  const page = await send(address, {});
  await expect(jsonOf(page)).rejects.toMatchObject({ name: 'ApiError', status: 0 });
});

test('a connection that breaks within a refusal is no answer', async () => {
  answer = (response) => breakWithin(response, 409, 'application/problem+json');
  const begun = await send(address, {});
  await expect(problemOf(begun)).rejects.toEqual(noAnswer('The service did not answer.'));
});

test('a service that is silent is given up after 30 s', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const asked = new Promise<void>((arrived) => (answer = () => arrived()));
  const refused = expect(send(address, {})).rejects.toEqual(noAnswer('The service did not answer within 30 s.'));
  await asked;
  vi.advanceTimersByTime(30_000);
  await refused;
});

test('an answer that has begun may take longer', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  let end: () => void = () => undefined;
  answer = (response) => {
    response.write('be');
    end = () => response.end('gun');
  };
  const begun = await send(address, {});
  vi.advanceTimersByTime(60_000);
  end();
  expect(await textOf(begun)).toBe('begun');
});

test('an answer that goes silent within is given up 30 s after its last piece', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  let next: () => void = () => undefined;
  answer = (response) => {
    response.write('slow');
    next = () => response.write('but alive');
  };
  const reader = (await send(address, {})).body?.getReader();
  await reader?.read();
  for (let pieces = 0; pieces < 3; pieces++) {
    const piece = reader?.read();
    await new Promise(setImmediate);
    vi.advanceTimersByTime(29_000);
    next();
    expect((await piece)?.done).toBe(false);
  }
  const silent = expect(reader?.read()).rejects.toEqual(noAnswer('The service did not answer within 30 s.'));
  await new Promise(setImmediate);
  vi.advanceTimersByTime(30_000);
  await silent;
});

test('what the caller gives up is no failure of the network', async () => {
  const caller = new AbortController();
  answer = () => caller.abort();
  await expect(send(address, { signal: caller.signal })).rejects.toMatchObject({ name: 'AbortError' });
});
