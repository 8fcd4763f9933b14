import { card, column, heading, html, linkButton } from '@grantlog/ui'
import { shell } from './shell.js'

/** What could not be done, in one sentence, and the way back. */
export function refusalPage(sentence: string, reference: string | undefined): string {
  return shell({
    title: 'This did not work',
    body: column(
      card({
        body: html`${heading({ title: 'This did not work', lede: sentence })}
<p>Nothing was changed. ${linkButton({ label: 'Start again', href: '/', kind: 'primary' })}</p>
${reference !== undefined && html`<p class="small">Reference for support: <code class="select">${reference}</code></p>`}`,
      }),
      { width: 'narrow' },
    ),
  })
}
