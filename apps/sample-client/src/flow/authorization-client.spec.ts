import { describe, expect, it } from '@jest/globals'
import { isLoopback, refuseStranger } from './authorization-client.js'

const issuer = 'https://auth.example'
const asked = { state: 's1', verifier: 'v', scope: 'invoices:read' }
const good = `code=c&state=s1&iss=${encodeURIComponent(issuer)}`

describe('an answer at the redirect URI', () => {
  it.each([
    ['a code', good],
    ['an error', good.replace('code=c', 'error=access_denied')],
    ['parameters of its own', `${good}&session_hint=x`],
  ])('is taken with %s', (_, query) => {
    expect(refuseStranger(new URLSearchParams(query), asked, issuer)).toBeUndefined()
  })

  it.each([
    ['nothing', '', /no state/],
    ['no state', good.replace('state=s1', ''), /no state/],
    ['an empty state', good.replace('s1', ''), /no state/],
    ['another state', good.replace('s1', 's2'), /another state/],
    ['two states', `${good}&state=s1`, /'state' more than once/],
    ['two codes', `${good}&code=d`, /'code' more than once/],
    ['no issuer', 'code=c&state=s1', /\(iss\)/],
    ['another issuer', good.replace('auth', 'evil'), /another authorization server.*https:\/\/evil\.example/],
    ['neither code nor error', good.replace('code=c&', ''), /neither a code nor an error/],
  ])('is refused with %s', (_, query, sentence) => {
    expect(refuseStranger(new URLSearchParams(query), asked, issuer)).toMatch(sentence)
  })

  it('is refused when nothing was asked', () => {
    expect(refuseStranger(new URLSearchParams(good), undefined, issuer)).toMatch(/has not asked/)
  })
})

it.each([
  ['http://localhost:4003', true],
  ['http://auth.localhost', true],
  ['http://127.0.0.1:1', true],
  ['http://[::1]:1', true],
  ['http://localhost.example', false],
  ['http://127.0.0.1.example', false],
  ['http://auth.example', false],
])('%s is on this machine: %s', (url, expected) => {
  expect(isLoopback(new URL(url))).toBe(expected)
})
