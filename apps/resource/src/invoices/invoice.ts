import { EntitySchema } from 'typeorm'

export const currencies = ['EUR', 'GBP', 'USD'] as const

/** An invoice of a person or a company. */
export interface Invoice {
  readonly id: string
  readonly ownerKind: 'person' | 'organization'
  readonly ownerId: string
  readonly number: string
  readonly customer: string
  readonly description: string
  /** In the currency's minor unit (cents), a positive integer. */
  readonly amount: number
  readonly currency: (typeof currencies)[number]
  /** ISO 8601 date. */
  readonly issuedOn: string
  readonly status: 'open' | 'paid'
}

export const invoiceEntity = new EntitySchema<Invoice>({
  name: 'Invoice',
  tableName: 'invoices',
  columns: {
    id: { type: 'uuid', primary: true },
    ownerKind: { type: 'text', name: 'owner_kind' },
    ownerId: { type: 'uuid', name: 'owner_id' },
    number: { type: 'text' },
    customer: { type: 'text' },
    description: { type: 'text' },
    amount: { type: 'integer' },
    currency: { type: 'text' },
    issuedOn: { type: 'date', name: 'issued_on' },
    status: { type: 'text' },
  },
})
