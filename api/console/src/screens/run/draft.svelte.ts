/**
 * A value that belongs into the address, and changes too fast for it: browsers allow some hundred changes of the
 * address in half a minute, and a moved slider or a held key makes more.
 */
const PAUSE = 300;

export class Draft<T> {
  /** Undefined: the address has the value. */
  value = $state.raw<T | undefined>(undefined);
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly write: (value: T) => void) {}

  set(value: T): void {
    this.value = value;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.write(value);
      this.value = undefined;
    }, PAUSE);
  }

  /** Forget what is not written: the address is another page's now. */
  stop(): void {
    clearTimeout(this.timer);
    this.value = undefined;
  }
}
