import { actions, button, card, column, columns, form, type Html, heading, html, notice } from '@grantlog/ui'
import type { Connection } from '../flow/connection.js'
import type { SampleClientConfig } from '../sample-client.config.js'
import { type ConfidentialForm, connectLedgerly } from './connect-form.js'
import { invoicesCard, story, tokenCard } from './connection-view.js'
import { shell } from './shell.js'

export function confidentialPage(
  config: SampleClientConfig,
  connect: ConfidentialForm,
  connection: Connection | undefined,
): string {
  return shell({
    title: 'Ledgerly',
    current: '/confidential',
    grantsUrl: config.GRANTS_URL,
    body: column(html`${heading({
      kicker: 'confidential client · openid-client',
      title: 'Ledgerly, on a server',
      lede: 'The browser holds a cookie that means nothing elsewhere. Secret and tokens stay on the server.',
    })}
${connection && connected(connection, connect.csrf)}
${card({
  title: connection ? 'Ask again' : 'No access yet',
  body: connectLedgerly(connect),
})}`),
  })
}

function connected(connection: Connection, csrf: string): Html {
  const { steps, token, owner, invoices } = connection
  const last = steps.at(-1)
  return html`${
    last?.status === 'fail' &&
    notice({
      kind: 'danger',
      title: last.label,
      body: html`<code>${last.code}</code> ${last.words} ${!token && html`<a href="/">Start again</a>.`}`,
    })
  }
${columns(story(steps), token && tokenCard(token, tokenActions(csrf)))}
${token && invoicesCard(owner, invoices)}`
}

function tokenActions(csrf: string): Html {
  return actions(
    form(
      { action: '/confidential/invoices/read', csrf },
      button({ label: 'Read invoices', kind: 'primary' }),
    ),
    form({ action: '/confidential/invoices/create', csrf }, button({ label: 'Create an invoice' })),
    form({ action: '/confidential/refresh', csrf }, button({ label: 'Refresh the token' })),
    form({ action: '/confidential/revoke', csrf }, button({ label: 'Revoke the token', kind: 'danger' })),
  )
}
