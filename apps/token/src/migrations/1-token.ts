import { createEventTables, createProjectionTable, dropEventTables } from '@grantlog/eventing'
import { createUsedOnceTable } from '@grantlog/platform'
import type { MigrationInterface, QueryRunner } from 'typeorm'
import { apis } from '../projections/apis.projection.js'
import { clients } from '../projections/clients.projection.js'
import { devices } from '../projections/devices.projection.js'
import { revocations } from '../projections/revocations.projection.js'

export class Token1764000000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(createEventTables)
    for (const projection of [clients, apis, devices, revocations])
      await db.query(createProjectionTable(projection))
    await db.query(createUsedOnceTable)
    await db.query(`
      create table family_details (
        family_id text primary key,
        details json not null,
        expires_at bigint
      )`)
    await db.query('create index family_details_expiry on family_details (expires_at)')
    await db.query(`
      create table device_polls (
        device_id text primary key,
        polled_at bigint not null,
        wait_seconds integer not null,
        too_soon boolean not null,
        expires_at bigint not null
      )`)
    await db.query('create index device_polls_expiry on device_polls (expires_at)')
    await db.query('create index api_view_audience on api_view (audience)')
    await db.query('create index api_view_scopes on api_view using gin (scopes)')
    await db.query(`
      create table signing_keys (
        kid text primary key,
        private_key text not null,
        created_at bigint not null
      )`)
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(
      'drop table family_details, device_polls, used_once, signing_keys, client_view, api_view, device_view, revocation_view',
    )
    await db.query(dropEventTables)
  }
}
