/** Figures over time that the page keeps itself, because the service has only the present ones. */

export interface Sample {
  /** Seconds since 1970, by the service's clock. */
  at: number;
  pollLag: number | null;
  projectionLag: number | null;
}

/** Seconds between two samples. */
export const EVERY = 5;
/** Samples that are kept: an hour, whatever the tab's age. */
export const MOST = 720;

/** Return the samples with another one. After a gap, such as a restart or a hidden tab, the line is broken. An axis
 * needs a period: before the first there is a minute without figures. */
export function withSample(samples: readonly Sample[], sample: Sample): Sample[] {
  const last = samples.at(-1);
  const isGap = !last || sample.at - last.at > 3 * EVERY;
  const gap = isGap ? [{ at: last ? last.at + EVERY : sample.at - 60, pollLag: null, projectionLag: null }] : [];
  return [...samples, ...gap, sample].slice(-MOST);
}
