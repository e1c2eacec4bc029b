/** Which keys a screen takes when they are pressed anywhere on it. */

const KEY = 'job-recovery-keys';
const TYPING = 'input, textarea, select, [contenteditable], dialog';

/** Return whether single keys are commands. They can be switched off: speech input types letters. */
export function areKeysOn(): boolean {
  return localStorage.getItem(KEY) !== 'off';
}

export function switchKeys(isOn: boolean): void {
  localStorage.setItem(KEY, isOn ? 'on' : 'off');
}

/** Return whether a key is a command: not with others, while something is typed, or while an input method composes. */
export function isCommand(event: KeyboardEvent): boolean {
  // 229: the key belongs to an input method, in browsers that report its end before its last key.
  if (event.defaultPrevented || event.isComposing || event.keyCode === 229) return false;
  if (event.ctrlKey || event.metaKey || event.altKey || !areKeysOn()) return false;
  return !(event.target instanceof Element && event.target.closest(TYPING)) && !document.querySelector('dialog[open]');
}
