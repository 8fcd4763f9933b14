/** As the invoices API shows it. */
export interface Invoice {
  readonly id: string
  readonly number: string
  readonly customer: string
  readonly description: string
  /** In the minor unit of the currency. */
  readonly amount: number
  /** ISO 4217. */
  readonly currency: string
  readonly issued_on: string
  readonly status: string
}

export interface Owner {
  readonly kind: string
  readonly id: string
}

/** What "Create an invoice" sends. */
export const draft = {
  customer: 'Kiosk Ö',
  description: 'Coffee for a night of bookkeeping',
  amount: 1250,
  currency: 'EUR',
} as const

/** @throws Error when the body is not what the API documents */
export function parseInvoices(body: unknown): { owner: Owner; invoices: Invoice[] } {
  if (!isRecord(body) || !isOwner(body.owner) || !Array.isArray(body.invoices)) throw unreadable()
  return { owner: body.owner, invoices: body.invoices.map(parseInvoice) }
}

/** @throws Error when the body is not what the API documents */
export function parseInvoice(body: unknown): Invoice {
  if (!isInvoice(body)) throw unreadable()
  return body
}

export const columns = ['Number', 'Customer', 'For', 'Issued', 'Status', 'Amount'] as const

export function captionOf(owner: Owner | undefined): string {
  return owner ? `Invoices of the ${owner.kind} ${owner.id}` : 'Invoices'
}

/** One row under `columns`. */
export function cells(invoice: Invoice): string[] {
  const { number, customer, description, issued_on, status, amount, currency } = invoice
  const format = new Intl.NumberFormat('en-GB', { style: 'currency', currency })
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2
  return [number, customer, description, issued_on, status, format.format(amount / 10 ** digits)]
}

const unreadable = () => new Error('The API’s answer is not a list of invoices or an invoice.')

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

const isOwner = (value: unknown): value is Owner =>
  isRecord(value) && typeof value.kind === 'string' && typeof value.id === 'string'

function isInvoice(value: unknown): value is Invoice {
  return (
    isRecord(value) &&
    (['id', 'number', 'customer', 'description', 'issued_on', 'status'] as const).every(
      name => typeof value[name] === 'string',
    ) &&
    Number.isSafeInteger(value.amount) &&
    typeof value.currency === 'string' &&
    /^[A-Z]{3}$/.test(value.currency)
  )
}
