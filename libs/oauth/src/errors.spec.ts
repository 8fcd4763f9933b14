import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import * as errors from './errors.js'

const made = {
  access_denied: [errors.accessDenied, 400],
  authorization_pending: [errors.authorizationPending, 400],
  expired_token: [errors.expiredToken, 400],
  invalid_authorization_details: [errors.invalidAuthorizationDetails, 400],
  invalid_client: [errors.invalidClient, 401],
  invalid_client_metadata: [errors.invalidClientMetadata, 400],
  invalid_grant: [errors.invalidGrant, 400],
  invalid_redirect_uri: [errors.invalidRedirectUri, 400],
  invalid_request: [errors.invalidRequest, 400],
  invalid_request_object: [errors.invalidRequestObject, 400],
  invalid_request_uri: [errors.invalidRequestUri, 400],
  invalid_scope: [errors.invalidScope, 400],
  invalid_target: [errors.invalidTarget, 400],
  invalid_token: [errors.invalidToken, 401],
  server_error: [errors.serverError, 500],
  slow_down: [errors.slowDown, 400],
  unauthorized_client: [errors.unauthorizedClient, 400],
  unsupported_grant_type: [errors.unsupportedGrantType, 400],
  unsupported_response_type: [errors.unsupportedResponseType, 400],
  unsupported_token_type: [errors.unsupportedTokenType, 400],
} as const

describe('OAuthError', () => {
  test.each(Object.entries(made))('%s has its code and status (RFC 6749 §5.2)', (code, [make, status]) => {
    const error = make('What was wrong.', 'for the log')
    expect(error).toMatchObject({ code, status, description: 'What was wrong.', detail: 'for the log' })
    expect(error).toBeInstanceOf(errors.OAuthError)
  })

  test('the reply has the form of RFC 6749 §5.2 and leaves the private detail out', () => {
    const error = errors.invalidGrant('The code has expired.', 'family 7')
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      error: 'invalid_grant',
      error_description: 'The code has expired.',
    })
    expect(error.message).toBe('The code has expired.')
    expect(error.headers).toEqual({ 'Cache-Control': 'no-store' })
    expect(errors.invalidGrant('No detail.').detail).toBeUndefined()
  })

  test('error_description keeps only the characters of RFC 6749 §5.2', () => {
    expect(errors.invalidRequest('say "é\\"\r\n\u{1f600}').description).toBe("say '?/'????")
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const { error_description } = errors.invalidRequest(text).toJSON()
        expect(error_description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/)
      }),
    )
  })

  test('invalid_client challenges only the client that used the Authorization header (RFC 6749 §5.2, RFC 7617 §2)', () => {
    expect(errors.invalidClient('Unknown client.').headers).not.toHaveProperty('WWW-Authenticate')
    expect(errors.invalidClient('Unknown client.', undefined, { basic: true }).headers).toHaveProperty(
      'WWW-Authenticate',
      'Basic realm="oauth", charset="UTF-8"',
    )
  })

  test('temporarily_unavailable says when to come back, in whole seconds (RFC 9110 §10.2.3)', () => {
    const error = errors.temporarilyUnavailable('Starting.', 1.2, 'projection behind')
    expect(error).toMatchObject({ code: 'temporarily_unavailable', status: 503, detail: 'projection behind' })
    expect(error.headers['Retry-After']).toBe('2')
    expect(errors.temporarilyUnavailable('Starting.', -1).headers['Retry-After']).toBe('0')
  })

  test('too many requests: 429 with a wait of at least a second (RFC 6585 §4)', () => {
    const error = errors.tooManyRequests('Too many.', 0.01, 'of whom')
    expect(error).toMatchObject({ code: 'temporarily_unavailable', status: 429, detail: 'of whom' })
    expect(error.headers).toMatchObject({ 'Retry-After': '1' })
    expect(errors.tooManyRequests('Too many.', 29.2).headers).toMatchObject({ 'Retry-After': '30' })
  })

  test('invalid_token carries the challenge of RFC 6750 §3', () => {
    expect(errors.invalidToken('The access token expired', undefined, { realm: 'example' }).headers).toEqual({
      'Cache-Control': 'no-store',
      'WWW-Authenticate':
        'Bearer realm="example", error="invalid_token", error_description="The access token expired"',
    })
  })

  test('insufficient_scope is 403 and names the scope needed (RFC 6750 §3.1)', () => {
    const error = errors.insufficientScope('The token reads only.', 'invoices:write', 'has invoices:read', {
      resourceMetadata: 'https://api.example/.well-known/oauth-protected-resource',
    })
    expect(error).toMatchObject({ code: 'insufficient_scope', status: 403, detail: 'has invoices:read' })
    expect(error.headers['WWW-Authenticate']).toBe(
      'Bearer error="insufficient_scope", error_description="The token reads only.", scope="invoices:write", ' +
        'resource_metadata="https://api.example/.well-known/oauth-protected-resource"',
    )
    expect(errors.insufficientScope('No.', 'a').headers['WWW-Authenticate']).toContain('scope="a"')
  })
})
