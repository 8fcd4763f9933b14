import { defineProjection } from '@grantlog/eventing'
import type { DataSource } from 'typeorm'

/** What a person is told of a client, and what its requests are held against. */
export interface ClientRow {
  client_id: string
  name: string
  homepage: string | null
  redirect_uris: string[]
  grant_types: string[]
  scopes: string[]
  public: boolean
  suspended: boolean
  /** Version of its stream: what the person saw is found by it years later. */
  version: number
}

export const clients = defineProjection<ClientRow>({
  name: 'consent.clients.v1',
  security: true,
  table: 'client_view',
  key: 'client_id',
  columns: {
    client_id: 'text',
    name: 'text not null',
    homepage: 'text',
    redirect_uris: 'text[] not null',
    grant_types: 'text[] not null',
    scopes: 'text[] not null',
    public: 'boolean not null',
    suspended: 'boolean not null',
    version: 'integer not null',
  },
  on: {
    'client.registered': {
      key: ({ data }) => data.clientId,
      row: (_, { data, streamVersion }) => ({ ...facts(data), suspended: false, version: streamVersion }),
    },
    'client.updated': {
      key: ({ data }) => data.clientId,
      row: (row, { data, streamVersion }) =>
        row && { ...facts(data), suspended: row.suspended, version: streamVersion },
    },
    'client.suspended': {
      key: ({ data }) => data.clientId,
      row: row => row && { ...row, suspended: true },
    },
    'client.reinstated': {
      key: ({ data }) => data.clientId,
      row: row => row && { ...row, suspended: false },
    },
  },
})

function facts(data: {
  clientId: string
  name: string
  homepage: string | null
  redirectUris: string[]
  grantTypes: string[]
  scopes: string[]
  tokenEndpointAuthMethod: string
}) {
  return {
    client_id: data.clientId,
    name: data.name,
    homepage: data.homepage,
    redirect_uris: data.redirectUris,
    grant_types: data.grantTypes,
    scopes: data.scopes,
    public: data.tokenEndpointAuthMethod === 'none',
  }
}

export async function findClient(db: DataSource, clientId: string): Promise<ClientRow | undefined> {
  const rows: ClientRow[] = await db.query('select * from client_view where client_id = $1', [clientId])
  return rows[0]
}
