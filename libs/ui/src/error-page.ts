import { card } from './components/content.js'
import { html } from './html.js'
import { icon } from './icons.js'
import { type PageOptions, page } from './page.js'

export interface ErrorPageOptions extends Pick<PageOptions, 'service' | 'user' | 'lang'> {
  /** What went wrong, in a few words; the page's heading. */
  title: string
  /** One clear sentence for the person who reads it. */
  message: string
  /** What she can do now. */
  hint?: string
  /** What support can find this failure by, such as a trace id. Never a secret. */
  reference?: string
}

/** The page for a failure that can not be told to the client (RFC 6749 §4.1.2.1: never redirect to an unproven URI). */
export function errorPage({ title, message, hint, reference, ...shell }: ErrorPageOptions): string {
  return page({
    ...shell,
    title,
    body: html`<div class="narrow">${card({
      body: html`<div class="error">
<span class="error-sign">${icon('alert')}</span>
<h1>${title}</h1>
<p class="lede">${message}</p>
${hint !== undefined && html`<p>${hint}</p>`}
${reference !== undefined && html`<p class="small">Reference for support: <code class="select">${reference}</code></p>`}
</div>`,
    })}</div>`,
  })
}
