import { expect } from '@jest/globals'
import type { World } from './consent-world.js'
import type { Refusal, Sent, Wrong } from './requests.js'
import { tampered } from './wire.js'

type Row = Wrong<World>

const path = '/positions'
const past = '2026-11-26T12:00:00.000Z'
const times = { clients: past, consent: past, token: past }

function sent(world: World, change: object, headers: Sent['headers'] = {}): Sent {
  const { audience } = world.requests.running
  return {
    path,
    method: 'PUT',
    headers: {
      authorization: `Bearer ${world.operatorToken}`,
      'content-type': 'application/json',
      ...headers,
    },
    body: JSON.stringify({ resource: audience, instance: 'one', complete_until: times, ...change }),
  }
}

const wrong = (name: string, says: string, change: object, status = 400): Row => ({
  name: `a position: ${name}`,
  send: world => sent(world, change),
  refusal: { status, form: 'problem', says },
})
const until = (name: string, says: string, change: object): Row =>
  wrong(name, says, { complete_until: { ...times, ...change } })
const asked = (name: string, change: (world: World) => Partial<Sent>, refusal: Refusal): Row => ({
  name: `a position: ${name}`,
  send: world => ({ ...sent(world, {}), ...change(world) }),
  refusal,
})
const json = { 'content-type': 'application/json' }

/** PUT /positions. */
export const positions: readonly Row[] = [
  asked('no token', () => ({ headers: json }), {
    status: 401,
    form: 'bearer',
    says: 'An access token is needed',
  }),
  asked('with Ada’s cookie', ({ ada }) => ({ headers: { ...json, cookie: `grantlog=${ada}` } }), {
    status: 401,
    form: 'bearer',
    says: 'An access token is needed',
  }),
  asked(
    'with another signature',
    ({ operatorToken }) => ({ headers: { ...json, authorization: `Bearer ${tampered(operatorToken)}` } }),
    { status: 401, form: 'bearer', error: 'invalid_token', says: 'not valid' },
  ),
  asked(
    'too little scope',
    ({ readerToken }) => ({ headers: { ...json, authorization: `Bearer ${readerToken}` } }),
    {
      status: 403,
      form: 'bearer',
      error: 'insufficient_scope',
      says: 'revocations:read',
      headers: {
        'www-authenticate': expect.stringMatching(/scope="revocations:read"/) as unknown as string,
      },
    },
  ),
  asked('POST', () => ({ method: 'POST' }), {
    status: 405,
    form: 'problem',
    says: 'POST is not allowed',
    headers: { allow: 'PUT' },
  }),
  asked('JSON that breaks off', () => ({ body: '{"resource":"' }), {
    status: 400,
    form: 'problem',
    says: 'could not be read',
  }),
  wrong('no resource', '/resource', { resource: undefined }),
  wrong('of nobody', 'no API with this resource', { resource: 'https://nobody.example/' }, 409),
  wrong('no instance', '/instance', { instance: undefined }),
  wrong('an empty instance', '/instance: must be 1 to 64', { instance: '' }),
  wrong('an instance too long', '/instance: must be 1 to 64', { instance: 'x'.repeat(65) }),
  wrong('an instance of two lines', '/instance: must be 1 to 64', { instance: 'a\nb' }),
  wrong('an instance that is a number', '/instance', { instance: 1 }),
  wrong('an unknown member', '/subject: is not a member', { subject: 'x' }),
  wrong('no times', '/complete_until', { complete_until: undefined }),
  wrong('times that are none', '/complete_until', { complete_until: past }),
  until('a service that is not heard', '/complete_until/token', { token: undefined }),
  until('a service that there is not', '/complete_until/audit: is not a member', { audit: past }),
  until('a time that is none', '/complete_until/consent: must be a time as in RFC 3339', { consent: 'now' }),
  until('seconds', '/complete_until/consent: must be a time', { consent: 1_795_567_947 }),
  until('a day that there is not', '/complete_until/consent: must be a time', {
    consent: '2026-02-30T12:00:00Z',
  }),
  until('a time without its zone', '/complete_until/consent: must be a time', {
    consent: '2026-11-26T12:00:00',
  }),
  until('a time to come', '/complete_until/clients: lies in the future', {
    clients: '2999-01-01T00:00:00Z',
  }),
]
