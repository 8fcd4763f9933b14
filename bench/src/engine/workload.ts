import { timeOrderedId } from '@grantlog/contracts'
import { type Decider, defineProjection, type NewEvent } from '@grantlog/eventing'

/** How many times a token family was refreshed: the folded state. */
interface Refreshed {
  readonly times: number
}

/** A refresh writes one event, or as many as it is asked for. */
interface Refresh {
  readonly familyId: string
  readonly events: number
}

type Issued = NewEvent & { type: 'token.issued' }

/** The token service's busiest stream, without its rules. */
export const family: Decider<Refresh, Issued, Refreshed> = {
  category: 'family',
  initial: { times: 0 },
  decide: ({ familyId, events }) => Array.from({ length: events }, () => issued(familyId)),
  evolve: state => ({ times: state.times + 1 }),
}

/** An access token was issued: about 700 bytes on the wire, and the most frequent event of all. */
export function issued(familyId: string): Issued {
  const now = Math.floor(Date.now() / 1000)
  return {
    type: 'token.issued',
    data: {
      tokenId: timeOrderedId(),
      grantType: 'refresh_token',
      clientId: 'ledgerly',
      familyId,
      grantId: '0199aa00-0000-7000-8000-0000000000f1',
      subject: '0199aa00-0000-7000-8000-0000000000ad',
      audience: 'https://api.example/invoices',
      scopes: ['invoices:read'],
      keyId: 'Zx0fYyqSw1v4nTq2',
      issuedAt: now,
      expiresAt: now + 600,
    },
  }
}

/** A row per token: every event writes one. */
export interface TokenRow {
  readonly token_id: string
  readonly client_id: string
  readonly subject: string
  readonly audience: string
  readonly expires_at: number
}

export const tokenColumns = {
  token_id: 'text',
  client_id: 'text not null',
  subject: 'text not null',
  audience: 'text not null',
  expires_at: 'bigint not null',
} as const

/** A read model of issued tokens, in a table of its own. */
export function tokens(table: string) {
  return defineProjection<TokenRow>({
    name: `bench.${table}.v1`,
    security: false,
    table,
    key: 'token_id',
    columns: tokenColumns,
    on: {
      'token.issued': {
        key: ({ data }) => data.tokenId,
        row: (_, { data }) => ({
          token_id: data.tokenId,
          client_id: data.clientId,
          subject: data.subject,
          audience: data.audience,
          expires_at: data.expiresAt,
        }),
      },
    },
  })
}

export const actor = { type: 'client', id: 'ledgerly' } as const
export const now = () => new Date()
