import { defineProjection, grouped } from '@grantlog/eventing'
import { poolOf } from '@grantlog/platform'
import type { DataSource } from 'typeorm'

/** What the token service must know of a client to believe it. */
export interface ClientRow {
  client_id: string
  grant_types: string[]
  auth_method: 'client_secret_basic' | 'client_secret_post' | 'none'
  scopes: string[]
  verifiers: string[]
  suspended: boolean
}

export const clients = defineProjection<ClientRow>({
  name: 'token.clients.v1',
  security: true,
  table: 'client_view',
  key: 'client_id',
  columns: {
    client_id: 'text',
    grant_types: 'text[] not null',
    auth_method: 'text not null',
    scopes: 'text[] not null',
    verifiers: 'text[] not null',
    suspended: 'boolean not null',
  },
  on: {
    'client.registered': {
      key: ({ data }) => data.clientId,
      row: (_, { data }) => ({
        client_id: data.clientId,
        grant_types: data.grantTypes,
        auth_method: data.tokenEndpointAuthMethod,
        scopes: data.scopes,
        verifiers: data.credentials.map(credential => credential.verifier),
        suspended: false,
      }),
    },
    'client.updated': {
      key: ({ data }) => data.clientId,
      row: (row, { data }) =>
        row && {
          ...row,
          grant_types: data.grantTypes,
          auth_method: data.tokenEndpointAuthMethod,
          scopes: data.scopes,
        },
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

const byId = grouped<ClientRow>({
  name: 'clients-by-id',
  text: `select ${Object.keys(clients.columns)} from client_view where client_id = any($1::text[])`,
  keysOf: row => [row.client_id],
})

export async function findClient(db: DataSource, clientId: string): Promise<ClientRow | undefined> {
  const [client] = await byId(poolOf(db), clientId)
  return client
}
