import { describe, expect, it } from '@jest/globals'
import { cells, parseInvoice, parseInvoices } from './invoice.js'

const invoice = {
  id: '1',
  number: '2026-001',
  customer: 'Kiosk Ö',
  description: 'Coffee',
  amount: 123_456,
  currency: 'EUR',
  issued_on: '2026-01-14',
  status: 'open',
}

describe('invoices', () => {
  it.each([
    ['EUR', 123_456, '€1,234.56'],
    ['JPY', 1234, 'JP¥1,234'],
    ['GBP', 5, '£0.05'],
  ])('show minor units of %s', (currency, amount, shown) => {
    expect(cells({ ...invoice, currency, amount }).at(-1)).toBe(shown)
  })

  it.each([
    null,
    [],
    'text',
    {},
    { ...invoice, amount: '5' },
    { ...invoice, amount: 1.5 },
    { ...invoice, currency: 'euro' },
    { ...invoice, customer: undefined },
  ])('are not read from %j', body => {
    expect(() => parseInvoice(body)).toThrow(/not a list of invoices or an invoice/)
    expect(() => parseInvoices({ owner: { kind: 'person', id: 'a' }, invoices: [body] })).toThrow()
    expect(() => parseInvoices(body)).toThrow()
  })
})
