import { randomUUID } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Commands, EventStore } from '@grantlog/eventing'
import { migrate, openDatabase, poolOf } from '@grantlog/platform'
import { testDatabase } from '@grantlog/testing'
import { expect, it } from '@jest/globals'
import { bootstrap } from './bootstrap.command.js'
import { clients } from './clients.service.js'
import { client } from './domain/client.js'

it('an operator’s client that was deleted is not made again', async () => {
  const database = await testDatabase('bootstrap')
  const db = await openDatabase(database.url, 2, { migrations: [], ...clients.database })
  const store = new EventStore(poolOf(db))
  const file = join(tmpdir(), randomUUID())
  try {
    await migrate(db)
    await writeFile(file, 's'.repeat(32))
    const commands = new Commands(store, () => new Date())
    const config = {
      PLATFORM_AUDIENCE: 'urn:grantlog:platform',
      CLIENT_SECRET_KEYS: Buffer.alloc(32, 7).toString('base64url'),
    }
    expect(await bootstrap(commands, config, ['--json'])).toContain('"client_id":"operator"')
    await expect(bootstrap(commands, config, [])).rejects.toThrow('There is an operator already')
    const end = {
      type: 'delete',
      clientId: 'operator',
      reason: 'another one took over',
      eventId: randomUUID(),
    } as const
    await commands.run(client, 'operator', end, { actor: { type: 'operator', id: 'another' } })
    await expect(bootstrap(commands, config, [])).rejects.toThrow('was deleted, for good')
    // where an installation runs it at each start, it goes on
    expect(await bootstrap(commands, config, ['--secret-file', file])).toContain('was deleted, for good')
  } finally {
    await rm(file, { force: true })
    await store.close()
    await db.destroy()
    await database.drop()
  }
})
