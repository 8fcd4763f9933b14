import { describe, expect, it } from '@jest/globals'
import { membersOf, narrowedDetails, readAuthorizationDetails } from './authorization-details.js'

const audience = 'https://api.example/'
const types = [
  {
    type: 'payment',
    fields: [
      { name: 'amount.value', kind: 'text', required: true },
      { name: 'amount.currency', kind: 'text', required: true, values: ['EUR', 'GBP'] },
      { name: 'actions', kind: 'texts', required: false, values: ['initiate', 'cancel'] },
      { name: 'instalments', kind: 'number', required: false },
      { name: 'urgent', kind: 'boolean', required: false },
    ],
  },
] as const
const payment = { type: 'payment', amount: { value: '12.00', currency: 'EUR' } }
const read = (details: unknown) => readAuthorizationDetails(JSON.stringify(details), types, audience)

describe('authorization details (RFC 9396)', () => {
  it.each<[string, object]>([
    ['what is required', payment],
    ['everything', { ...payment, actions: ['initiate'], instalments: 3, urgent: true }],
    ['the API as its location (§2.2)', { ...payment, locations: [audience] }],
  ])('may have %s', (_, detail) => {
    expect(read([detail])).toEqual([detail])
  })

  it.each<[string, unknown, RegExp]>([
    ['§2: no array', payment, /must be a JSON array of objects/],
    ['§2: an empty array', [], /must be a JSON array of objects/],
    ['§2: no objects', ['payment'], /must be a JSON array of objects/],
    ['§2: null', [null], /must be a JSON array of objects/],
    ['§2: no type', [{ amount: payment.amount }], /needs a type/],
    ['§2: a type that is no text', [{ ...payment, type: 1 }], /needs a type/],
    ['§5: an unknown type', [{ type: 'other' }], /type 'other' is not known/],
    ['§5: an unknown field', [{ ...payment, creditor: 'x' }], /no member 'creditor'/],
    [
      '§5: an unknown field within',
      [{ ...payment, amount: { ...payment.amount, x: 1 } }],
      /no member 'amount.x'/,
    ],
    ['§5: an empty object', [{ ...payment, creditor: {} }], /no member 'creditor'/],
    [
      '§5: a field of the wrong type',
      [{ ...payment, instalments: '3' }],
      /'instalments' .* must be a number/,
    ],
    ['§5: a text for a boolean', [{ ...payment, urgent: 'true' }], /'urgent' .* must be a boolean/],
    ['§5: a text for a list', [{ ...payment, actions: 'initiate' }], /'actions' .* must be a list/],
    [
      '§5: an invalid value',
      [{ ...payment, amount: { value: '1', currency: 'XXX' } }],
      /must be one of EUR, GBP/,
    ],
    ['§5: an invalid value in a list', [{ ...payment, actions: ['x'] }], /must be one of initiate, cancel/],
    ['§5: a missing field', [{ type: 'payment', amount: { value: '1' } }], /'amount.currency' .* is missing/],
    ['another location', [{ ...payment, locations: ['https://other.example/'] }], /locations/],
    ['a name that looks like a member', [{ ...payment, 'amount.value': '1' }], /point in its name/],
    ['a new line', [{ ...payment, amount: { value: '1\n2', currency: 'EUR' } }], /one line/],
    ['what turns text around', [{ ...payment, amount: { value: '1\u202e2', currency: 'EUR' } }], /one line/],
    ['blank text', [{ ...payment, amount: { value: ' ', currency: 'EUR' } }], /one line/],
    ['long text', [{ ...payment, amount: { value: '1'.repeat(257), currency: 'EUR' } }], /one line/],
    ['too much', [{ ...payment, x: '\u20ac'.repeat(1024) }], /longer than 3072 bytes/],
    ['too many', Array.from({ length: 11 }, () => payment), /more than 10/],
  ])('is refused: %s', (_, details, message) => {
    expect(() => read(details)).toThrow(message)
    expect(() => read(details)).toThrow(
      expect.objectContaining({ code: 'invalid_authorization_details', status: 400 }),
    )
  })

  it.each(['', '[', '{}x'])('is refused: %p is no JSON', text => {
    expect(() => readAuthorizationDetails(text, types, audience)).toThrow(/is not JSON/)
  })

  it('has its members one by one, for whoever shows them', () => {
    expect(membersOf({ ...payment, actions: ['initiate'] })).toEqual([
      ['amount.value', '12.00'],
      ['amount.currency', 'EUR'],
      ['actions', ['initiate']],
    ])
  })

  it('a token may be for fewer of them, and for no other (§6)', () => {
    const granted = [payment, { ...payment, urgent: true }]
    expect(narrowedDetails(undefined, granted)).toBe(granted)
    const reordered = { amount: { currency: 'EUR', value: '12.00' }, type: 'payment' }
    expect(narrowedDetails(JSON.stringify([reordered]), granted)).toEqual([payment])
    const other = JSON.stringify([{ ...payment, urgent: false }])
    expect(() => narrowedDetails(other, granted)).toThrow(/not among those that were granted/)
    expect(() => narrowedDetails(JSON.stringify([payment]), [])).toThrow(/not among/)
  })
})
