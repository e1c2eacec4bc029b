/**
 * Loading of a screen's code. After an upgrade, an open page asks for files that no longer exist: it is reloaded once.
 */
import { send } from '../lib/api/network';
import { ApiError } from '../lib/api/problem';
import { ROOT } from '../lib/root';

const KEY = 'job-recovery-reloaded';

/**
 * Return what `load` does. If it fails, reload the page; if it failed just before the reload, too, throw. Throws an
 * ApiError if the service does not answer: a reload would lose the page, and a token that is not kept.
 */
export async function loadOrReload<T>(load: () => Promise<T>): Promise<T> {
  try {
    const loaded = await load();
    sessionStorage.removeItem(KEY);
    return loaded;
  } catch (error) {
    if (!(await isAnswering())) throw new ApiError(0, 'This page cannot be loaded', 'The service does not answer.');
    return reload(error);
  }
}

function reload(error: unknown): Promise<never> {
  if (sessionStorage.getItem(KEY)) {
    sessionStorage.removeItem(KEY);
    throw error;
  }
  sessionStorage.setItem(KEY, 'yes');
  location.reload();
  return new Promise(() => undefined);
}

/** Return whether the page could be loaded again. A proxy before a service that is down answers with an error. */
async function isAnswering(): Promise<boolean> {
  try {
    return (await send(ROOT, {})).ok;
  } catch (error) {
    if (error instanceof ApiError) return false;
    throw error;
  }
}
