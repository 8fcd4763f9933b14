import { canonicalJson, type Envelope, recordedEvent } from '@grantlog/contracts'
import type pg from 'pg'
import { defineProjection, fold, type ProjectionOf, type Row } from '../projection.js'

export interface ClientRow {
  client_id: string
  /** How often it was suspended. */
  times: number
  /** Why it is now; null when it is not. */
  reason: string | null
  /** The last number of each source that changed the row. */
  last: number
}

/** Suspensions per client. A client that is reinstated for the third time is forgotten. */
export function suspensions(
  options: { name?: string; security?: boolean; poisoned?: () => boolean } = {},
): ProjectionOf<ClientRow> {
  const { name = 'token.suspensions.v1', security = true, poisoned = () => false } = options
  const none = (id: string): ClientRow => ({ client_id: id, times: 0, reason: null, last: 0 })
  return defineProjection<ClientRow>({
    name,
    security,
    table: 'suspensions',
    key: 'client_id',
    columns: { client_id: 'text', times: 'integer not null', reason: 'text', last: 'integer not null' },
    on: {
      'client.suspended': {
        key: event => event.data.clientId,
        row: (row = none('?'), { data, logSeq }) => {
          if (data.reason === 'poison' && poisoned()) throw new TypeError('The handler can not digest this')
          return { client_id: data.clientId, times: row.times + 1, reason: data.reason, last: logSeq }
        },
      },
      'client.reinstated': {
        key: event => event.data.clientId,
        row: (row, { logSeq }) =>
          row === undefined || row.times >= 3 ? undefined : { ...row, reason: null, last: logSeq },
      },
      'token.revoked': {
        // a row of its own: between two topics there is no order
        key: ({ data }) => (data.target.kind === 'client' ? `revoked ${data.target.id}` : undefined),
        row: (row, { data, logSeq }) => ({
          ...(row ?? none(`revoked ${data.target.id}`)),
          reason: `revoked: ${data.issuedBefore}`,
          last: logSeq,
        }),
      },
    },
  })
}

/** The table's rows, a line of canonical JSON each. */
export async function liveRows(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<{ row: Row }>('select to_json(t) as row from suspensions t')
  return rows.map(({ row }) => canonicalJson(row)).sort()
}

/** What the events say that the rows are, without a database. */
export function foldedRows(events: readonly Envelope[]): string[] {
  const rows = new Map<string, Row | undefined>()
  fold(
    suspensions(),
    rows,
    events.map(recordedEvent).filter(event => event !== undefined),
  )
  return [...rows.values()]
    .filter(row => row !== undefined)
    .map(row => canonicalJson(row))
    .sort()
}
