import { actions, button, card, column, columns, type Html, heading, html, notice } from '@grantlog/ui'
import type { SampleClientConfig } from '../sample-client.config.js'
import { connectPocketLedger } from './connect-form.js'
import { invoicesTable, story, timelineOf, tokenCard } from './connection-view.js'
import { publicScript, shell } from './shell.js'

/** The same for everybody: parts and templates that the browser's script fills in. */
export function publicPage(config: SampleClientConfig): string {
  return shell({
    title: 'Pocket Ledger',
    current: '/public',
    grantsUrl: config.GRANTS_URL,
    script: publicScript,
    body: column(html`${heading({
      kicker: 'public client · oauth4webapi',
      title: 'Pocket Ledger, in the browser',
      lede: 'There is no secret. The access token lives in this page’s memory: reload, and it is gone.',
    })}
<noscript>${notice({
      kind: 'danger',
      title: 'Pocket Ledger needs JavaScript',
      body: html`It runs in the browser only. <a href="/confidential">Ledgerly</a> does the same without a script.`,
    })}</noscript>
${publicParts(config)}
<div id="connection" class="stack" aria-live="polite" hidden>
${columns(story([]), html`<div id="token" hidden>${tokenCard({ scope: '', expires: '', claims: '' }, tokenActions)}</div>`)}
<div id="invoices" hidden>${card({ body: html`` })}</div>
</div>
${card({ title: 'Ask for access', body: connectPocketLedger() })}
${templates}`),
  })
}

/** What the script needs on each page: where it tells of a problem, and what it must know. Nothing here is secret. */
export function publicParts({ ISSUER, RESOURCE, PUBLIC_URL, PUBLIC_CLIENT_ID }: SampleClientConfig): Html {
  const redirectUri = `${PUBLIC_URL.replace(/\/$/, '')}/public/callback`
  return html`<div id="settings" data-issuer="${ISSUER}" data-resource="${RESOURCE}" data-client-id="${PUBLIC_CLIENT_ID}" data-redirect-uri="${redirectUri}" hidden></div>
<div id="problem" hidden>${notice({
    kind: 'danger',
    body: html`<span data-fill="problem"></span> <a href="/">Start again</a>.`,
  })}</div>`
}

const tokenActions = actions(
  button({ label: 'Read invoices', kind: 'primary', type: 'button', id: 'read' }),
  button({ label: 'Create an invoice', type: 'button', id: 'create' }),
  button({ label: 'Refresh the token', type: 'button', id: 'refresh' }),
  button({ label: 'Revoke the token', kind: 'danger', type: 'button', id: 'revoke' }),
)

const blank = { label: '', code: '', words: '' }
const blankInvoice = {
  id: '',
  number: '',
  customer: '',
  description: '',
  amount: 0,
  currency: 'EUR',
  issued_on: '',
  status: '',
}

const templates = html`<template id="step-ok">${timelineOf([{ ...blank, status: 'ok' }])}</template>
<template id="step-fail">${timelineOf([{ ...blank, status: 'fail' }])}</template>
<template id="table">${invoicesTable(undefined, [blankInvoice])}</template>`
