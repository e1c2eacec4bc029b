/** Saving of an export. Without a token the browser does it by itself, and needs no memory for it. */
import { addressOf, fetchRaw } from '../../lib/api/client';
import { ApiError } from '../../lib/api/problem';
import { session } from '../../lib/session.svelte';
import type { Query } from './filters';

export type Format = 'ndjson' | 'csv';

/** Save all events of a filter as a file. Throws an ApiError if it is refused, or if the connection is cut. */
export async function save(query: Query, format: Format): Promise<void> {
  const wanted = { ...query, format };
  if (!session.token) return follow(addressOf('/api/v1/audit/export', {}, wanted).href, format);
  const answer = await fetchRaw('/api/v1/audit/export', { query: wanted });
  const blob = await answer.blob().catch((error: unknown) => {
    if (error instanceof TypeError) throw new ApiError(0, 'The export was cut', 'The connection ended before the last event.');
    throw error;
  });
  const address = URL.createObjectURL(blob);
  follow(address, format);
  // Some browsers begin to read only after this task.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

function follow(address: string, format: Format): void {
  const link = document.createElement('a');
  link.href = address;
  link.download = `audit.${format}`;
  link.click();
}
