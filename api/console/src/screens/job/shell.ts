/** Quoting for a shell: a command that the page offers is pasted without being read, and ids come from outside. */

/** Return a word that a POSIX shell reads as one, whatever it contains. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
