import type { Adapter, AdapterConstructor, AdapterPayload } from 'oidc-provider'
import pg from 'pg'

/** A plain Postgres adapter after the template in oidc-provider’s documentation: one table, the payload as jsonb. */
export async function postgresAdapter(connectionString: string): Promise<AdapterConstructor> {
  const pool = new pg.Pool({ connectionString, max: 20 })
  await pool.query(table)

  return class PostgresAdapter implements Adapter {
    constructor(private readonly model: string) {}

    async upsert(id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
      await pool.query({
        name: 'upsert',
        text: `
          insert into oidc_model (model, id, payload, grant_id, user_code, uid, expires_at) values ($1, $2, $3, $4, $5, $6, $7)
          on conflict (model, id) do update set payload = excluded.payload, grant_id = excluded.grant_id,
            user_code = excluded.user_code, uid = excluded.uid, expires_at = excluded.expires_at`,
        values: [
          this.model,
          id,
          payload,
          payload.grantId ?? null,
          payload.userCode ?? null,
          this.model === 'Session' ? payload.uid : null,
          expiresIn ? new Date(Date.now() + expiresIn * 1000) : null,
        ],
      })
    }

    find(id: string): Promise<AdapterPayload | undefined> {
      return this.#one('id', id)
    }

    findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
      return this.#one('user_code', userCode)
    }

    findByUid(uid: string): Promise<AdapterPayload | undefined> {
      return this.#one('uid', uid)
    }

    async consume(id: string): Promise<void> {
      await pool.query({
        name: 'consume',
        text: 'update oidc_model set consumed_at = now() where model = $1 and id = $2',
        values: [this.model, id],
      })
    }

    async destroy(id: string): Promise<void> {
      await pool.query({
        name: 'destroy',
        text: 'delete from oidc_model where model = $1 and id = $2',
        values: [this.model, id],
      })
    }

    async revokeByGrantId(grantId: string): Promise<void> {
      await pool.query({
        name: 'revoke',
        text: 'delete from oidc_model where model = $1 and grant_id = $2',
        values: [this.model, grantId],
      })
    }

    async #one(column: 'id' | 'user_code' | 'uid', value: string): Promise<AdapterPayload | undefined> {
      const { rows } = await pool.query<{ payload: AdapterPayload; consumed_at: Date | null }>({
        name: `find ${column}`,
        text: `
          select payload, consumed_at from oidc_model
          where model = $1 and ${column} = $2 and (expires_at is null or expires_at > now())`,
        values: [this.model, value],
      })
      const [row] = rows
      if (row === undefined || row.consumed_at === null) return row?.payload
      return { ...row.payload, consumed: Math.floor(row.consumed_at.getTime() / 1000) }
    }
  }
}

const table = `
  create table if not exists oidc_model (
    model text not null,
    id text not null,
    payload jsonb not null,
    grant_id text,
    user_code text,
    uid text,
    expires_at timestamptz,
    consumed_at timestamptz,
    primary key (model, id)
  );
  create index if not exists oidc_model_grant on oidc_model (grant_id) where grant_id is not null;
  create index if not exists oidc_model_user_code on oidc_model (user_code) where user_code is not null;
  create index if not exists oidc_model_uid on oidc_model (uid) where uid is not null`
