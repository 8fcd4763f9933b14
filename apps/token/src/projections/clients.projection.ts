import type { EventData } from '@grantlog/contracts'
import { defineProjection, kept } from '@grantlog/eventing'
import type { CertificateName, ClientAuthenticationMethod, Profile } from '@grantlog/oauth'
import { poolOf } from '@grantlog/platform'
import type { JWK } from 'jose'
import type { DataSource } from 'typeorm'
import type { ExchangePolicy } from '../domain/exchange.js'

/** Whose assertions are grants, and of what (RFC 7523 §2.1). */
export interface TrustedIssuer {
  readonly issuer: string
  readonly keys: readonly JWK[]
  readonly audience: string
  readonly scopes: readonly string[]
}

/** What the token service must know of a client to believe it. */
export interface ClientRow {
  client_id: string
  grant_types: string[]
  auth_method: ClientAuthenticationMethod
  scopes: string[]
  token_exchange: ExchangePolicy | null
  /** Whose assertions it may present. */
  jwt_bearer: TrustedIssuer[]
  verifiers: string[]
  keys: JWK[]
  certificates: CertificateName[]
  /** What every token of the client must be bound to; null: as it asks. */
  sender_constraint: 'dpop' | 'certificate' | null
  profile: Profile | null
  suspended: boolean
}

export const clients = defineProjection<ClientRow>({
  name: 'token.clients.v1',
  security: true,
  keptInMemory: true,
  table: 'client_view',
  key: 'client_id',
  columns: {
    client_id: 'text',
    grant_types: 'text[] not null',
    auth_method: 'text not null',
    scopes: 'text[] not null',
    token_exchange: 'json',
    jwt_bearer: 'json not null',
    verifiers: 'text[] not null',
    keys: 'json not null',
    certificates: 'json not null',
    sender_constraint: 'text',
    profile: 'text',
    suspended: 'boolean not null',
  },
  on: {
    'client.registered': {
      key: ({ data }) => data.clientId,
      row: (_, { data }) => ({
        client_id: data.clientId,
        ...facts(data),
        verifiers: data.credentials.map(credential => credential.verifier),
        suspended: false,
      }),
    },
    'client.updated': {
      key: ({ data }) => data.clientId,
      row: (row, { data }) => row && { ...row, ...facts(data) },
    },
    'client.suspended': {
      key: ({ data }) => data.clientId,
      row: row => row && { ...row, suspended: true },
    },
    'client.reinstated': {
      key: ({ data }) => data.clientId,
      row: row => row && { ...row, suspended: false },
    },
    'client.deleted': { key: ({ data }) => data.clientId, row: () => undefined },
  },
})

function facts(data: EventData<'client.updated'>) {
  return {
    grant_types: data.grantTypes,
    auth_method: data.tokenEndpointAuthMethod,
    scopes: data.scopes,
    token_exchange: data.tokenExchange ?? null,
    jwt_bearer: (data.jwtBearer ?? []).map(trusted => ({ ...trusted, keys: jwksOf(trusted) })),
    keys: jwksOf(data),
    certificates: data.certificates,
    sender_constraint: data.senderConstraint,
    profile: data.profile ?? null,
  }
}

const jwksOf = ({ keys }: Pick<EventData<'client.updated'>, 'keys'>): JWK[] =>
  keys.map(({ keyId, jwk }) => ({ ...jwk, ...(keyId !== null && { kid: keyId }) }))

const byId = kept<ClientRow>(clients, {
  name: 'clients-by-id',
  text: `select ${Object.keys(clients.columns)} from client_view where client_id = any($1::text[])`,
  keysOf: row => [row.client_id],
})

export async function findClient(db: DataSource, clientId: string): Promise<ClientRow | undefined> {
  const [client] = await byId(poolOf(db), clientId)
  return client
}
