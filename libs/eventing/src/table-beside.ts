import type pg from 'pg'
import { Connection } from './connection.js'

/** What the owner's comment says of a table that may be rebuilt: nobody else can say it. */
export const readModelComment = 'read model'

/**
 * The functions by which a read model gets a table beside it, which takes its place. They run as the owner of the tables, since the
 * role that a service runs as owns none; and they touch read models only. A mark is eight hexadecimal digits.
 */
export const createBesideFunctions = `
  create function beside(read_model text, mark text) returns text language plpgsql
    security definer set search_path = public, pg_temp as $$
    begin
      if mark !~ '^[0-9a-f]{8}$' or obj_description(to_regclass(format('public.%I', read_model)), 'pg_class') is distinct from '${readModelComment}' then
        raise exception '% is no read model, or % no mark', read_model, mark;
      end if;
      return read_model || '_' || mark;
    end
  $$;
  create function create_beside(read_model text, mark text) returns void language plpgsql
    security definer set search_path = public, pg_temp as $$
    declare
      beside text := beside(read_model, mark);
      may record;
    begin
      execute format('create table %I (like %I including all excluding indexes)', beside, read_model);
      for may in
        select grantee::regrole as role, privilege_type as right
        from pg_class c, aclexplode(c.relacl) where c.oid = read_model::regclass and grantee not in (0, c.relowner)
      loop
        execute format('grant %s on %I to %s', may.right, beside, may.role);
      end loop;
    end
  $$;
  create function index_beside(read_model text, mark text) returns void language plpgsql
    security definer set search_path = public, pg_temp as $$
    declare
      beside text := beside(read_model, mark);
      each record;
    begin
      for each in
        select conname as name, pg_get_constraintdef(oid) as definition from pg_constraint
        where conrelid = read_model::regclass and contype in ('p', 'u', 'x')
      loop
        execute format('alter table %I add constraint %I %s', beside, each.name || '_' || mark, each.definition);
      end loop;
      for each in
        select c.relname as name, pg_get_indexdef(i.indexrelid) as definition
        from pg_index i join pg_class c on c.oid = i.indexrelid
        where i.indrelid = read_model::regclass and not exists (select from pg_constraint k where k.conindid = i.indexrelid)
      loop
        execute substring(each.definition from '^CREATE (?:UNIQUE )?INDEX ') || format('%I ON %I', each.name || '_' || mark, beside)
          || regexp_replace(each.definition, '^CREATE (UNIQUE )?INDEX [^ ]+ ON [^ ]+', '');
      end loop;
    end
  $$;
  create function analyze_beside(read_model text, mark text) returns void language plpgsql
    security definer set search_path = public, pg_temp as $$
    begin
      execute format('analyze %I', beside(read_model, mark));
    end
  $$;
  create function swap_beside(read_model text, mark text) returns void language plpgsql
    security definer set search_path = public, pg_temp as $$
    declare
      beside text := beside(read_model, mark);
      each record;
    begin
      execute format('drop table %I', read_model);
      execute format('alter table %I rename to %I', beside, read_model);
      execute format('comment on table %I is %L', read_model, '${readModelComment}');
      for each in select conname as name from pg_constraint
        where conrelid = read_model::regclass and contype in ('p', 'u', 'x')
      loop
        execute format('alter table %I rename constraint %I to %I', read_model, each.name, left(each.name, -9));
      end loop;
      for each in select c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid
        where i.indrelid = read_model::regclass and right(c.relname, 9) = '_' || mark
      loop
        execute format('alter index %I rename to %I', each.name, left(each.name, -9));
      end loop;
    end
  $$;
  create function drop_beside(read_model text, mark text) returns void language plpgsql
    security definer set search_path = public, pg_temp as $$
    begin
      execute format('drop table if exists %I', beside(read_model, mark));
    end
  $$;
`

export const dropBesideFunctions =
  'drop function beside, create_beside, index_beside, analyze_beside, swap_beside, drop_beside;'

/** A table of the same shape beside another, whose indexes get the other's names when it takes its place. */
export interface TableBeside {
  /** Adds the key and the indexes, which are not there while it is filled. */
  index(): Promise<void>
  /** Tells the planner what is in it. */
  analyze(): Promise<void>
  swap(client: pg.ClientBase): Promise<void>
}

export async function tableBeside(pool: pg.Pool, table: string, mark: string): Promise<TableBeside> {
  const names = [table, mark]
  await pool.query('select create_beside($1, $2)', names)
  return {
    index: () => patiently(pool, 'select index_beside($1, $2)', names),
    analyze: () => patiently(pool, 'select analyze_beside($1, $2)', names),
    async swap(client) {
      await client.query('select swap_beside($1, $2)', names)
    },
  }
}

/** On a connection of its own, for as long as it takes. */
async function patiently(pool: pg.Pool, statement: string, values: readonly string[]): Promise<void> {
  const client = await pool.connect()
  if (client instanceof Connection) client.patient = true
  try {
    await client.query(statement, [...values])
  } finally {
    client.release(true)
  }
}
