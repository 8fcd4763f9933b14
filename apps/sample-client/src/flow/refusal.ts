import { ResponseBodyError, WWWAuthenticateChallengeError } from './oauth4webapi.js'

/** What was answered: in the protocol's own words, and in ours. */
export interface Told {
  readonly code: string
  readonly words: string
}

/** What a failed request is told as. No token, code or secret is in it. */
export function toldByError(error: unknown): Told {
  if (error instanceof ResponseBodyError) {
    return { code: `${error.status} ${error.error}`, words: error.error_description ?? wordsFor(error.error) }
  }
  if (error instanceof WWWAuthenticateChallengeError) {
    const { error: code = '', error_description: words } = error.cause[0]?.parameters ?? {}
    return { code: `${error.status} ${code}`.trim(), words: words ?? wordsFor(code) }
  }
  if (error instanceof TypeError || error instanceof SyntaxError || codeOf(error) !== undefined) {
    const cause = codeOf(error instanceof Error ? error.cause : undefined) ?? codeOf(error)
    const words = 'The server can not be reached, or its answer is not what the protocol says'
    return { code: 'no answer', words: cause === undefined ? `${words}.` : `${words} (${cause}).` }
  }
  return { code: 'no success', words: error instanceof Error ? error.message : String(error) }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}

function wordsFor(code: string): string {
  return meanings[code] ?? 'The server gave no reason.'
}

// RFC 6750 §3.1, RFC 6749 §5.2
const meanings: Readonly<Record<string, string>> = {
  insufficient_scope: 'The token does not reach that far.',
  invalid_token: 'The token has expired or was revoked.',
  invalid_grant: 'The code or refresh token has expired, was used before or was revoked.',
  invalid_client: 'The authorization server does not know this client, or its secret is wrong.',
}
