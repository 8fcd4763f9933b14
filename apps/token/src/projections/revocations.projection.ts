import { type Allowed, type Bars, defineProjection, grouped } from '@grantlog/eventing'
import { poolOf } from '@grantlog/platform'
import type { DataSource } from 'typeorm'

/** A revocation by anybody that reaches more than one family: of a grant, a client, an owner, an organization, a key. */
export interface RevocationRow {
  /** `kind:id` of the target. */
  target: string
  /** Cutoff in seconds; null: for good. */
  issued_before: number | null
}

/** What the family and token streams say of themselves is not repeated here: decisions read it there. */
export const revocations = defineProjection<RevocationRow>({
  name: 'token.revocations.v1',
  security: true,
  table: 'revocation_view',
  key: 'target',
  columns: { target: 'text', issued_before: 'bigint' },
  on: {
    'token.revoked': {
      passes: ['token', 'family'],
      key: ({ data: { target } }) => `${target.kind}:${target.id}`,
      row: (row, { data }) => ({
        target: `${data.target.kind}:${data.target.id}`,
        issued_before: wider(row, data.issuedBefore),
      }),
    },
  },
})

function wider(row: RevocationRow | undefined, cutoff: number | null): number | null {
  if (row === undefined) return cutoff
  return row.issued_before === null || cutoff === null ? null : Math.max(row.issued_before, cutoff)
}

/** By which names something issued at a time can be revoked. */
export interface Revocable {
  readonly clientId: string
  readonly grantId: string | null
  readonly subject: string
  readonly organizationId: string | null
  readonly keyId?: string
  /** Seconds. */
  readonly issuedAt: number
}

const byTarget = grouped<{ target: string; issued_before: string | null }>({
  name: 'revocations-by-target',
  text: 'select target, issued_before from revocation_view where target = any($1::text[])',
  keysOf: row => [row.target],
})

export async function isRevoked(db: DataSource, token: Revocable): Promise<boolean> {
  const found = await byTarget(poolOf(db), ...targetsOf(token))
  return found.some(({ issued_before }) => issued_before === null || Number(issued_before) >= token.issuedAt)
}

/** As `isRevoked`, for what is stored only unless it is. */
export const revocationBars: Bars = { table: 'revocation_view', key: 'target', until: 'issued_before' }

/** For a command that has no effect where it is revoked. @param refusal what its client is told then */
export function unlessRevoked(db: DataSource, token: Revocable, refusal: () => Error): Allowed {
  return {
    keys: targetsOf(token),
    since: token.issuedAt,
    async assertAllowed() {
      if (await isRevoked(db, token)) throw refusal()
    },
  }
}

function targetsOf(token: Revocable): string[] {
  const targets = [`client:${token.clientId}`, `owner:${token.subject}`]
  if (token.grantId !== null) targets.push(`grant:${token.grantId}`)
  if (token.organizationId !== null) targets.push(`organization:${token.organizationId}`)
  if (token.keyId !== undefined) targets.push(`key:${token.keyId}`)
  return targets
}
