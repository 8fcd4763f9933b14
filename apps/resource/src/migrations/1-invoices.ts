import type { MigrationInterface, QueryRunner } from 'typeorm'

export class Invoices1764000000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      create table invoices (
        id uuid primary key,
        owner_kind text not null check (owner_kind in ('person', 'organization')),
        owner_id uuid not null,
        number text not null,
        customer text not null,
        description text not null,
        amount integer not null check (amount > 0),
        currency text not null,
        issued_on date not null,
        status text not null
      );
      create index invoices_owner on invoices (owner_kind, owner_id, issued_on desc)`)
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('drop table invoices')
  }
}
