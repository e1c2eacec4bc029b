/** The clock of a replay. */

export const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300];

/** A replay takes about this long, in seconds, unless the reader chooses another speed. */
const COMFORTABLE = 8;

export class Playback {
  /** Seconds since the start of the run. A run is shown whole, so that it can be read without being played. */
  at = $state(0);
  end = $state(0);
  speed = $state(1);
  isPlaying = $state(false);
  private isChosen = false;
  private frame = 0;
  private before = 0;

  /** Take the length of the runs. Whoever looks at the end goes on doing so while a run grows. */
  setEnd(end: number): void {
    const wasAtEnd = this.at >= this.end;
    if (!this.isChosen && !this.isPlaying) this.speed = speedFor(end);
    this.end = end;
    if (wasAtEnd && !this.isPlaying) this.at = end;
  }

  /** Take the reader's speed, also for a run that grows. */
  choose(speed: number): void {
    this.speed = speed;
    this.isChosen = true;
  }

  toggle(): void {
    if (this.isPlaying) this.pause();
    else this.play();
  }

  play(): void {
    if (this.at >= this.end) this.at = 0;
    this.isPlaying = true;
    this.before = performance.now();
    this.frame = requestAnimationFrame(this.step);
  }

  pause(): void {
    this.isPlaying = false;
    cancelAnimationFrame(this.frame);
  }

  seek(at: number): void {
    this.at = Math.min(this.end, Math.max(0, at));
  }

  /** Go to the next moment, or to the one before. */
  jump(moments: readonly number[], by: 1 | -1): void {
    this.pause();
    const next = by > 0 ? moments.find((moment) => moment > this.at) : moments.findLast((moment) => moment < this.at);
    this.seek(next ?? (by > 0 ? this.end : 0));
  }

  private readonly step = (now: number): void => {
    this.seek(this.at + ((now - this.before) / 1000) * this.speed);
    this.before = now;
    if (this.at >= this.end) this.isPlaying = false;
    else this.frame = requestAnimationFrame(this.step);
  };
}

/** Return the speed at which a run takes a comfortable time. */
export function speedFor(end: number): number {
  const ideal = end / COMFORTABLE;
  const distance = (speed: number) => Math.abs(Math.log(speed / ideal));
  return SPEEDS.reduce((best, speed) => (distance(speed) < distance(best) ? speed : best), 1);
}
