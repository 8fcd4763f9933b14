import { createEventTables, createProjectionTable, dropEventTables } from '@grantlog/eventing'
import { createUsedOnceTable, signingKeysOf } from '@grantlog/platform'
import type { MigrationInterface, QueryRunner } from 'typeorm'
import { apis } from '../projections/apis.projection.js'
import { clients } from '../projections/clients.projection.js'
import { cutoffs } from '../projections/cutoffs.projection.js'
import { grants, lastUses } from '../projections/grants.projection.js'
import { memberships } from '../projections/memberships.projection.js'

export class Consent1764000000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(createEventTables)
    const projections = [clients, apis, memberships, cutoffs, grants, lastUses, signingKeysOf('consent')]
    for (const projection of projections) await db.query(createProjectionTable(projection))
    await db.query('create index api_view_audience on api_view (audience)')
    await db.query('create index membership_view_account on membership_view (account_id)')
    await db.query('create index grant_view_owner on grant_view (owner_id, client_id)')
    await db.query(`
      create table accounts (
        account_id text primary key,
        email text not null,
        name text not null,
        password_hash text not null,
        suspended boolean not null default false
      )`)
    await db.query('create unique index accounts_email on accounts (lower(email))')
    await db.query('create table organizations (organization_id text primary key, name text not null)')
    await db.query(`
      create table sessions (
        id_hash text primary key,
        account_id text not null references accounts on delete cascade,
        signed_in_at bigint not null,
        expires_at bigint not null
      )`)
    await db.query('create index sessions_expiry on sessions (expires_at)')
    await db.query('create index sessions_account on sessions (account_id)')
    await db.query(createUsedOnceTable)
    await db.query(`
      create table pushed_requests (
        uri_hash text primary key,
        client_id text not null,
        query text not null,
        expires_at bigint not null,
        opened boolean not null default false,
        answered_by text
      )`)
    await db.query(`
      create table device_requests (
        code_hash text primary key,
        device_id text not null unique,
        client_id text not null,
        query text not null,
        expires_at bigint not null,
        answered_by text
      )`)
    await db.query('create index device_requests_expiry on device_requests (expires_at)')
    await db.query(`
      create table approved_details (
        code_id text primary key,
        grant_id text not null,
        details text not null,
        salt text not null,
        approved_at timestamptz not null default now()
      )`)
    await db.query('create index approved_details_grant on approved_details (grant_id, approved_at)')
    await db.query('create index pushed_requests_expiry on pushed_requests (expires_at)')
    await db.query(`
      create table positions (
        resource text,
        client_id text,
        instance text,
        complete_until timestamptz not null,
        heard_at timestamptz not null,
        primary key (resource, client_id, instance)
      )`)
    await db.query('create index positions_heard on positions (heard_at)')
    await db.query(`
      create table positions_of_all (
        resource text,
        since timestamptz,
        complete_until timestamptz not null,
        primary key (resource, since)
      )`)
    await db.query('create index positions_of_all_since on positions_of_all (since)')
    await db.query(`
      create table attempts (
        key text,
        period bigint,
        attempts integer not null,
        primary key (key, period)
      )`)
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(
      'drop table approved_details, used_once, pushed_requests, device_requests, sessions, positions, positions_of_all, attempts, accounts, organizations',
    )
    await db.query(
      'drop table client_view, api_view, membership_view, cutoff_view, grant_view, last_use_view, signing_key_view',
    )
    await db.query(dropEventTables)
  }
}
