import { randomUUID } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Envelope } from '@grantlog/contracts'
import {
  Deadlines,
  detachSegment,
  dropEventTables,
  EmbeddedTransport,
  Eventing,
  eventTables,
  readLog,
  SegmentStays,
} from '@grantlog/eventing'
import { Clock, migrate, openDatabase, poolOf, UsedOnce } from '@grantlog/platform'
import { testDatabase } from '@grantlog/testing'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { DataSource } from 'typeorm'
import { accessToken } from './domain/access-token.js'
import { type FamilyFacts, family, refreshEnd } from './domain/family.js'
import { issue } from './grants/issuance.js'
import { Token1764000000000 } from './migrations/1-token.js'

const day = 86_400
const idleSeconds = 30 * day
const familySeconds = 90 * day
const months = 10
const segment = 300
const system = { actor: { type: 'system', id: 'spec' } } as const

class TestClock extends Clock {
  time = 1_800_000_000
  override now(): Date {
    return new Date(this.time * 1000)
  }
}

const clock = new TestClock()
let db: DataSource
let eventing: Eventing
let folder: string

beforeAll(async () => {
  const { url } = await testDatabase('no-growth')
  db = await openDatabase(url, 8, { migrations: [Token1764000000000] })
  await migrate(db)
  await db.query(dropEventTables)
  await db.query(eventTables(segment))
  eventing = new Eventing({
    pool: poolOf(db),
    service: 'token',
    projections: [],
    remote: new EmbeddedTransport({}),
    report: () => undefined,
    now: () => clock.now(),
  })
  eventing.start()
  folder = await mkdtemp(join(tmpdir(), 'grantlog-no-growth-'))
})
afterAll(async () => {
  await eventing?.stop()
  await db?.destroy()
  await rm(folder, { recursive: true })
})

function token(facts?: FamilyFacts) {
  return issue({
    issuer: 'https://issuer.example',
    key: { kid: 'k' } as never, // nothing is signed
    now: clock.time,
    lifetimeSeconds: 600,
    grantType: facts ? 'authorization_code' : 'client_credentials',
    clientId: 'ledgerly',
    subject: 'ledgerly',
    audience: 'https://api.example/invoices',
    scopes: ['invoices:read'],
    boundTo: undefined,
    ...(facts && { family: { ...facts, organizationId: undefined } }),
  }).facts
}

async function begin(refreshed: boolean): Promise<FamilyFacts> {
  const familyExpiresAt = refreshed ? clock.time + familySeconds : null
  const facts: FamilyFacts = {
    familyId: randomUUID(),
    grantId: randomUUID(),
    clientId: 'ledgerly',
    owner: { kind: 'person', id: randomUUID() },
    audience: 'https://api.example/invoices',
    scopes: ['invoices:read'],
    grantExpiresAt: null,
    refreshExpiresAt: refreshed ? refreshEnd(clock.time, idleSeconds, familyExpiresAt) : null,
    familyExpiresAt,
    person: randomUUID(),
    authTime: clock.time,
    accessTokenSeconds: 600,
    startedAt: clock.time,
    boundTo: null,
  }
  const refreshHash = refreshed ? 'r0' : null
  const redeem = { type: 'redeem', facts, refreshHash, token: token(facts), causeId: randomUUID() } as const
  await eventing.commands.run(family, facts.familyId, redeem, system)
  return facts
}

/** @returns whether it still can be */
async function refresh(facts: FamilyFacts): Promise<boolean> {
  const { state } = await eventing.commands.load(family, facts.familyId)
  const { events } = await eventing.commands.run(
    family,
    facts.familyId,
    {
      type: 'refresh',
      presented: state.refresh?.hash ?? '',
      sender: null,
      retrySeconds: 60,
      successor: {
        hash: `r${(state.refresh?.generation ?? 0) + 1}`,
        expiresAt: refreshEnd(clock.time, idleSeconds, facts.familyExpiresAt),
      },
      token: token(facts),
      at: clock.time,
      causeId: randomUUID(),
    },
    system,
  )
  return events.length > 0
}

const revoke = ({ familyId }: FamilyFacts) =>
  eventing.commands.run(
    family,
    familyId,
    { type: 'revoke', familyId, why: { reason: 'client-revoked' } },
    system,
  )

async function rows() {
  const tables = ['streams', 'events', 'used_once']
  const counts = tables.map(table => `(select count(*)::int from ${table}) as ${table}`)
  const [found] = await db.query(`select ${counts.join(', ')}`)
  return found as Record<string, number>
}

/** Detaches what is older than a month. */
async function detachWhatIsOld(): Promise<void> {
  const client = await poolOf(db).connect()
  try {
    for (;;) await detachSegment(client, 'token', folder, new Date((clock.time - 30 * day) * 1000))
  } catch (error) {
    if (!(error instanceof SegmentStays)) throw error
  } finally {
    client.release()
  }
}

async function archived(): Promise<Envelope[]> {
  const files = await readdir(folder)
  const read = await Promise.all(
    files.map(async file =>
      gunzipSync(await readFile(join(folder, file)))
        .toString()
        .trim()
        .split('\n'),
    ),
  )
  const lines = read.flatMap(each => each.slice(0, -1).map(line => JSON.parse(line)))
  return lines.map(({ event }) => event as Envelope).sort((a, b) => a.logseq - b.logseq)
}

it('after many months of the same load the database holds as much as after some, and the log is complete', async () => {
  const deadlines = new Deadlines([family], eventing.commands, {
    service: 'token',
    report: error => {
      throw error
    },
    now: () => clock.now(),
  })
  const usedOnce = new UsedOnce(db, () => clock.seconds())
  let used: FamilyFacts[] = []
  let begun = 0
  const held: Record<string, number>[] = []

  for (let month = 1; month <= months; month++) {
    for (let third = 0; third < 3; third++) {
      await db.query('select add_segments()') // which a service does every ten seconds
      // some are used for as long as they can be, some are forgotten, some are revoked, some have no refresh token
      const fresh = await Promise.all(Array.from({ length: 20 }, (_, n) => begin(n < 16)))
      begun += 16
      const kept = await Promise.all(used.map(async each => ((await refresh(each)) ? [each] : [])))
      used = [...kept.flat(), ...fresh.slice(0, 8)]
      await Promise.all(fresh.slice(8, 10).map(revoke))
      const alone = Array.from({ length: 10 }, () => token())
      await Promise.all(
        alone.map(each =>
          eventing.commands.run(accessToken, each.tokenId, { type: 'issue', token: each }, system),
        ),
      )
      for (let quarter = 0; quarter < 5; quarter++, clock.time += 900)
        await Promise.all(alone.map(({ tokenId }) => usedOnce.once(`${tokenId} ${quarter}`, clock.time + 60)))
      clock.time += 10 * day - 5 * 900
      while ((await deadlines.meet()) > 0);
    }
    await detachWhatIsOld()
    held.push(await rows())
  }

  // a family lives for three months at most, and what is older than one leaves
  const steady = held.slice(6)
  for (const table of ['streams', 'events', 'used_once']) {
    const counts = steady.map(rows => rows[table] ?? 0)
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(segment) // of which a part is not full
  }
  expect(held[6]?.events).toBeLessThan(eventing.store.measures().events / 2)

  const files = await archived()
  const inDatabase = await readLog(poolOf(db), 'token', files.length, 100_000)
  const log = [...files, ...inDatabase]
  expect(log.map(({ logseq }) => logseq)).toEqual(
    Array.from({ length: eventing.store.measures().events }, (_, n) => n + 1),
  )
  // each family that is over says so, once, and why
  const [waiting] = await db.query('select count(*)::int from streams where deadline is not null')
  const over = log.filter(({ type }) => type === 'family.expired.v1' || type === 'token.revoked.v1')
  expect(over.length).toBe(new Set(over.map(({ subject }) => subject)).size)
  expect(over.length).toBe(begun - waiting.count)
  const causes = new Set(over.flatMap(({ data }) => ('reason' in data ? [] : [data.cause])))
  expect([...causes].sort()).toEqual(['absolute', 'idle'])
}, 60_000)
