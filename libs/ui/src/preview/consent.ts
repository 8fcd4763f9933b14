import { html } from '../html.js'
import * as ui from '../index.js'

const session = { name: 'Ada Lindqvist', signOut: { action: '/sign-out', csrf: 'preview' } }
const nav = (current: string) => [
  { label: 'Your grants', href: '/grants', current: current === 'grants' },
  { label: 'Activity', href: '/activity', current: current === 'activity' },
]

export const scopes = [
  {
    value: 'invoices:read',
    words: 'See your invoices',
    detail: 'Amounts, dates, customers and payment status.',
    access: 'read',
    required: true,
  },
  {
    value: 'customers:read',
    words: 'See your customers',
    detail: 'Names and billing addresses.',
    access: 'read',
  },
  {
    value: 'invoices:write',
    words: 'Create and edit invoices',
    detail: 'It can add new invoices and change drafts. It can’t delete sent ones.',
    access: 'write',
  },
] as const

export function consent(error?: string): string {
  return ui.page({
    title: 'Ledgerly wants to access your invoices',
    service: 'Consent',
    user: session,
    body: ui.split({
      intro: html`${ui.connection({ client: 'Ledgerly', api: 'Invoices' })}
${ui.heading({
  title: 'Ledgerly wants to access your invoices',
  lede: 'You decide what it may do, for whom, and you can take it back at any time.',
})}
<p class="small">Run by Ledgerly AB, Gothenburg · <a href="https://ledgerly.example">ledgerly.example</a></p>
${ui.disclosure({
  summary: 'More about Ledgerly',
  body: html`${ui.definitionList([
    ['Registered', ui.moment(new Date('2025-03-03'))],
    ['Client id', html`<code>client-01jd3k8v2m</code>`],
    ['API', html`<code>https://invoices.example</code>`],
  ])}`,
})}`,
      body: ui.form(
        { action: '/consent', csrf: 'preview', hidden: { request: 'req-1' }, label: 'Access for Ledgerly' },
        ui.slip({
          body: html`${ui.radioCards({
            legend: 'Whose invoices?',
            name: 'owner',
            ...(error !== undefined && { error }),
            options: [
              {
                value: 'person',
                title: 'Ada Lindqvist',
                description: 'Your own invoices',
                of: 'person',
                checked: error === undefined,
              },
              {
                value: 'org-1',
                title: 'Northwind Timber',
                description: 'You act for this company as accountant',
                of: 'organization',
              },
              {
                value: 'org-2',
                title: 'Harbour Coffee',
                description: 'A second approver will be asked too',
                of: 'organization',
              },
            ],
          })}
${ui.scopeChoices({ legend: 'What Ledgerly may do', name: 'scope', options: scopes })}
${ui.part({
  title: 'For how long',
  body: ui.iconLine(
    'clock',
    html`Until ${ui.moment(new Date('2026-02-22'))}, or until you revoke it under <a href="/grants">your grants</a>.`,
  ),
})}`,
          decision: html`${ui.equalActions(
            ui.button({ label: 'Deny', name: 'decision', value: 'deny' }),
            ui.button({ label: 'Allow', kind: 'primary', name: 'decision', value: 'allow' }),
          )}<p class="small">Either way your browser is then sent back to <strong>app.ledgerly.example</strong>.</p>`,
        }),
      ),
    }),
  })
}

export function signIn(error?: string): string {
  return ui.page({
    title: 'Sign in',
    service: 'Consent',
    body: ui.split({
      intro: html`${ui.connection({ client: 'Ledgerly', api: 'Invoices' })}${ui.heading({
        title: 'Sign in to answer Ledgerly',
        lede: 'Ledgerly asks for access to your invoices. You will see exactly what, before anything is shared. It never sees your password.',
      })}`,
      body: ui.card({
        title: 'Your account',
        body: html`${ui.form(
          { action: '/sign-in', csrf: 'preview' },
          html`${error !== undefined && ui.notice({ kind: 'danger', title: 'That did not work', body: 'The e-mail address or the password is wrong.' })}
${ui.textField({ name: 'email', label: 'E-mail address', type: 'email', autocomplete: 'username', required: true, value: 'ada@example.com' })}
${ui.textField({ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password', required: true, hint: 'Your Grantlog password, not your bank’s.', ...(error !== undefined && { error }) })}
${ui.equalActions(ui.button({ label: 'Sign in', kind: 'primary' }))}`,
        )}`,
      }),
    }),
  })
}

export function grants(): string {
  const one = (client: string, forWhom: string, used: string, list: readonly (typeof scopes)[number][]) =>
    ui.card({
      title: html`${ui.monogram({ name: client, kind: 'client' })}${client}`,
      aside: ui.badge({ label: 'Active', kind: 'success' }),
      body: html`${ui.definitionList([
        ['For', forWhom],
        ['API', 'Invoices'],
        ['Allowed', html`${ui.moment(new Date('2025-11-24T10:12:00Z'), { withTime: true })} by you`],
        ['Last used', used],
        ['Ends', ui.moment(new Date('2026-02-22'))],
      ])}${ui.scopeList(list)}${ui.form({ action: '/grants/1/revoke', csrf: 'preview' }, ui.actions(ui.button({ label: 'Revoke', kind: 'danger', context: `access for ${client}` })))}`,
    })
  return ui.page({
    title: 'Your grants',
    service: 'Consent',
    user: session,
    nav: nav('grants'),
    body: ui.column(html`${ui.heading({ title: 'Your grants', lede: 'Who may use your data, and what for. A revoked grant stops working everywhere within seconds.' })}
${ui.notice({ kind: 'success', title: 'Access for Parcelbot is revoked', body: 'No API accepts its tokens any more.' })}
${ui.columns(one('Ledgerly', 'Ada Lindqvist', '3 minutes ago', scopes), one('Quarterly Tax', 'Northwind Timber', 'never', scopes.slice(0, 1)))}
${ui.card({
  title: 'What the APIs know',
  body: ui.frame({
    src: '/positions',
    title: 'How far the APIs know of revocations',
    facts: positionFacts.length,
  }),
})}
${ui.card({
  body: ui.table({
    caption: 'Ended',
    columns: ['Application', 'For', 'Ended', { label: 'How', align: 'end' }],
    rows: [
      [
        'Parcelbot',
        'Ada Lindqvist',
        ui.moment(new Date('2025-11-24')),
        ui.badge({ label: 'Revoked by you', kind: 'danger' }),
      ],
      ['Old Books', 'Northwind Timber', ui.moment(new Date('2025-08-02')), ui.badge({ label: 'Expired' })],
    ],
  }),
})}`),
  })
}

const positionFacts = [
  ['Invoices', 'knows every revocation until 0.4 s ago (2 instances)'],
  ['Parcelbot', 'Known to 1 of 2 instances of Invoices'],
  ['Old Books', 'Refused by Invoices since 14:03:02 UTC'],
  ['Customers and their addresses', 'does not report'],
] as const

/** What stands in the frame on “your grants”. */
export function positions(): string {
  return ui.fragment({
    title: 'How far the APIs know of revocations',
    body: ui.definitionList(positionFacts),
  })
}

export function noGrants(): string {
  return ui.page({
    title: 'Your grants',
    service: 'Consent',
    user: session,
    nav: nav('grants'),
    body: ui.column(
      html`${ui.heading({ title: 'Your grants' })}${ui.card({ body: ui.emptyState({ title: 'Nobody has access', body: 'When you let an application use your data, it is listed here, and you can revoke it here.', action: ui.linkButton({ label: 'See past activity', href: '/activity' }) }) })}`,
    ),
  })
}
