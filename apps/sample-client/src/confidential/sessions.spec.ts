import { describe, expect, it } from '@jest/globals'
import { Sessions } from './sessions.js'

const asked = (state: string) => ({ asked: { state, verifier: 'v', scope: 'invoices:read' } })

function given() {
  let now = 1000
  const sessions = new Sessions({ seconds: () => now }, { count: 3, idleSeconds: 60 })
  const states = (...ids: string[]) => ids.map(id => sessions.find(id)?.asked?.state)
  return { sessions, states, after: (seconds: number) => (now += seconds) }
}

describe('sessions', () => {
  it('are found by their id only', () => {
    const { sessions, states } = given()
    sessions.keep('a', asked('1'))
    expect(states('a', 'b', '')).toEqual(['1', undefined, undefined])
  })

  it('end when they were not used for their time, and not before', () => {
    const { sessions, states, after } = given()
    sessions.keep('a', asked('1'))
    after(59)
    expect(states('a')).toEqual(['1'])
    after(59)
    expect(states('a')).toEqual(['1'])
    after(60)
    expect(states('a')).toEqual([undefined])
  })

  it('are no more than their limit: the longest unused one gives way', () => {
    const { sessions, states } = given()
    for (const id of ['a', 'b', 'c']) sessions.keep(id, asked(id))
    sessions.find('a')
    sessions.keep('d', asked('d'))
    expect(states('a', 'b', 'c', 'd')).toEqual(['a', undefined, 'c', 'd'])
  })

  it('are replaced under the same id, and forgotten', () => {
    const { sessions, states } = given()
    for (const state of ['1', '2', '3', '4']) sessions.keep('a', asked(state))
    expect(states('a')).toEqual(['4'])
    sessions.forget('a')
    expect(states('a')).toEqual([undefined])
  })
})
