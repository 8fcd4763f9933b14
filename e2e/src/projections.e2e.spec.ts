import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { askProjection, type ProjectionAction, requestState } from '@grantlog/eventing'
import { describeWithKafka, eventually } from '@grantlog/testing'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { type OwnSystem, startSystem } from './running-system.js'

const program = join(import.meta.dirname, '../../apps/cli/dist/main.js')
const services = ['clients', 'consent', 'token'] as const

function projections(transport: 'embedded' | 'kafka') {
  let running: OwnSystem
  beforeAll(async () => {
    running = await startSystem(transport)
  })
  afterAll(() => running?.stop())

  async function grantlog(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    const databases = services.flatMap(name => [
      '--database',
      `${name}=${running.backbone.databaseUrl(name)}`,
    ])
    return new Promise(resolve =>
      execFile(process.execPath, [program, 'projections', ...args, ...databases], (error, out, err) =>
        resolve({ code: Number(error?.code ?? 0), out, err }),
      ),
    )
  }

  const names = async () =>
    (JSON.parse((await grantlog('status', '--json')).out) as { projection: string }[]).map(
      ({ projection }) => projection,
    )

  it('tells of every read model that it goes on', async () => {
    await eventually(async () => {
      const { out } = await grantlog('status')
      expect(out.trimEnd().split('\n')).toEqual(
        (await names()).map(name => expect.stringMatching(new RegExp(`^${name} +goes on$`))),
      )
    })
    expect(await names()).toEqual(expect.arrayContaining(['consent.grants.v1', 'token.clients.v1']))
  })

  it('rebuilds each while the system works, and each is what a replay says', async () => {
    const outcomes = await Promise.all(
      (await names()).map(async name => {
        const [service = ''] = name.split('.')
        const db = new pg.Client({ connectionString: running.backbone.databaseUrl(service as 'token') })
        await db.connect()
        const ask = async (action: ProjectionAction) => {
          const id = await askProjection(db, name, action)
          return eventually(async () => {
            const { ok, outcome } = await requestState(db, id)
            expect(ok).not.toBeNull()
            return outcome
          })
        }
        const said = [name, await ask('compare'), await ask('rebuild'), await ask('compare')]
        await db.end()
        return said
      }),
    )
    expect(outcomes).toEqual(
      (await names()).map(name => [
        name,
        expect.stringMatching(/^\d+ rows are what a pure replay says$/),
        expect.stringMatching(/^\d+ rows: rebuilt/),
        expect.stringMatching(/^\d+ rows are what a pure replay says$/),
      ]),
    )
  })

  it('names a row that is not what the events say, and rebuilds it', async () => {
    const { id } = running.demo.confidential
    const db = new pg.Client({ connectionString: running.backbone.databaseUrl('token') })
    await db.connect()
    await db.query('update client_view set suspended = true where client_id = $1', [id])
    await db.end()
    expect(await grantlog('compare', 'token.clients.v1')).toMatchObject({
      code: 1,
      err: expect.stringMatching(new RegExp(`1 of \\d+ rows differ .*: ${id}\n`)),
    })
    expect(await grantlog('rebuild', 'token.clients.v1')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+ rows: rebuilt, and equal to a pure replay\n$/),
    })
    expect(await grantlog('compare', 'token.clients.v1')).toMatchObject({ code: 0 })
  })

  it('refuses what it does not know with a sentence', async () => {
    const [unknown, elsewhere, notParked] = [
      await grantlog('rebuild', 'token.nothing.v1'),
      await grantlog('rebuild', 'nothing'),
      await grantlog('retry', 'consent.grants.v1', 'x'),
    ]
    expect(unknown).toMatchObject({ code: 2, err: expect.stringMatching(/token keeps no projection/) })
    expect(elsewhere).toMatchObject({ code: 2, err: expect.stringMatching(/“nothing” is no projection/) })
    expect(notParked).toMatchObject({ code: 1, err: expect.stringMatching(/No event .* is parked under/) })
  })
}

describe('grantlog projections', () => projections('embedded'))
describeWithKafka('grantlog projections, on Kafka', () => projections('kafka'))
