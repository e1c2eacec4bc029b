/**
 * Who uses the page: a token, kept in memory, or in the tab's session storage by choice. Never in an address.
 */
import { jsonOf, problemOf, send } from './api/network';
import { API } from './root';

export type Scope = 'read' | 'operate' | 'admin';

/** What the service says about the caller. Without tokens, it needs none. */
export interface Caller {
  name: string;
  scope: Scope;
  tokens_required: boolean;
}

const KEY = 'job-recovery-token';
const SCOPES: readonly Scope[] = ['read', 'operate', 'admin'];

class Session {
  /** Null without a token. */
  token = $state<string | null>(sessionStorage.getItem(KEY));
  /** Null before the service has answered, and after it has refused the token. */
  caller = $state.raw<Caller | null>(null);
  /** Whether to show the sign-in page. */
  isSignInNeeded = $state(false);

  /** Ask the service who the caller is. Throws an ApiError if it does not answer. */
  async start(): Promise<void> {
    const caller = await this.callerWith(this.token);
    if (caller) this.caller = caller;
    else this.refuse();
  }

  /** Use a token, if the service accepts it. `keep`: until the tab is closed, also over a reload. */
  async signIn(token: string, keep: boolean): Promise<boolean> {
    const caller = await this.callerWith(token);
    if (!caller) return false;
    if (keep) sessionStorage.setItem(KEY, token);
    Object.assign(this, { token, caller, isSignInNeeded: false });
    return true;
  }

  signOut(): void {
    this.refuse();
  }

  /** The service has refused the token: forget it. */
  refuse(): void {
    sessionStorage.removeItem(KEY);
    Object.assign(this, { token: null, caller: null, isSignInNeeded: true });
  }

  /** Return whether to offer what needs a scope. The service decides in any case. */
  may(scope: Scope): boolean {
    return this.caller !== null && SCOPES.indexOf(this.caller.scope) >= SCOPES.indexOf(scope);
  }

  /** Return the caller; null if the token is not accepted. */
  private async callerWith(token: string | null): Promise<Caller | null> {
    const headers = headersWith(token);
    const response = headers && (await send(new URL('session', API), { headers }));
    if (!response || response.status === 401) return null;
    if (!response.ok) throw await problemOf(response);
    return (await jsonOf(response)) as Caller;
  }
}

/** Return the headers with a token; null if it has a character that no header can have, and so no token. */
function headersWith(token: string | null): Headers | null {
  try {
    return new Headers(token ? { Authorization: `Bearer ${token}` } : {});
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

export const session = new Session();
