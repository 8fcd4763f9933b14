import { type Parameters, parseParameters } from '@grantlog/oauth'
import { Problem } from '@grantlog/platform'

/** Longest field: the query of an authorization request. */
const longest = 8192

/** The fields of a form. @throws Problem 415; OAuthError for a form that is malformed */
export function formOf(body: unknown): Parameters {
  if (body !== undefined && body !== null && typeof body !== 'string') {
    throw new Problem(415, 'Unsupported Media Type', 'The body must be application/x-www-form-urlencoded.')
  }
  return parseParameters(body ?? '', { maxValueLength: longest })
}

/** The query of the authorization request that a form carries on, or undefined. @throws Problem 400 when it is no query */
export function requestOf(form: Parameters): string | undefined {
  const query = form.get('request')
  if (query !== undefined && !/^[\x21-\x7e]+$/.test(query)) {
    throw new Problem(
      400,
      'Bad Request',
      "The form's 'request' is not the query of an authorization request.",
    )
  }
  return query
}

/** A URL's query as it stands there. */
export function queryOf(url: string): string {
  const at = url.indexOf('?')
  return at < 0 ? '' : url.slice(at + 1)
}
