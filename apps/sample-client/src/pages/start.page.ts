import { card, column, columns, heading, html } from '@grantlog/ui'
import type { SampleClientConfig } from '../sample-client.config.js'
import { type ConfidentialForm, connectLedgerly, connectPocketLedger } from './connect-form.js'
import { publicParts } from './public.page.js'
import { publicScript, shell } from './shell.js'

export function startPage(config: SampleClientConfig, form: ConfidentialForm): string {
  return shell({
    title: 'Two applications',
    current: '/',
    grantsUrl: config.GRANTS_URL,
    script: publicScript,
    body: column(html`${heading({
      kicker: 'authorization code · PKCE · RFC 6749, 7636, 8707, 9207',
      title: 'Two applications that read your invoices, once you allow it',
      lede: html`An application that a company could have written, with two faces. Each asks for access and shows every message on the way. What you allow stands on <a href="${config.GRANTS_URL}">your grants</a>, where you can take it back.`,
    })}
${columns(
  card({
    title: 'Ledgerly, on a server',
    body: html`<p class="muted">A confidential client: it proves itself with a secret, and the tokens stay on its server.</p>${connectLedgerly(form)}`,
  }),
  card({
    title: 'Pocket Ledger, in the browser',
    body: html`<p class="muted">A public client: it can keep no secret, so PKCE alone protects the code. The token lives in this page’s memory.</p>${publicParts(config)}${connectPocketLedger()}`,
  }),
)}`),
  })
}
