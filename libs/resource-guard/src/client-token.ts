export interface ClientTokenOptions {
  /** Of the issuer, or what finds it, for example in the issuer’s metadata. */
  readonly tokenEndpoint: string | (() => Promise<string>)
  readonly clientId: string
  readonly clientSecret: string
  /** What the token is for (RFC 8707). */
  readonly resource: string
  readonly scope: string
}

/** An access token; one that was refused is not given again. */
export type AccessToken = (refused?: string) => Promise<string>

const timeoutMilliseconds = 3000
/** What is left of a token’s life when another one is asked for. */
const reserveSeconds = 30

/**
 * A client’s own access tokens (RFC 6749 §4.4), for what asks for them again and again: one is kept until it nearly expires, or was refused.
 *
 * @returns what gives a token, and throws an Error where the issuer gives none
 */
export function clientToken(options: ClientTokenOptions): AccessToken {
  let kept: { readonly token: string; readonly until: number } | undefined
  return async refused => {
    if (kept !== undefined && kept.token !== refused && performance.now() < kept.until) return kept.token
    kept = undefined
    const began = performance.now()
    const { access_token, expires_in } = await ask(options)
    // one that lives no longer than the reserve is used all the same, once
    kept = { token: access_token, until: began + (expires_in - reserveSeconds) * 1000 }
    return access_token
  }
}

/** The header of a client that sends its secret (RFC 6749 §2.3.1). */
export function basicCredentials(clientId: string, clientSecret: string): string {
  return `Basic ${btoa([clientId, clientSecret].map(encodeURIComponent).join(':'))}`
}

async function ask({ tokenEndpoint, clientId, clientSecret, resource, scope }: ClientTokenOptions) {
  const endpoint = typeof tokenEndpoint === 'string' ? tokenEndpoint : await tokenEndpoint()
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { authorization: basicCredentials(clientId, clientSecret), accept: 'application/json' },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource, scope }),
    signal: AbortSignal.timeout(timeoutMilliseconds),
    redirect: 'error',
  })
  if (!response.ok) {
    await response.body?.cancel() // or it would keep its connection
    throw new Error(`${endpoint} answers ${response.status}`)
  }
  const { access_token, expires_in = 0 } = (await response.json()) as {
    access_token?: unknown
    expires_in?: number
  }
  if (typeof access_token !== 'string') throw new Error(`${endpoint} gives no access token`)
  return { access_token, expires_in }
}
