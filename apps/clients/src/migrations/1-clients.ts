import { createEventTables, createProjectionTable, dropEventTables } from '@grantlog/eventing'
import { signingKeysOf } from '@grantlog/platform'
import type { MigrationInterface, QueryRunner } from 'typeorm'
import { apis } from '../projections/apis.projection.js'
import { clientList } from '../projections/clients.projection.js'

export class Clients1764000000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(createEventTables)
    for (const projection of [clientList, apis, signingKeysOf('clients')]) {
      await db.query(createProjectionTable(projection))
    }
    await db.query('create table audience_claims (audience text primary key, api_id text not null)')
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('drop table audience_claims, client_view, api_view, signing_key_view')
    await db.query(dropEventTables)
  }
}
