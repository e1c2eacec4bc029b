/**
 * The root of the console, where `<base>` points: the service may be reached under any prefix, which a proxy strips.
 *
 * Read once, because a relative `<base>` belongs to the address at which the page was loaded.
 */
export const ROOT = new URL('.', document.baseURI);

/** The root of the API, with a slash at its end. */
export const API = new URL('api/v1/', ROOT);

/** Return the address of a page for a link: `href('/jobs/x')`. */
export function href(path: string): string {
  return ROOT.pathname + path.replace(/^\//, '');
}

/** Return the path of an address below the root, such as `/jobs/x`; null for another site or another prefix. */
export function pathOf(url: URL): string | null {
  const inside = url.origin === ROOT.origin && url.pathname.startsWith(ROOT.pathname);
  return inside ? '/' + url.pathname.slice(ROOT.pathname.length) : null;
}
