/** Matching of paths. `navigation.svelte.ts` holds where the page is. */

export interface Match<T> {
  route: T;
  params: Record<string, string>;
}

/** Return the first route whose `path`, such as `/jobs/:id`, matches; null if none does. */
export function match<T extends { path: string }>(routes: readonly T[], path: string): Match<T> | null {
  for (const route of routes) {
    const params = paramsOf(route.path, path);
    if (params) return { route, params };
  }
  return null;
}

/** Return a path with its parameters in place. Ids may contain any printable character but a slash. */
export function fill(pattern: string, params: Record<string, string>): string {
  return pattern.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
}

/**
 * Return a query with some of its parameters replaced. Null, the empty string and the empty list remove a parameter.
 */
export function withQuery(
  query: URLSearchParams,
  changes: Record<string, string | readonly string[] | null>,
): URLSearchParams {
  const changed = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    changed.delete(name);
    const values = typeof value === 'string' ? [value] : (value ?? []);
    for (const one of values) if (one) changed.append(name, one);
  }
  return changed;
}

function paramsOf(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [at, part] of wanted.entries()) {
    const value = decoded(given[at] ?? '');
    if (value === null) return null;
    if (part.startsWith(':') && value) params[part.slice(1)] = value;
    else if (part !== value) return null;
  }
  return params;
}

/** Return a decoded part of a path; null if it is not valid, as in `/jobs/100%`. */
function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}
