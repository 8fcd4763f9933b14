import type { EventData } from '@grantlog/contracts'
import { defineProjection } from '@grantlog/eventing'
import type { RegisteredClient } from '@grantlog/oauth'
import type { DataSource } from 'typeorm'

/** What a person is told of a client, and what its requests are held against. */
export interface ClientRow extends RegisteredClient {
  client_id: string
  name: string
  homepage: string | null
  redirect_uris: string[]
  grant_types: string[]
  scopes: string[]
  /** Of authorization details (RFC 9396 §10). */
  details_types: string[]
  /** Whether its requests must be pushed (RFC 9126 §6) or signed (RFC 9101 §10.5). */
  require_pushed: boolean
  require_signed: boolean
  /** Version of its stream: what the person saw is found by it years later. */
  version: number
  /** Since when it is gone for good, ISO 8601. What is left is its name, for the people who had allowed it something. */
  deleted_at: string | null
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
    details_types: 'text[] not null',
    auth_method: 'text not null',
    verifiers: 'text[] not null',
    keys: 'json not null',
    certificates: 'json not null',
    require_pushed: 'boolean not null',
    require_signed: 'boolean not null',
    profile: 'text',
    suspended: 'boolean not null',
    version: 'integer not null',
    deleted_at: 'text',
  },
  on: {
    'client.registered': {
      key: ({ data }) => data.clientId,
      row: (_, { data, streamVersion }) => ({
        ...facts(data),
        verifiers: data.credentials.map(credential => credential.verifier),
        suspended: false,
        version: streamVersion,
        deleted_at: null,
      }),
    },
    'client.updated': {
      key: ({ data }) => data.clientId,
      row: (row, { data, streamVersion }) => row && { ...row, ...facts(data), version: streamVersion },
    },
    'client.suspended': {
      key: ({ data }) => data.clientId,
      row: row => row && { ...row, suspended: true },
    },
    'client.reinstated': {
      key: ({ data }) => data.clientId,
      row: row => row && { ...row, suspended: false },
    },
    'client.deleted': {
      key: ({ data }) => data.clientId,
      row: (row, { time }) => row && { ...row, verifiers: [], keys: [], certificates: [], deleted_at: time },
    },
  },
})

function facts(data: EventData<'client.updated'>) {
  return {
    client_id: data.clientId,
    name: data.name,
    homepage: data.homepage,
    redirect_uris: data.redirectUris,
    grant_types: data.grantTypes,
    scopes: data.scopes,
    details_types: data.authorizationDetailsTypes ?? [],
    auth_method: data.tokenEndpointAuthMethod,
    keys: data.keys.map(({ keyId, jwk }) => ({ ...jwk, ...(keyId !== null && { kid: keyId }) })),
    certificates: data.certificates,
    require_pushed: data.requirePushedRequests,
    require_signed: data.requireSignedRequests,
    profile: data.profile ?? null,
  }
}

/** @returns undefined also for one that was deleted */
export async function findClient(db: DataSource, clientId: string): Promise<ClientRow | undefined> {
  const rows: ClientRow[] = await db.query(
    'select * from client_view where client_id = $1 and deleted_at is null',
    [clientId],
  )
  return rows[0]
}
