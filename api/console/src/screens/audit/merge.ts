/** Joining of pages of the trail, newest first. An event never changes: its position says all. */
import type { Entry } from '../../lib/stream/stream.svelte';

/** Events that are kept: a tab that is open for a day must not grow. */
export const MOST = 5_000;

export interface Joined {
  entries: readonly Entry[];
  /** Whether the newest page met what was known. If not, there is a gap, and what is older was left out. */
  meets: boolean;
  /** Whether some of the oldest were left out. */
  isCut: boolean;
}

/** Return the newest page with the older events that are known. */
export function withNewest(known: readonly Entry[], page: readonly Entry[]): Joined {
  const last = page.at(-1);
  const top = known[0];
  const meets = !!last && !!top && last.position <= top.position;
  const older = meets ? known.filter(({ position }) => position < last.position) : [];
  return cut([...page, ...older], meets);
}

/** Return the known events with a page of older ones. */
export function withOlder(known: readonly Entry[], page: readonly Entry[]): Joined {
  const last = known.at(-1);
  return cut([...known, ...page.filter(({ position }) => !last || position < last.position)], true);
}

function cut(entries: readonly Entry[], meets: boolean): Joined {
  return { entries: entries.slice(0, MOST), meets, isCut: entries.length > MOST };
}
