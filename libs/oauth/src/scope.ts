import { invalidScope } from './errors.js'

/**
 * The tokens of a `scope` value in the request's order, each once. An empty text has none.
 *
 * @throws OAuthError `invalid_scope` when it breaks the grammar
 * @see RFC 6749 §3.3
 */
export function parseScope(scope: string): string[] {
  if (scope === '') return []
  const tokens = scope.split(' ')
  // RFC 6749 §3.3: scope = scope-token *( SP scope-token ); scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
  if (!tokens.every(token => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(token))) {
    throw invalidScope(
      "Parameter 'scope' must be tokens of printable ASCII without quotes, each separated by one space.",
    )
  }
  return [...new Set(tokens)]
}

/** The `scope` value of these tokens. @see RFC 6749 §3.3 */
export function formatScope(scopes: Iterable<string>): string {
  return [...new Set(scopes)].join(' ')
}

/**
 * How a sentence names a scope that was asked for. Whoever mixes up parameters may have put a secret there, and sentences are logged: what
 * is as long as one (43 characters of base64url) is named by its length.
 */
export function quoteScope(scope: string): string {
  return scope.length <= 40 ? `'${scope}'` : `of ${scope.length} characters`
}

/** Whether every one of `scopes` is in `allowed`. Comparison is case-sensitive. @see RFC 6749 §3.3 */
export function isSubset(scopes: Iterable<string>, allowed: Iterable<string>): boolean {
  return missingFrom(allowed, scopes).length === 0
}

/** Those of `required` that `granted` lacks, in the order of `required`. */
export function missingFrom(granted: Iterable<string>, required: Iterable<string>): string[] {
  const held = new Set(granted)
  return [...required].filter(scope => !held.has(scope))
}
