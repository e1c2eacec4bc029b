/** Where the page is: path and query, which hold the state of a screen (filters, sort), so that a link shows the same. */
import { href, pathOf } from './root';
import { withQuery } from './router';

class Navigation {
  path = $state(pathOf(new URL(location.href)) ?? '/');
  query = $state.raw(new URLSearchParams(location.search));

  /** Go to a page, such as `/jobs/x?at=3`. */
  go(target: string): void {
    history.pushState(null, '', href(target));
    this.read();
  }

  /** Replace some parameters of the query; `push` makes a step in the history. */
  setQuery(changes: Record<string, string | readonly string[] | null>, { push = false } = {}): void {
    const query = withQuery(this.query, changes).toString();
    const address = location.pathname + (query && `?${query}`);
    if (push) history.pushState(null, '', address);
    else history.replaceState(null, '', address);
    this.read();
  }

  /** Follow the address bar, and links to pages of the console. Returns a function that ends it. */
  listen(): () => void {
    const read = () => this.read();
    const click = (event: MouseEvent) => this.follow(event);
    window.addEventListener('popstate', read);
    document.addEventListener('click', click);
    return () => {
      window.removeEventListener('popstate', read);
      document.removeEventListener('click', click);
    };
  }

  private read(): void {
    this.path = pathOf(new URL(location.href)) ?? '/';
    this.query = new URLSearchParams(location.search);
  }

  private follow(event: MouseEvent): void {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const url = new URL(link.href);
    const path = pathOf(url);
    if (path === null || path.startsWith('/api/') || link.target || link.hasAttribute('download')) return;
    if (url.hash && url.pathname === location.pathname) return;
    event.preventDefault();
    this.go(path + url.search);
  }
}

export const navigation = new Navigation();
