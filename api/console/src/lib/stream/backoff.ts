const FIRST = 1_000;
const LONGEST = 5_000;

/**
 * Return the wait before the next attempt, in milliseconds: at least a second, doubling, with jitter, so that many
 * browsers do not return at the same moment. `random` is in [0, 1).
 */
export function waitBefore(attempt: number, random: number): number {
  const longest = Math.min(LONGEST, FIRST * 2 ** Math.min(attempt, 10));
  return FIRST + random * (longest - FIRST / 2);
}
