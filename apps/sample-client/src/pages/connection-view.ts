import {
  badge,
  card,
  codeBlock,
  definitionList,
  emptyState,
  type Html,
  html,
  table,
  timeline,
} from '@grantlog/ui'
import type { Step, TokenFacts } from '../flow/connection.js'
import { captionOf, cells, columns, type Invoice, type Owner } from '../flow/invoice.js'

/** What happened, message by message. */
export function story(steps: readonly Step[]): Html {
  return card({ title: 'What happened', body: timelineOf(steps) })
}

export function timelineOf(steps: readonly Step[]): Html {
  return timeline(
    steps.map(({ label, status, code, words }) => ({
      label,
      status,
      detail: html`<code>${code}</code> <span>${words}</span>`,
    })),
  )
}

/** What may be seen of the token, and what can be done with it. The script of the browser's face fills in `data-fill`. */
export function tokenCard({ scope, expires, claims }: TokenFacts, body: Html): Html {
  return card({
    title: 'Access token',
    body: html`${definitionList([
      ['Scope', html`<code data-fill="scope">${scope}</code>`],
      ['Ends', html`<span data-fill="expires">${expires}</span>`],
    ])}${codeBlock({ label: 'Its claims, decoded', code: claims })}${body}`,
  })
}

export function invoicesCard(owner: Owner | undefined, invoices: readonly Invoice[]): Html {
  return card({ body: owner || invoices.length > 0 ? invoicesTable(owner, invoices) : noInvoices })
}

export function invoicesTable(owner: Owner | undefined, invoices: readonly Invoice[]): Html {
  const [, , , , , amount] = columns
  return table({
    caption: captionOf(owner),
    columns: [...columns.slice(0, -1), { label: amount, align: 'end' }],
    rows: invoices.map(invoice =>
      cells(invoice).map((cell, i) => (columns[i] === 'Status' ? badge({ label: cell }) : cell)),
    ),
  })
}

const noInvoices = emptyState({
  title: 'No invoices yet',
  body: 'The API has not been asked, or did not say whose they are.',
})
