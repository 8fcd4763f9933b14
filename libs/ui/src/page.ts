import { button, form } from './components/actions.js'
import { attributes, type Html, type HtmlValue, html, raw } from './html.js'
import { favicon, mark } from './icons.js'
import { stylesheet } from './stylesheet.js'

export interface PageOptions {
  /** The document's title, without the product's name; unique per page (WCAG 2.4.2). */
  title: string
  body: HtmlValue
  /** The service that a person is at, in her words: shown beside the mark. */
  service?: string
  /** Who is signed in; with `signOut` the header has a button that posts `csrf` there. */
  user?: { name: string; signOut?: { action: string; csrf: string } }
  nav?: readonly NavLink[]
  /** BCP 47 tag of the page's language; `en` by default. */
  lang?: string
  /** Path of the page's own module script; its CSP needs `script: 'self'`. */
  script?: string
}

export interface NavLink {
  label: string
  href: string
  current?: boolean
}

/** A part of a page as a document of its own, to be shown in a `frame()`. Serve it with `contentSecurityPolicy({ framedBy: 'self' })`. */
export function fragment({ title, body, lang = 'en' }: Pick<PageOptions, 'title' | 'body' | 'lang'>): string {
  return html`<!doctype html>
<html lang="${lang}">
<head>
${head(title)}
</head>
<body class="fragment">
<main>${body}</main>
</body>
</html>
`.toString()
}

/** A complete HTML document with the header, the styles and no external resource. Serve it with `contentSecurityPolicy()`. */
export function page({ title, body, service, user, nav = [], lang = 'en', script }: PageOptions): string {
  const document = html`<!doctype html>
<html lang="${lang}">
<head>
${head(title)}
${script !== undefined && html`<script type="module" src="${script}"></script>`}
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="top">
<div class="top-in">
<p class="brand">${mark()}<span class="brand-name">Grantlog</span>${service !== undefined && html`<span class="brand-service">${service}</span>`}</p>
${nav.length > 0 && html`<nav class="nav" aria-label="Main"><ul>${nav.map(navItem)}</ul></nav>`}
${user && signedIn(user)}
</div>
</header>
<main id="main" class="main" tabindex="-1">
${body}
</main>
<footer class="foot"><p>Grantlog. Every decision is an event.</p></footer>
</body>
</html>
`
  return document.toString()
}

const head = (title: string) => html`<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title} · Grantlog</title>
${icon}
${style}`

// Constants of this package: no input reaches them.
const style = raw(`<style>${stylesheet}</style>`)
const icon = raw(`<link rel="icon" href="${favicon}">`)

function navItem({ label, href, current }: NavLink): Html {
  return html`<li><a href="${href}"${attributes({ 'aria-current': current ? 'page' : undefined })}>${label}</a></li>`
}

function signedIn({ name, signOut }: NonNullable<PageOptions['user']>): Html {
  return html`<div class="user"><span class="user-name"><span class="hidden">Signed in as </span>${name}</span>${
    signOut &&
    form(
      { action: signOut.action, csrf: signOut.csrf },
      button({ label: 'Sign out', kind: 'quiet', size: 'small' }),
    )
  }</div>`
}
