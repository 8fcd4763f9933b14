import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureDatabase, type PostgresOptions, startPostgres } from '@grantlog/servers'

/** A Postgres of its own, with an empty database, for a test that needs another cluster than the run's. */
export async function ownPostgres(
  settings: PostgresOptions['settings'] = {},
): Promise<{ url: string; stop(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'grantlog-postgres-'))
  await chmod(dir, 0o755)
  const postgres = await startPostgres({
    dir: join(dir, 'data'),
    persistent: false,
    durable: false,
    settings,
  })
  await ensureDatabase(postgres.url('postgres'), 'test')
  return {
    url: postgres.url('test'),
    async stop() {
      await postgres.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}
