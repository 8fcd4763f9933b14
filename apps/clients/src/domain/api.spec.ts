import { assertFact } from '@grantlog/contracts'
import { describe, expect, it } from '@jest/globals'
import { type ApiCommand, type ApiRegistration, type ApiState, api } from './api.js'

const registration: ApiRegistration = {
  apiId: 'invoices',
  audience: 'https://api.example/invoices',
  name: 'Invoices',
  scopes: [{ name: 'invoices:read', text: 'Read your invoices', access: 'read' }],
  accessTokenSeconds: 600,
  accessTokenAlgorithm: 'ES256',
  accessTokenFormat: 'jwt',
}
const shorter: ApiRegistration = { ...registration, name: 'Your invoices', accessTokenSeconds: 60 }
const moved: ApiRegistration = { ...registration, audience: 'https://elsewhere.example/' }
const register: ApiCommand = { type: 'register', registration }
const update = (to: ApiRegistration): ApiCommand => ({ type: 'update', registration: to })
const suspend: ApiCommand = { type: 'suspend', apiId: 'invoices', reason: 'maintenance' }
const reinstate: ApiCommand = { type: 'reinstate', apiId: 'invoices' }

const after = (...commands: ApiCommand[]): ApiState =>
  commands.reduce((state, command) => api.decide(command, state).reduce(api.evolve, state), api.initial)
const none: ApiState = { registration: null, suspended: null }

describe('an API', () => {
  it.each([
    [
      'is registered',
      [],
      register,
      [{ type: 'api.registered', data: registration }],
      { registration, suspended: null },
    ],
    [
      'is registered once',
      [register],
      { type: 'register', registration: moved },
      [],
      { registration, suspended: null },
    ],
    [
      'gets other words and times',
      [register],
      update(shorter),
      [{ type: 'api.updated', data: shorter }],
      { registration: shorter, suspended: null },
    ],
    // tokens and grants name it
    ['never gets another audience', [register], update(moved), [], { registration, suspended: null }],
    ['is not updated before it exists', [], update(registration), [], none],
    [
      'stays suspended when its registration is replaced',
      [register, suspend],
      update(shorter),
      [{ type: 'api.updated', data: shorter }],
      { registration: shorter, suspended: 'maintenance' },
    ],
    [
      'is suspended',
      [register],
      suspend,
      [{ type: 'api.suspended', data: { apiId: 'invoices', reason: 'maintenance' } }],
      { registration, suspended: 'maintenance' },
    ],
    [
      'is suspended once: the first reason stays',
      [register, suspend],
      { ...suspend, reason: 'other' },
      [],
      { registration, suspended: 'maintenance' },
    ],
    ['is not suspended before it exists', [], suspend, [], none],
    [
      'is reinstated',
      [register, suspend],
      reinstate,
      [{ type: 'api.reinstated', data: { apiId: 'invoices' } }],
      { registration, suspended: null },
    ],
    ['is not reinstated when it works', [register], reinstate, [], { registration, suspended: null }],
    ['is not reinstated before it exists', [], reinstate, [], none],
  ] satisfies [string, ApiCommand[], ApiCommand, object[], ApiState][])(
    '%s',
    (_, given, when, then, state) => {
      expect(api.decide(when, after(...given))).toEqual(then)
      expect(after(...given, when)).toEqual(state)
    },
  )

  it('is the same state step by step and replayed, and only says what the catalogue knows', () => {
    const commands = [register, update(shorter), update(moved), suspend, reinstate]
    const ends = new Set<string>()
    for (const sequence of sequencesOf(commands, 4)) {
      let state = api.initial
      const log = []
      for (const command of sequence) {
        const events = api.decide(command, state)
        for (const event of events) assertFact(event)
        log.push(...events)
        // as the store keeps it
        state = JSON.parse(JSON.stringify(events.reduce(api.evolve, state))) as ApiState
      }
      expect(log.reduce(api.evolve, api.initial)).toEqual(state)
      expect([undefined, registration.audience]).toContain(state.registration?.audience)
      ends.add(`${state.registration?.name} ${state.suspended}`)
    }
    expect([...ends].sort()).toEqual([
      'Invoices maintenance',
      'Invoices null',
      'Your invoices maintenance',
      'Your invoices null',
      'undefined null',
    ])
  })
})

/** Every order in which this many of the commands may come, with repetition. */
function sequencesOf<T>(commands: readonly T[], length: number): T[][] {
  if (length === 0) return [[]]
  return sequencesOf(commands, length - 1).flatMap(begun => commands.map(command => [...begun, command]))
}
