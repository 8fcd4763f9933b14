import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Wire } from './bad-input/wire.js'
import { type OwnSystem, startSystem } from './running-system.js'

const atOnce = 64

/** More requests at once than the database takes connections, each of which needs several: none may wait for what another holds. */
describe('a crowd of operators’ requests', () => {
  let running: OwnSystem
  let token: string
  beforeAll(async () => {
    running = await startSystem('embedded', {
      consent: { DATABASE_POOL: '8' },
      clients: { DATABASE_POOL: '8' },
    })
    token = await new Wire(running).operatorToken()
  })
  afterAll(() => running?.stop())

  it.each([
    [
      'consent',
      '/accounts',
      (n: number) => ({ email: `person-${n}@example.com`, name: 'A person', password: randomUUID() }),
    ],
    ['consent', '/organizations', (n: number) => ({ name: `Company ${n}` })],
    [
      'clients',
      '/apis',
      (n: number) => ({
        api_id: `api-${n}`,
        audience: `https://api-${n}.example/`,
        name: 'An API',
        scopes: [{ name: 'things:read', text: 'Read things', access: 'read' }],
      }),
    ],
  ] as const)('%s: each POST %s is answered', async (service, path, bodyOf) => {
    const statuses = await Promise.all(
      Array.from({ length: atOnce }, async (_, n) => {
        const response = await fetch(`${running.installation.url(service)}${path}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify(bodyOf(n)),
        })
        return response.status
      }),
    )
    expect(statuses).toEqual(statuses.map(() => 201))
  })
})
