/*
 * Asks for the page again, once, if a file is missing that it begins with. During an upgrade two builds may answer, and
 * neither has the files of the other. This file has no digest in its name, so that each build has it.
 */
(() => {
  /** The same as of a screen that cannot be loaded: one reload for both. */
  const KEY = 'job-recovery-reloaded';
  const SENTENCE =
    'The console could not be loaded: a file is missing, as during an upgrade. Reload the page in a minute.';

  function check({ target }) {
    if (!(target instanceof Element) || !target.matches('script, link[rel="stylesheet"]')) return;
    removeEventListener('error', check, true);
    // Once the page is there, it tells itself what it cannot load.
    if (!document.querySelector('#app')?.hasChildNodes()) reload();
  }

  function reload() {
    if (sessionStorage.getItem(KEY)) {
      sessionStorage.removeItem(KEY);
      // A stylesheet may be missed before the body is read.
      (document.body ?? document.documentElement).append(SENTENCE);
    } else {
      sessionStorage.setItem(KEY, 'yes');
      location.reload();
    }
  }

  addEventListener('error', check, true);
})();
