/**
 * Loading of a screen's code. After an upgrade, an open page asks for files that no longer exist: it is reloaded once.
 */
const KEY = 'job-recovery-reloaded';

/** Return what `load` does. If it fails, reload the page; if it failed just before the reload, too, throw. */
export async function loadOrReload<T>(load: () => Promise<T>): Promise<T> {
  try {
    const loaded = await load();
    sessionStorage.removeItem(KEY);
    return loaded;
  } catch (error) {
    if (sessionStorage.getItem(KEY)) {
      sessionStorage.removeItem(KEY);
      throw error;
    }
    sessionStorage.setItem(KEY, 'yes');
    location.reload();
    return new Promise(() => undefined);
  }
}
