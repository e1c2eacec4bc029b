/** Events in words, also those of recovery runs. */
import { counted, duration } from '../../lib/format';
import type { Entry } from '../../lib/stream/stream.svelte';
import { number, record, text } from '../job/data';
import { told, type Told } from '../job/timeline';
import { CAUSES } from '../run/shown';

export function inWords(entry: Entry): Told {
  return RUNS[entry.type]?.(entry) ?? told(entry);
}

const RUNS: Record<string, (entry: Entry) => Told> = {
  RecoveryRunStarted: ({ data }) => ({
    kind: 'recovery',
    title: 'Recovery run began',
    detail: `${CAUSES[text(data.cause) ?? ''] ?? text(data.cause) ?? ''}, ${counted(lengthOf(data.job_ids), 'job')}`,
  }),
  RecoveryRunFinished: ({ data }) => ({
    kind: 'recovery',
    title: 'Recovery run finished',
    detail: `${outcomes(data.outcomes)}, decided in ${duration(number(data.decided_in))}`,
  }),
  RecoveryRunInterrupted: ({ data }) => ({ kind: 'warning', title: 'Recovery run interrupted', detail: text(data.reason) ?? '' }),
};

function outcomes(value: unknown): string {
  const counts = Object.entries(record(value) ?? {}).map(([outcome, count]) => `${String(count)} ${outcome}`);
  return counts.join(', ') || 'no job';
}

function lengthOf(value: unknown): number {
  return Array.isArray(value) ? value.length : 0;
}
