import { html } from '../html.js'
import * as ui from '../index.js'

const nav = [
  { label: 'Server side', href: '/', current: true },
  { label: 'In the browser', href: '/spa' },
]

export function sampleStart(): string {
  return ui.page({
    title: 'Ledgerly',
    service: 'Sample client',
    nav,
    body: ui.column(html`${ui.heading({ kicker: 'confidential client · PKCE · DPoP', title: 'Ledgerly reads your invoices, once you allow it', lede: 'This sample is an application that a company could have written. It asks Grantlog for access and shows each message on the way.' })}
${ui.actions(ui.linkButton({ label: 'Ask for access', href: '/start', kind: 'primary' }), ui.linkButton({ label: 'Ask to read only', href: '/start?scope=invoices:read' }))}
${ui.card({ title: 'Invoices', body: ui.emptyState({ title: 'No access yet', body: 'The API answers 401 until someone allows it.' }) })}`),
  })
}

export function sampleResult(): string {
  return ui.page({
    title: 'Invoices of Ada Lindqvist',
    service: 'Sample client',
    nav,
    body: ui.column(html`${ui.heading({ title: 'Invoices of Ada Lindqvist', lede: 'What the API returned for the scopes that were allowed.' })}
${ui.columns(
  ui.card({
    title: 'What happened',
    aside: ui.badge({ label: '214 ms' }),
    body: ui.timeline([
      { label: 'Sent you to Grantlog', status: 'ok', ms: 12, detail: html`<code>GET /authorize</code>` },
      { label: 'Code came back', status: 'ok', ms: 148, detail: 'Sealed, good for 60 seconds and one use.' },
      {
        label: 'Exchanged it for tokens',
        status: 'ok',
        ms: 31,
        detail: ui.codeBlock({
          label: 'Access token, decoded',
          code: '{\n  "iss": "https://grantlog.example",\n  "sub": "person-01jd3k8v2m",\n  "aud": "https://invoices.example",\n  "scope": "invoices:read invoices:write",\n  "client_id": "client-01jd3k8v2m"\n}',
        }),
      },
      { label: 'Read the invoices', status: 'ok', ms: 9, detail: html`<code>200 OK</code>` },
      {
        label: 'Deleted an invoice',
        status: 'fail',
        ms: 14,
        detail: html`<code>403 insufficient_scope</code>: needs <code>invoices:delete</code>`,
      },
    ]),
  }),
  ui.card({
    title: 'Token',
    body: html`${ui.definitionList([
      [
        'Scope',
        html`${ui.badge({ label: 'invoices:read' })} ${ui.badge({ label: 'invoices:write', kind: 'warning' })}`,
      ],
      ['Ends', 'in 14 minutes'],
      ['Bound to', html`<code>0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I</code>`],
    ])}${ui.form({ action: '/refresh', csrf: 'preview' }, ui.actions(ui.button({ label: 'Refresh' }), ui.button({ label: 'Revoke', kind: 'danger' })))}`,
  }),
)}
${ui.card({
  body: ui.table({
    caption: 'Invoices',
    columns: ['Number', 'Customer', 'Status', 'Due', { label: 'Amount', align: 'end' }],
    rows: [
      [
        '2025-0181',
        'Harbour Coffee',
        ui.badge({ label: 'Paid', kind: 'success' }),
        ui.moment(new Date('2025-11-02')),
        '€ 1,250.00',
      ],
      [
        '2025-0182',
        'Kiosk Ö',
        ui.badge({ label: 'Overdue', kind: 'danger' }),
        ui.moment(new Date('2025-11-14')),
        '€ 84.50',
      ],
      [
        '2025-0183',
        'Northwind Timber',
        ui.badge({ label: 'Draft' }),
        ui.moment(new Date('2025-12-20')),
        '€ 12,900.00',
      ],
    ],
  }),
})}`),
  })
}

export function status(): string {
  const row = (name: string, state: 'ok' | 'late', seen: string, lag: string) => [
    name,
    ui.badge(
      state === 'ok' ? { label: 'Up to date', kind: 'success' } : { label: 'Behind', kind: 'warning' },
    ),
    seen,
    lag,
  ]
  return ui.page({
    title: 'Status',
    service: 'Status',
    body: ui.column(html`${ui.heading({ title: 'All services answer', lede: 'Each service, how far it has read, and how old its knowledge of revocations is.' })}
${ui.notice({ kind: 'info', body: 'Audit is 12 events behind. Tokens and revocations are not affected.' })}
${ui.card({ body: ui.table({ caption: 'Services', captionHidden: true, columns: ['Service', 'State', { label: 'Position', align: 'end' }, { label: 'Lag', align: 'end' }], rows: [row('clients', 'ok', '1,204', '0 ms'), row('consent', 'ok', '88,120', '2 ms'), row('token', 'ok', '4,120,991', '4 ms'), row('resource', 'ok', '4,120,991', '4 ms'), row('audit', 'late', '4,120,979', '310 ms')] }) })}`),
  })
}

export function failure(): string {
  return ui.errorPage({
    service: 'Consent',
    title: 'This request can’t be answered',
    message: 'The application “Ledgerly” asked to send you to an address that it has not registered.',
    hint: 'Nothing was shared. Go back to the application and try again; if it happens twice, tell its makers.',
    reference: '4bf92f3577b34da6a3ce929d0e0e4736',
  })
}
