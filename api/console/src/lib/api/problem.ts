/** A request that failed. `status` is 0 if no answer came. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly retryAfter: number | null = null,
  ) {
    super(`${title}: ${detail}`);
  }

  get isSignInNeeded(): boolean {
    return this.status === 401;
  }

  /** The job has changed since the page read it. */
  get isStale(): boolean {
    return this.status === 412;
  }

  /** What the reader can do about it. */
  get remedy(): string {
    return REMEDIES[this.status] ?? (this.status >= 500 ? 'Look at the log of the service.' : '');
  }
}

const REMEDIES: Record<number, string> = {
  0: 'Check that the service runs and that this machine reaches it.',
  401: 'Sign in with a token that is not revoked.',
  403: 'Sign in with a token whose scope allows it.',
  404: 'Check the address. It may be of another installation.',
  409: 'Reload, look at the present state, and decide again.',
  412: 'The job has changed meanwhile. Look at its present state, and decide again.',
  429: 'Wait a moment. If it lasts, raise JOB_RECOVERY_RATE_LIMIT.',
  503: 'The storage does not answer. Look at the log of the service, and at its disk.',
};

/** Return an error as one of the API; others are faults of the page, and thrown again. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  throw error;
}
