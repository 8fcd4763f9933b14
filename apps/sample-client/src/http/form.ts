import { type Parameters, parseParameters } from '@grantlog/oauth'
import { Problem } from '@grantlog/platform'
import { scopeChoices } from '../flow/authorization-client.js'

/** The fields of a posted form. @throws Problem 415; OAuthError for a form that is malformed */
export function formOf(body: unknown): Parameters {
  if (body !== undefined && body !== null && typeof body !== 'string') {
    throw new Problem(415, 'Unsupported Media Type', 'The body must be application/x-www-form-urlencoded.')
  }
  return parseParameters(body ?? '')
}

/** Which access a form asks for. @throws Problem 400 for a scope that was not offered */
export function scopeOf(form: Parameters): string {
  const scope = form.get('scope') ?? scopeChoices[0]
  if (!scopeChoices.some(choice => choice === scope)) {
    throw new Problem(400, 'Bad Request', `Choose one of the scopes: ${scopeChoices.join(', or ')}.`)
  }
  return scope
}
