import { assertFact } from '@grantlog/contracts'
import { describe, expect, it } from '@jest/globals'
import {
  type ClientCommand,
  type ClientEvent,
  type ClientState,
  client,
  mayBecome,
  type Registration,
} from './client.js'

const cause = '0199aa00-0000-7000-8000-0000000000ca'
const registration: Registration = {
  clientId: 'ledgerly',
  name: 'Ledgerly',
  homepage: null,
  redirectUris: ['https://ledgerly.example/callback'],
  grantTypes: ['authorization_code'],
  tokenEndpointAuthMethod: 'client_secret_basic',
  keys: [],
  certificates: [],
  senderConstraint: null,
  requirePushedRequests: false,
  requireSignedRequests: false,
  scopes: ['invoices:read'],
}
const renamed: Registration = {
  ...registration,
  name: 'Ledgerly Books',
  tokenEndpointAuthMethod: 'client_secret_post',
}
const secretless: Registration = { ...registration, tokenEndpointAuthMethod: 'none' }
const credentials = [
  {
    credentialId: '0199aa00-0000-7000-8000-000000000001',
    verifier: 'MV0lhJQHrGXzoyhYIxZ4cHJSf0TTyERAAq5Ck0nPYoI',
  },
]
const register: ClientCommand = { type: 'register', registration, credentials }
const update = (to: Registration): ClientCommand => ({ type: 'update', registration: to })
const suspend: ClientCommand = {
  type: 'suspend',
  clientId: 'ledgerly',
  reason: 'phishing',
  eventId: cause,
  cutoff: 1005,
}
const revoke: ClientCommand = { type: 'revoke', clientId: 'ledgerly', note: 'a leak', cutoff: 1006 }
const reinstate: ClientCommand = { type: 'reinstate', clientId: 'ledgerly' }
const remove: ClientCommand = { type: 'delete', clientId: 'ledgerly', reason: 'discontinued', eventId: cause }
const removed = [
  { type: 'client.deleted', id: cause, data: { clientId: 'ledgerly', reason: 'discontinued' } },
  {
    type: 'token.revoked',
    data: {
      target: { kind: 'client', id: 'ledgerly' },
      issuedBefore: null,
      reason: 'client-deleted',
      cause,
    },
  },
]

const after = (...commands: ClientCommand[]): ClientState =>
  commands.reduce(
    (state, command) => client.decide(command, state).reduce(client.evolve, state),
    client.initial,
  )
const nobody: ClientState = { registration: null, suspended: null, deleted: false }
const gone: ClientState = { ...nobody, deleted: true }

describe('a client', () => {
  it.each([
    [
      'is registered with its credentials',
      [],
      register,
      [{ type: 'client.registered', data: { ...registration, credentials } }],
      { ...nobody, registration },
    ],
    ['is registered once', [register], register, [], { ...nobody, registration }],
    [
      'is registered once, also while it is suspended',
      [register, suspend],
      register,
      [],
      { ...nobody, registration, suspended: 'phishing' },
    ],
    [
      'gets another registration',
      [register],
      update(renamed),
      [{ type: 'client.updated', data: renamed }],
      { ...nobody, registration: renamed },
    ],
    [
      'stays suspended when its registration is replaced',
      [register, suspend],
      update(renamed),
      [{ type: 'client.updated', data: renamed }],
      { ...nobody, registration: renamed, suspended: 'phishing' },
    ],
    ['never gives up its secret for none', [register], update(secretless), [], { ...nobody, registration }],
    [
      'never gets a secret that it did not have',
      [{ type: 'register', registration: secretless, credentials: [] }],
      update(registration),
      [],
      { ...nobody, registration: secretless },
    ],
    ['is not updated before it exists', [], update(registration), [], nobody],
    [
      'is suspended, and its tokens with it',
      [register],
      suspend,
      [
        { type: 'client.suspended', id: cause, data: { clientId: 'ledgerly', reason: 'phishing' } },
        {
          type: 'token.revoked',
          data: {
            target: { kind: 'client', id: 'ledgerly' },
            issuedBefore: 1005,
            reason: 'client-suspended',
            cause,
          },
        },
      ],
      { ...nobody, registration, suspended: 'phishing' },
    ],
    [
      'is suspended once: the first reason stays',
      [register, suspend],
      { ...suspend, reason: 'other' },
      [],
      { ...nobody, registration, suspended: 'phishing' },
    ],
    [
      'goes on, while what was issued to it counts no longer',
      [register],
      revoke,
      [
        {
          type: 'token.revoked',
          data: {
            target: { kind: 'client', id: 'ledgerly' },
            issuedBefore: 1006,
            reason: 'operator',
            note: 'a leak',
            cause: null,
          },
        },
      ],
      { ...nobody, registration },
    ],
    ['has nothing revoked before it exists', [], revoke, [], nobody],
    ['is not suspended before it exists', [], suspend, [], nobody],
    [
      'is reinstated',
      [register, suspend],
      reinstate,
      [{ type: 'client.reinstated', data: { clientId: 'ledgerly' } }],
      { ...nobody, registration },
    ],
    ['is not reinstated when it works', [register], reinstate, [], { ...nobody, registration }],
    ['is reinstated once', [register, suspend, reinstate], reinstate, [], { ...nobody, registration }],
    ['is not reinstated before it exists', [], reinstate, [], nobody],
    ['is deleted, and all its tokens with it, for good', [register], remove, removed, gone],
    ['is deleted also while it is suspended', [register, suspend], remove, removed, gone],
    ['is deleted once', [register, remove], remove, [], gone],
    ['is not deleted before it exists', [], remove, [], nobody],
    ['leaves its id to nobody once it is deleted', [register, remove], register, [], gone],
    ['is not updated once it is deleted', [register, remove], update(renamed), [], gone],
    ['is not suspended once it is deleted', [register, remove], suspend, [], gone],
    ['is not reinstated once it is deleted', [register, suspend, remove], reinstate, [], gone],
    ['has nothing more revoked once it is deleted', [register, remove], revoke, [], gone],
  ] satisfies [string, ClientCommand[], ClientCommand, object[], ClientState][])(
    '%s',
    (_, given, when, then, state) => {
      expect(client.decide(when, after(...given))).toEqual(then)
      expect(after(...given, when)).toEqual(state)
    },
  )

  it('keeps credentials in no state: it is stored beside the stream, and shown to operators', () => {
    expect(JSON.stringify(after(register, update(renamed), suspend))).not.toContain(credentials[0]?.verifier)
  })

  it.each([
    ['client_secret_basic', 'client_secret_post', true],
    ['client_secret_post', 'client_secret_basic', true],
    ['none', 'none', true],
    ['client_secret_basic', 'none', false],
    ['none', 'client_secret_post', false],
    ['none', 'private_key_jwt', false],
    ['client_secret_basic', 'private_key_jwt', true],
    ['tls_client_auth', 'private_key_jwt', true],
    ['private_key_jwt', 'client_secret_basic', false],
    ['self_signed_tls_client_auth', 'client_secret_post', false],
  ] as const)('may %s become %s?', (before, then, answer) => {
    const by = (tokenEndpointAuthMethod: Registration['tokenEndpointAuthMethod']) => ({
      ...registration,
      tokenEndpointAuthMethod,
    })
    expect(mayBecome(by(before), by(then))).toBe(answer)
  })

  it('is the same state step by step and replayed, and only says what the catalogue knows', () => {
    const commands = [register, update(renamed), update(secretless), suspend, reinstate, revoke, remove]
    const ends = new Set<string>()
    for (const sequence of sequencesOf(commands, 4)) {
      let state = client.initial
      const log: ClientEvent[] = []
      for (const command of sequence) {
        const events = client.decide(command, state)
        for (const event of events) assertFact(event)
        log.push(...events)
        // as the store keeps it
        state = JSON.parse(JSON.stringify(events.reduce(client.evolve, state))) as ClientState
      }
      expect(log.reduce(client.evolve, client.initial)).toEqual(state)
      const times = (type: string) => log.filter(event => event.type === type).length
      expect(times('client.registered')).toBe(state.registration === null && !state.deleted ? 0 : 1)
      expect(times('client.deleted')).toBe(state.deleted ? 1 : 0)
      if (!state.deleted)
        expect(times('client.suspended') - times('client.reinstated')).toBe(state.suspended === null ? 0 : 1)
      else expect(log.slice(-2).map(({ type }) => type)).toEqual(['client.deleted', 'token.revoked'])
      const byOperator = log.filter(({ data }) => 'reason' in data && data.reason === 'operator').length
      expect(times('token.revoked') - byOperator).toBe(times('client.suspended') + times('client.deleted'))
      ends.add(state.deleted ? 'deleted' : `${state.registration?.name} ${state.suspended}`)
    }
    expect([...ends].sort()).toEqual([
      'Ledgerly Books null',
      'Ledgerly Books phishing',
      'Ledgerly null',
      'Ledgerly phishing',
      'deleted',
      'undefined null',
    ])
  })
})

/** Every order in which this many of the commands may come, with repetition. */
function sequencesOf<T>(commands: readonly T[], length: number): T[][] {
  if (length === 0) return [[]]
  return sequencesOf(commands, length - 1).flatMap(begun => commands.map(command => [...begun, command]))
}
