import { setTimeout as delay } from 'node:timers/promises'
import { eventLine } from '@grantlog/contracts'
import { readLog } from '@grantlog/eventing'
import { Freshness, followRevocations, RevocationSet } from '@grantlog/resource-guard'
import { describeWithKafka, eventually } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { wordsOf } from './bad-input/requests.js'
import { expectRefusal, Wire } from './bad-input/wire.js'
import { confidentialClient } from './clients.js'
import { Ada, type OwnSystem, startTwice } from './running-system.js'

interface Page {
  readonly cursor: string
  readonly heard?: Readonly<Record<string, string>>
  readonly more: boolean
  readonly events: readonly {
    readonly id: string
    readonly data: { readonly target: { readonly id: string } }
  }[]
}

function revocationFeed(transport: 'embedded' | 'kafka') {
  let running: OwnSystem
  let wire: Wire
  let authorization: string
  beforeAll(async () => {
    running = await startTwice({}, transport)
    wire = new Wire(running)
    authorization = `Bearer ${await wire.operatorToken()}`
  })
  afterAll(() => running?.stop())

  const url = () => `${running.installation.url('token')}/revocations`
  const get = (query = '', headers: Record<string, string> = { authorization }, at = url()) =>
    fetch(`${at}${query}`, { headers })
  const page = async (query = '', at = url()): Promise<Page & { text: string }> => {
    const response = await get(query, { authorization }, at)
    const text = await response.text()
    if (!response.ok) throw new Error(`${response.status} ${text}`)
    return { ...(JSON.parse(text) as Page), text }
  }

  /** A grant of Ada’s, revoked by her. Returns its id. */
  async function revokeOne(ada = new Ada(running)): Promise<string> {
    const client = await confidentialClient(running)
    const callback = await ada.answer(await client.authorizationUrl('invoices:read'), client.redirectUri)
    const { accessToken } = await client.redeem(callback)
    const grant = JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString()).grant
    await ada.revokeOnGrantsPage(grant)
    return grant
  }
  const holds = ({ events }: Page, target: string) => events.some(({ data }) => data.target.id === target)

  it('gives what was revoked, byte for byte as it was logged, at every instance', async () => {
    const grant = await revokeOne()
    const db = new pg.Client({ connectionString: running.backbone.databaseUrl('consent') })
    await db.connect()
    const log = await readLog(db, 'consent', 0, 10_000)
    await db.end()
    const revoked = log.filter(({ type }) => type === 'token.revoked.v1').map(eventLine)
    expect(revoked.length).toBeGreaterThan(0)
    for (const instance of running.system.service('token').urls) {
      const read = await eventually(async () => {
        const answer = await page('', `${instance}/revocations`)
        expect(holds(answer, grant)).toBe(true)
        return answer
      })
      for (const line of revoked) expect(read.text).toContain(line)
      expect(Object.keys(read.heard ?? {}).sort()).toEqual(['clients', 'consent', 'token'])
    }
  })

  it('goes on from a cursor at another instance, and waits for what comes', async () => {
    const [first = '', second = ''] = running.system.service('token').urls
    const { cursor } = await page('', `${first}/revocations`)
    expect(await page(`?after=${cursor}`, `${second}/revocations`)).toMatchObject({ events: [], cursor })
    const waiting = page(`?after=${cursor}&wait=30`, `${second}/revocations`)
    await delay(500)
    const grant = await revokeOne()
    expect(holds(await waiting, grant)).toBe(true)
  })

  it('is followed by a resource server without Kafka, also when the instance that it reads from goes', async () => {
    const revocations = new RevocationSet()
    const freshness = new Freshness(['clients', 'consent', 'token'])
    const troubles: unknown[] = []
    const following = followRevocations({
      url: url(),
      accessToken: async () => authorization.slice('Bearer '.length),
      revocations,
      freshness,
      trouble: error => troubles.push(error),
    })
    try {
      const isRevoked = (grantId: string) =>
        revocations.revokedBy({ tokenId: 'x', grantId, clientId: 'x', subject: 'x', keyId: 'x', issuedAt: 0 })
      const ada = new Ada(running)
      await eventually(() => expect(freshness.complete).toBe(true))
      const before = await revokeOne(ada)
      await eventually(() => expect(isRevoked(before)).toBe('grant'))
      await running.system.service('token').restart()
      const after = await revokeOne(ada)
      await eventually(() => expect(isRevoked(after)).toBe('grant'))
      expect(isRevoked(before)).toBe('grant')
      await eventually(() => expect(freshness.stalenessSeconds(new Date())).toBeLessThan(3))
    } finally {
      await following.stop()
    }
  })

  it('is known to a person by what each API says of it, for as long as there is one that says so', async () => {
    const { installation, system } = running
    const ada = new Ada(running)
    await revokeOne(ada)
    const grants = async () => (await ada.visitor.open(`${installation.url('consent')}/grants`)).html
    const live = async () =>
      wordsOf((await ada.visitor.open(`${installation.url('consent')}/grants/positions`)).html)
    expect(await grants()).toContain('<iframe class="frame frame-')
    await eventually(async () =>
      expect(await live()).toMatch(/Ledgerly Refused by Invoices since \d\d:\d\d:\d\d UTC/),
    )
    const [, age] =
      /Invoices knows every revocation until ([\d.]+) s ago \(1 instance\)/.exec(await live()) ?? []
    expect(Number(age)).toBeLessThan(15)

    await system.service('resource').stop()
    expect(await live()).toContain('No API reports at the moment.')
    expect(await grants()).not.toContain('<iframe')
    await system.service('resource').start()
    await eventually(async () => expect(await live()).toContain('Refused by Invoices'))
  })

  it('ends with the token that it was asked with', async () => {
    const token = await wire.operatorToken()
    const stream = await get('', { authorization: `Bearer ${token}`, accept: 'text/event-stream' })
    expect(stream.headers.get('content-type')).toBe('text/event-stream')
    const ended = stream.text()
    await fetch(`${running.installation.url('token')}/revoke`, {
      method: 'POST',
      headers: wire.basic(running.demo.operator),
      body: new URLSearchParams({ token }),
    })
    expect(await ended).toContain('event: heard')
    expect((await get('', { authorization: `Bearer ${token}` })).status).toBe(401)
  })

  describe('refuses', () => {
    it('whoever has no token, or one for something else', async () => {
      const nobody = await get('', {})
      expect(nobody.status).toBe(401)
      expect(nobody.headers.get('www-authenticate')).toContain('Bearer')
      const form = {
        grant_type: 'client_credentials',
        resource: 'urn:grantlog:platform',
        scope: 'clients:read',
      }
      const issued = await fetch(`${running.installation.url('token')}/token`, {
        method: 'POST',
        headers: wire.basic(running.demo.operator),
        body: new URLSearchParams(form),
      })
      const { access_token } = (await issued.json()) as { access_token: string }
      const other = await get('', { authorization: `Bearer ${access_token}` })
      expect(other.status).toBe(403)
      expect(other.headers.get('www-authenticate')).toContain('scope="revocations:read"')
    })

    it.each([
      ['a cursor that it has not given', '?after=x', 'after must be a cursor'],
      ['a wait that is none', '?wait=x', 'wait must be a whole number of seconds from 0 to 60'],
      ['a wait that is too long', '?wait=61', 'wait must be a whole number of seconds from 0 to 60'],
      ['a parameter that stands twice', '?wait=1&wait=2', "The parameter 'wait' is included more than once"],
    ])('%s', async (_, query, says) => {
      await expectRefusal(await get(query), { status: 400, error: 'invalid_request', says })
    })
  })
}

describe('the feed of revocations over HTTP', () => revocationFeed('embedded'))
describeWithKafka('the feed of revocations over HTTP, on Kafka', () => revocationFeed('kafka'))
