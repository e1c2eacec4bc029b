/** Light or dark: the system's choice, or the reader's, which the browser remembers. */

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'job-recovery-theme';
const ORDER: readonly Theme[] = ['system', 'light', 'dark'];

class ThemeChoice {
  choice = $state<Theme>(remembered());
  /** Changes whenever the colours do, also by the system: plots draw again. */
  version = $state(0);

  /** Apply the choice. Returns a function that ends it. */
  start(): () => void {
    const system = matchMedia('(prefers-color-scheme: dark)');
    const changed = () => this.version++;
    system.addEventListener('change', changed);
    this.apply();
    return () => system.removeEventListener('change', changed);
  }

  /** Choose the next: system, light, dark. */
  next(): void {
    this.choice = ORDER[(ORDER.indexOf(this.choice) + 1) % ORDER.length] ?? 'system';
    localStorage.setItem(KEY, this.choice);
    this.apply();
  }

  private apply(): void {
    document.documentElement.dataset.theme = this.choice;
    this.version++;
  }
}

function remembered(): Theme {
  const kept = localStorage.getItem(KEY);
  return ORDER.find((theme) => theme === kept) ?? 'system';
}

/** Return the present value of a colour of the theme: `colour('--accent')`. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export const theme = new ThemeChoice();
