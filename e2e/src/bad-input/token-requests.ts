import type { Code, Form, Tokens, Wire, Wrong } from './wire.js'

/** One good code, refresh token and access token: each wrong request is a right one but for one thing. */
export interface Material {
  readonly code: Code
  readonly foreignCode: Code
  readonly tokens: Tokens
  readonly foreign: Tokens
}

type Change = Readonly<Record<string, string | undefined>>

/** The right redemption, changed: undefined leaves the parameter out. */
export function redemption(change: Change, headers?: Record<string, string>) {
  return (wire: Wire, { code }: Material) =>
    send(wire, { ...wire.redemption(wire.confidential, code), ...change }, headers)
}

export function refreshing(change: Change) {
  return (wire: Wire, { tokens }: Material) =>
    send(wire, { grant_type: 'refresh_token', refresh_token: tokens.refresh_token, ...change })
}

/** The operator is registered for client credentials. */
export function forItself(change: Change) {
  return (wire: Wire) =>
    send(
      wire,
      { grant_type: 'client_credentials', resource: 'urn:grantlog:platform', ...change },
      wire.basic(wire.running.demo.operator),
    )
}

export function send(wire: Wire, change: Change, headers = wire.basic(wire.confidential)): Promise<Response> {
  const form = Object.entries(change).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, value]],
  )
  return wire.post('/token', form, headers)
}

/** The right redemption with something more behind it, as text. */
export function redemptionAnd(more: string) {
  return (wire: Wire, { code }: Material) => {
    const form: Form = `${new URLSearchParams(wire.redemption(wire.confidential, code))}${more}`
    return wire.post('/token', form, wire.basic(wire.confidential))
  }
}

export const invalidRequest = (
  name: string,
  send: Wrong<Material>['send'],
  says: string,
): Wrong<Material> => ({
  name,
  send,
  error: 'invalid_request',
  says,
})
export const invalidGrant = (name: string, send: Wrong<Material>['send'], says: string): Wrong<Material> => ({
  name,
  send,
  error: 'invalid_grant',
  says,
})
