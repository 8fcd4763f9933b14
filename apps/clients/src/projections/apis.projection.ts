import { defineProjection } from '@grantlog/eventing'
import type { DataSource } from 'typeorm'
import type { ApiRegistration } from '../domain/api.js'

interface ApiRow {
  api_id: string
  registration: ApiRegistration
  suspended: string | null
}

export const apis = defineProjection<ApiRow>({
  name: 'clients.apis.v1',
  security: false,
  table: 'api_view',
  key: 'api_id',
  columns: { api_id: 'text collate "C"', registration: 'json not null', suspended: 'text' },
  on: {
    'api.registered': {
      key: ({ data }) => data.apiId,
      row: (_, { data }) => ({ api_id: data.apiId, registration: data, suspended: null }),
    },
    'api.updated': {
      key: ({ data }) => data.apiId,
      row: (row, { data }) => row && { ...row, registration: data },
    },
    'api.suspended': {
      key: ({ data }) => data.apiId,
      row: (row, { data }) => row && { ...row, suspended: data.reason },
    },
    'api.reinstated': {
      key: ({ data }) => data.apiId,
      row: row => row && { ...row, suspended: null },
    },
  },
})

/** A page of APIs, in the order of their ids. */
export function listApis(db: DataSource, page: { after: string; limit: number }): Promise<ApiRow[]> {
  return db.query('select * from api_view where api_id > $1 order by api_id limit $2', [
    page.after,
    page.limit,
  ])
}
