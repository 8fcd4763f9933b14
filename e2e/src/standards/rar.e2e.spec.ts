import { formOf } from '@grantlog/demonstration'
import { grantsUrlOf } from '@grantlog/launcher'
import { eventually } from '@grantlog/testing'
import { beforeAll, describe, expect, it } from '@jest/globals'
import * as oidc from 'openid-client'
import pg from 'pg'
import { wordsOf } from '../bad-input/requests.js'
import { type Client, expectRefusal } from '../bad-input/wire.js'
import { claimsOf } from '../exchange/exchange-world.js'
import { Ada, type RunningSystem, sharedSystem } from '../running-system.js'
import { type Change, codeOf, RequestWorld, redirectUri, verifier } from './request-world.js'

const bank = 'https://bank.example/'
const paymentType = {
  type: 'payment',
  text: 'Pay once from your account',
  fields: [
    { name: 'amount.value', text: 'Amount' },
    { name: 'amount.currency', text: 'Currency', values: ['EUR', 'GBP'] },
    { name: 'creditor', text: 'To' },
    { name: 'urgent', text: 'At once', kind: 'boolean', required: false },
  ],
}
const readingType = { type: 'account', text: 'See an account', fields: [{ name: 'iban', text: 'Account' }] }
const payment = { type: 'payment', amount: { value: '123.50', currency: 'EUR' }, creditor: 'Merchant A' }
const reading = { type: 'account', iban: 'DE40100100103307118608' }

interface Answer {
  readonly access_token: string
  readonly refresh_token: string
  readonly scope?: string
  readonly authorization_details?: object[]
}

describe('rich authorization requests (RFC 9396)', () => {
  let running: RunningSystem
  let world: RequestWorld
  let client: Client
  beforeAll(async () => {
    running = await sharedSystem()
    world = await RequestWorld.create(running)
    const scopes = [{ name: 'bank', text: 'Use your accounts', access: 'read' }]
    const api = { api_id: 'bank', audience: bank, name: 'Bank', scopes }
    const types = [paymentType, readingType, { type: 'loan', text: 'Borrow' }]
    const response = await world.registerApi({ ...api, authorization_details_types: types })
    expect(response.status).toBe(201)
    client = await world.client({
      grant_types: ['authorization_code', 'refresh_token'],
      scope: 'bank invoices:read',
      authorization_details_types: ['payment', 'account'],
      jwks: world.jwks,
    })
    await eventually(async () => expect((await world.push(client, asking([payment]))).status).toBe(201))
  })

  const asking = (details: unknown, change: Change = {}): Change => ({
    scope: undefined,
    resource: bank,
    authorization_details: JSON.stringify(details),
    ...change,
  })
  const approved = async (change: Change) => {
    const url = world.authorizationUrl(world.parameters(client, change))
    return codeOf(await world.wire.ada.answer(url, redirectUri))
  }
  const post = (form: Record<string, string>) => world.wire.post('/token', form, world.wire.basic(client))
  const answer = async (form: Record<string, string>) =>
    (await world.wire.granted(await post(form))) as unknown as Answer
  const redeemed = async (change: Change, more: Record<string, string> = {}) =>
    answer({ ...world.wire.redemption(client, await approved(change)), ...more })
  const refresh = ({ refresh_token }: Answer, more: Record<string, string> = {}) => ({
    grant_type: 'refresh_token',
    refresh_token,
    ...more,
  })
  const introspect = async (token: string) => {
    const headers = world.wire.basic(running.demo.operator)
    return (await (await world.wire.post('/introspect', { token }, headers)).json()) as object
  }

  it('a person reads every member in the API’s words, and nothing is granted unseen (§11.1)', async () => {
    const ada = new Ada(running)
    await ada.answer(world.authorizationUrl(world.parameters(client)), redirectUri, { decision: 'deny' })
    const details = [{ ...payment, urgent: true, locations: [bank] }, reading]
    const page = await ada.visitor.open(world.authorizationUrl(world.parameters(client, asking(details))))
    const words = wordsOf(page.html)
    for (const text of [
      'Pay once from your account',
      'Amount 123.50',
      'Currency EUR',
      'To Merchant A',
      'At once yes',
    ])
      expect(words).toContain(text)
    expect(words).toContain('See an account Account DE40100100103307118608')
    expect(words).not.toContain('Use your accounts')
  })

  it('the response and the token say what was granted, and no scope where none was (§7, §9.1)', async () => {
    const tokens = await redeemed(asking([payment, reading]))
    expect(tokens).not.toHaveProperty('scope')
    expect(tokens.authorization_details).toEqual([payment, reading])
    expect(claimsOf(tokens.access_token)).toMatchObject({
      aud: bank,
      scope: '',
      authorization_details: [payment, reading],
    })
  })

  it('introspection says it too, of both tokens (§9.2)', async () => {
    const tokens = await redeemed(asking([payment]))
    for (const token of [tokens.access_token, tokens.refresh_token])
      expect(await introspect(token)).toMatchObject({ active: true, authorization_details: [payment] })
  })

  it('a refreshed token is for the same, or for less when its client asks (§6)', async () => {
    const first = await redeemed(asking([payment, reading]))
    const second = await answer(refresh(first, { authorization_details: JSON.stringify([reading]) }))
    expect(second.authorization_details).toEqual([reading])
    const third = await answer(refresh(second))
    expect(third.authorization_details).toEqual([payment, reading])
  })

  it('a code may be redeemed for less, and its refresh token is for all (§6)', async () => {
    const first = await redeemed(asking([payment, reading]), {
      authorization_details: JSON.stringify([payment]),
    })
    expect(first.authorization_details).toEqual([payment])
    expect(claimsOf(first.access_token).authorization_details).toEqual([payment])
    expect((await answer(refresh(first))).authorization_details).toEqual([payment, reading])
  })

  it('a scope may stand beside them (§3.1)', async () => {
    const tokens = await redeemed(asking([payment], { scope: 'bank' }))
    expect(tokens).toMatchObject({ scope: 'bank', authorization_details: [payment] })
  })

  it('they may be pushed, and signed as JSON', async () => {
    const uri = await world.pushed(client, asking([payment]))
    const change = { scope: undefined, resource: bank, authorization_details: [reading] }
    const queries = [
      [{ client_id: client.id, request_uri: uri }, payment],
      [{ client_id: client.id, request: world.object(client, change) }, reading],
    ] as const
    for (const [query, detail] of queries) {
      const code = codeOf(await world.wire.ada.answer(world.authorizationUrl(query), redirectUri))
      const tokens = await answer(world.wire.redemption(client, code))
      expect(tokens.authorization_details).toEqual([detail])
    }
  })

  it.each<[string, unknown, string]>([
    ['§5: an unknown type', [{ type: 'other' }], "'other' is not known"],
    ['§5: a type that the client is not registered for', [{ type: 'loan' }], "'loan' is not known"],
    ['§5: an unknown member', [{ ...payment, debtor: 'x' }], "no member 'debtor'"],
    [
      '§5: a member of the wrong type',
      [{ ...payment, urgent: 'yes' }],
      "'urgent' of 'payment' must be a boolean",
    ],
    [
      '§5: a member with an invalid value',
      [{ ...payment, amount: { value: '1', currency: 'X' } }],
      'one of EUR',
    ],
    ['§5: a member that is missing', [{ type: 'account' }], "'iban' of 'account' is missing"],
    ['§2: no array', payment, 'must be a JSON array of objects'],
    ['§2: no type', [{}], 'needs a type'],
    ['another location', [{ ...reading, locations: ['https://other.example/'] }], 'The locations'],
    ['text that turns around', [{ ...payment, creditor: 'A\u202e' }], 'one line'],
    ['too much', [{ ...payment, creditor: 'x'.repeat(3100) }], 'longer than 3072 bytes'],
  ])('refused: %s', async (_, details, says) => {
    await expectRefusal(await world.push(client, asking(details)), {
      error: 'invalid_authorization_details',
      says,
    })
    const location = (await world.open(world.parameters(client, asking(details)))).headers.get('location')
    expect(new URL(location ?? '').searchParams.get('error')).toBe('invalid_authorization_details')
  })

  it('refused: what is no JSON, an API that knows no types, and no API', async () => {
    const refused = async (change: Change, error: string) =>
      expectRefusal(await world.push(client, asking([payment], change)), { error, says: '' })
    await refused({ authorization_details: '{' }, 'invalid_authorization_details')
    await refused({ resource: running.audience }, 'invalid_authorization_details')
    await refused({ resource: undefined }, 'invalid_target')
  })

  it('refused at the token endpoint: what was not granted, and a grant type that takes none', async () => {
    const tokens = await redeemed(asking([payment]))
    const more = { authorization_details: JSON.stringify([reading]) }
    const error = 'invalid_authorization_details'
    await expectRefusal(await post(refresh(tokens, more)), { error, says: 'not among those' })
    const code = world.wire.redemption(client, await approved(asking([payment])))
    await expectRefusal(await post({ ...code, ...more }), { error, says: 'not among those' })
    expect((await answer(code)).authorization_details).toEqual([payment])
    await expectRefusal(
      await world.wire.post(
        '/token',
        { grant_type: 'client_credentials', ...more },
        world.wire.basic(running.demo.operator),
      ),
      { error, says: 'takes no authorization details' },
    )
  })

  it('no log holds them, only a digest that says nothing once they are deleted', async () => {
    const { result: tokens, log } = await running.logged(() => redeemed(asking([reading])))
    expect(JSON.stringify(log)).not.toContain(reading.iban)
    const digests = log.flatMap(({ data }) => ('detailsDigest' in data ? [data.detailsDigest] : []))
    expect(digests).toEqual([expect.stringMatching(/^[\w-]{43}$/), digests[0]])
    const db = new pg.Client({ connectionString: running.backbone.databaseUrl('token') })
    await db.connect()
    await db.query('delete from family_details')
    await db.end()
    // a token that says less than the person was asked must not pass for one without limits
    await expectRefusal(await post(refresh(tokens)), { error: 'invalid_grant', says: 'invalid' })
    expect(await introspect(tokens.refresh_token)).toEqual({ active: false })
  })

  it('a form that is sent twice is one approval, of the same details', async () => {
    const ada = new Ada(running)
    await ada.answer(world.authorizationUrl(world.parameters(client)), redirectUri, { decision: 'deny' })
    const page = await ada.visitor.open(world.authorizationUrl(world.parameters(client, asking([payment]))))
    const allow = () =>
      ada.visitor.submit(page, formOf(page, /authorize/), { decision: 'approve' }, redirectUri)
    await allow()
    const { log } = await running.logged(async () => {
      const code = codeOf(new URL((await allow()).url))
      expect((await answer(world.wire.redemption(client, code))).authorization_details).toEqual([payment])
    })
    expect(log.map(({ type }) => type)).toEqual(['code.redeemed', 'token.issued'])
  })

  it('her grants show what she approved', async () => {
    await approved(asking([payment]))
    await eventually(async () => {
      const page = await world.wire.ada.visitor.open(grantsUrlOf(running.installation))
      expect(wordsOf(page.html)).toContain(
        'Pay once from your account: Amount 123.50, Currency EUR, To Merchant A',
      )
    })
  })

  it('§10: the metadata names the types, and a client and an API are shown with theirs', async () => {
    const metadata = (await (
      await fetch(world.wire.url('/.well-known/oauth-authorization-server'))
    ).json()) as object
    // there are others' of specs that share the system
    expect(metadata).toMatchObject({
      authorization_details_types_supported: expect.arrayContaining(['account', 'loan', 'payment']),
    })
  })

  it.each<[string, object, string]>([
    [
      'a member twice',
      { fields: [readingType.fields[0], readingType.fields[0]] },
      '/authorization_details_types/0/fields',
    ],
    [
      'a member that is the type',
      { fields: [{ name: 'type', text: 'x' }] },
      '/authorization_details_types/0/fields/0/name',
    ],
    [
      'values of a number',
      { fields: [{ name: 'a', text: 'x', kind: 'number', values: ['1'] }] },
      '/authorization_details_types/0/fields/0/values',
    ],
  ])('an API is not registered with %s', async (_, change, pointer) => {
    const scopes = [{ name: 'x', text: 'x', access: 'read' }]
    const api = { api_id: 'x', audience: 'https://x.example/', name: 'X', scopes }
    const response = await world.registerApi({
      ...api,
      authorization_details_types: [{ ...readingType, ...change }],
    })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ errors: [{ pointer }] })
  })

  it('openid-client asks for them and reads them', async () => {
    const config = await oidc.discovery(
      new URL(world.issuer),
      client.id,
      undefined,
      oidc.ClientSecretBasic(client.secret ?? ''),
      { algorithm: 'oauth2', execute: [oidc.allowInsecureRequests] },
    )
    const state = oidc.randomState()
    const url = await oidc.buildAuthorizationUrlWithPAR(config, {
      redirect_uri: redirectUri,
      resource: bank,
      authorization_details: JSON.stringify([payment]),
      state,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })
    const callback = await world.wire.ada.answer(url.href, redirectUri)
    const checks = { pkceCodeVerifier: verifier, expectedState: state }
    const tokens = await oidc.authorizationCodeGrant(config, callback, checks)
    expect(tokens.authorization_details).toEqual([payment])
  })
})
