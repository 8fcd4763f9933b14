import { describe, expect, it } from '@jest/globals'
import {
  actorOf,
  actorsIn,
  type Exchanger,
  lineageOf,
  mayExchange,
  type PresentedToken,
  reachableScopes,
} from './exchange.js'

const portal = 'https://portal.example/'
const invoices = 'https://invoices.example/'
const archive = 'https://archive.example/'

/** The portal's own client: it may read invoices for everybody, and write them for whoever could write at the portal. */
const theClient: Exchanger = {
  clientId: 'portal-api',
  policy: {
    rules: [
      { from: portal, to: invoices, scopes: ['invoices:read'], subjectScopes: [] },
      { from: portal, to: invoices, scopes: ['invoices:write', 'invoices:read'], subjectScopes: ['edit'] },
      { from: portal, to: portal, scopes: ['view', 'edit'], subjectScopes: [] },
    ],
    impersonate: false,
  },
}
const impersonator: Exchanger = { ...theClient, policy: { ...theClient.policy, impersonate: true } }

/** A token that Ada let the web application have. */
const subject: PresentedToken = {
  jti: 'the-subject-token',
  sub: 'ada',
  client_id: 'web',
  iat: 1000,
  kid: 'key-1',
  family: 'the-family',
  grant: 'the-grant',
  organization: 'the-company',
  aud: portal,
  scope: 'view',
}
const own = { ...subject, jti: 'own-token', client_id: 'portal-api' }
const grace: PresentedToken = {
  jti: 'the-actor-token',
  sub: 'grace',
  client_id: 'portal-api',
  iat: 900,
  kid: 'key-0',
  aud: archive,
  scope: '',
}

describe('whether a client may exchange a token', () => {
  it.each([
    ['that was sent to it as an API', subject, true],
    ['that was sent to another API', { ...subject, aud: invoices }, false],
    ['of its own, for whatever API', { ...own, aud: archive }, true],
  ] as const)('%s', (_, token, may) => {
    expect(mayExchange(theClient, token)).toBe(may)
  })
})

describe('the scopes that a token can be exchanged for', () => {
  it.each([
    ['are those of the rule', subject, invoices, ['invoices:read']],
    [
      'are those of every rule that the token has the scopes for, each once',
      { ...subject, scope: 'view edit' },
      invoices,
      ['invoices:read', 'invoices:write'],
    ],
    ['are not those of a rule from another audience', { ...subject, aud: archive }, invoices, undefined],
    ['are none where no rule goes', subject, archive, undefined],
    ['are at the same API no more than the token has', subject, portal, ['view']],
    ['are at another API for a token of its own those of the rule', own, invoices, ['invoices:read']],
    ['are at the same API for a token of its own what it has', { ...own, scope: 'a b' }, portal, ['a', 'b']],
    ['need no rule for that', { ...own, aud: archive, scope: 'a' }, archive, ['a']],
    ['are nowhere else without a rule', { ...own, aud: archive }, invoices, undefined],
  ] as const)('%s', (_, token, audience, scopes) => {
    expect(reachableScopes(theClient, token, audience)).toEqual(scopes)
  })

  it('are none, but the API is not closed, where the token lacks what every rule needs', () => {
    const [, writing] = theClient.policy.rules
    const strict = { ...theClient, policy: { impersonate: false, rules: writing ? [writing] : [] } }
    expect(reachableScopes(strict, subject, invoices)).toEqual([])
  })
})

describe('who acts by the new token (RFC 8693 §4.1)', () => {
  const delegated = { ...subject, act: { sub: 'gateway' } }
  it.each([
    ['the client, where no actor is named', theClient, subject, undefined, ['portal-api']],
    ['whoever the actor token names', theClient, subject, grace, ['grace']],
    [
      'the last one first: who acted before stays named',
      theClient,
      delegated,
      undefined,
      ['portal-api', 'gateway'],
    ],
    ['before an actor too', theClient, delegated, grace, ['grace', 'gateway']],
    ['nobody, where the client may impersonate', impersonator, subject, undefined, []],
    ['but who acted before stays named', impersonator, delegated, undefined, ['gateway']],
    ['an actor is named even so', impersonator, subject, grace, ['grace']],
    ['nobody new, where nothing changes hands', theClient, own, undefined, []],
    ['and nobody is forgotten', theClient, { ...own, act: { sub: 'gateway' } }, undefined, ['gateway']],
  ] as const)('%s', (_, exchanger, token, actor, actors) => {
    expect(actorsIn(actorOf(exchanger, token, actor))).toEqual(actors)
  })

  it('is nested', () => {
    expect(actorOf(theClient, delegated, grace)).toEqual({ sub: 'grace', act: { sub: 'gateway' } })
  })
})

describe('what a token is made of', () => {
  const names = {
    jti: 'the-subject-token',
    sub: 'ada',
    client_id: 'web',
    iat: 1000,
    kid: 'key-1',
    family: 'the-family',
    grant: 'the-grant',
    organization: 'the-company',
  }

  it('is the subject token, by every name that can revoke it, and by nothing else', () => {
    expect(lineageOf(subject, undefined)).toEqual([names])
  })

  it('is what each of them was made of, too', () => {
    const first = { ...names, jti: 'first' }
    const other = { ...names, jti: 'other' }
    const made = lineageOf({ ...subject, lineage: [first] }, { ...grace, lineage: [other] })
    expect(made.map(({ jti }) => jti)).toEqual(['first', 'the-subject-token', 'other', 'the-actor-token'])
  })
})
