/** Saving of an export. Without a token the browser does it by itself, and needs no memory for it. */
import { addressOf, fetchRaw } from '../../lib/api/client';
import { blobOf } from '../../lib/api/network';
import { ApiError } from '../../lib/api/problem';
import { session } from '../../lib/session.svelte';
import type { Query } from './filters';

export type Format = 'ndjson' | 'csv';

/** Lines before the first event. */
const HEADINGS: Record<Format, number> = { ndjson: 0, csv: 1 };

/** Save all events of a filter as a file. Throws an ApiError if it is refused, or if it is not whole. */
export async function save(query: Query, format: Format): Promise<void> {
  const wanted = { ...query, format };
  if (!session.token) return follow(addressOf('/api/v1/audit/export', {}, wanted).href, format);
  const answer = await fetchRaw('/api/v1/audit/export', { query: wanted });
  const blob = await blobOf(answer).catch((error: unknown) => {
    throw error instanceof ApiError ? cut() : error;
  });
  // A proxy that loses the connection may end its answer as if that were all.
  if ((await linesOf(blob)) < HEADINGS[format] + Number(answer.headers.get('Job-Recovery-Events'))) throw cut();
  const address = URL.createObjectURL(blob);
  follow(address, format);
  // Some browsers begin to read only after this task.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

function cut(): ApiError {
  return new ApiError(0, 'The export was cut', 'The connection ended before the last event.');
}

/** Return how many lines end in a file, which is read piece by piece. No event has a line break. */
async function linesOf(file: Blob): Promise<number> {
  const reader = file.stream().getReader();
  let lines = 0;
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    for (let at = piece.value.indexOf(10); at >= 0; at = piece.value.indexOf(10, at + 1)) lines++;
  }
  return lines;
}

function follow(address: string, format: Format): void {
  const link = document.createElement('a');
  link.href = address;
  link.download = `audit.${format}`;
  link.click();
}
