/** The commands that give what the page shows, for a terminal. */
import { addressOf } from '../../lib/api/client';
import { ROOT } from '../../lib/root';
import { quoted } from './shell';

/** Return the request of an address. The token stays a variable: a command is pasted into chats and tickets. */
export function curl(address: URL, isTokenNeeded: boolean): string {
  const token = isTokenNeeded ? '-H "Authorization: Bearer $JOB_RECOVERY_TOKEN" ' : '';
  return `curl -sS ${token}${quoted(address.href)}`;
}

export function eventCurl(position: number, isTokenNeeded: boolean): string {
  return curl(addressOf('/api/v1/audit/{position}', { position }), isTokenNeeded);
}

/** Return the command for one event: the first of its causation chain. */
export function eventCommand(position: number): string {
  return `${command('audit')} --chain ${position} --json | jq '.items[0]'`;
}

export function stateCurl(job_id: string, position: number, isTokenNeeded: boolean): string {
  return curl(addressOf('/api/v1/jobs/{job_id}', { job_id }, { position }), isTokenNeeded);
}

export function stateCommand(jobId: string, position: number): string {
  return `${command('job')} --position ${position} -- ${quoted(jobId)}`;
}

function command(name: string): string {
  return `job-recovery ${name} --url ${quoted(ROOT.href.replace(/\/$/, ''))}`;
}
