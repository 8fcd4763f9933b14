import { defineProjection } from '@grantlog/eventing'
import type { DataSource } from 'typeorm'
import type { Registration } from '../domain/client.js'

interface ClientRow {
  client_id: string
  registration: Registration
  suspended: string | null
}

export const clientList = defineProjection<ClientRow>({
  name: 'clients.clients.v1',
  security: false,
  table: 'client_view',
  key: 'client_id',
  columns: { client_id: 'text collate "C"', registration: 'json not null', suspended: 'text' },
  on: {
    'client.registered': {
      key: ({ data }) => data.clientId,
      row: (_, { data: { credentials: _secret, ...registration } }) => ({
        client_id: registration.clientId,
        registration,
        suspended: null,
      }),
    },
    'client.updated': {
      key: ({ data }) => data.clientId,
      row: (row, { data }) => row && { ...row, registration: data },
    },
    'client.suspended': {
      key: ({ data }) => data.clientId,
      row: (row, { data }) => row && { ...row, suspended: data.reason },
    },
    'client.reinstated': {
      key: ({ data }) => data.clientId,
      row: row => row && { ...row, suspended: null },
    },
    'client.deleted': { key: ({ data }) => data.clientId, row: () => undefined },
  },
})

/** A page of clients, in the order of their ids. */
export function listClients(db: DataSource, page: { after: string; limit: number }): Promise<ClientRow[]> {
  return db.query('select * from client_view where client_id > $1 order by client_id limit $2', [
    page.after,
    page.limit,
  ])
}
