import {
  button,
  card,
  connection,
  equalActions,
  form,
  heading,
  html,
  notice,
  split,
  textField,
} from '@grantlog/ui'
import { shell } from './shell.js'

export interface SignInPage {
  readonly csrf: string
  /** For which question somebody signs in; without it she came to see her grants. */
  readonly asked?: { readonly query: string; readonly client: string; readonly api: string } | undefined
  /** What was tried before, and why it did not work. */
  readonly failed?: { readonly email: string; readonly sentence: string } | undefined
}

export function signInPage({ csrf, asked, failed }: SignInPage): string {
  const intro = asked
    ? html`${connection({ client: asked.client, api: asked.api })}${heading({
        title: `Sign in to answer ${asked.client}`,
        lede: `${asked.client} asks for access. You will see exactly to what, before anything is shared. It never sees your password.`,
      })}`
    : heading({
        title: 'Sign in',
        lede: 'See which applications may use your data, and end what you no longer want.',
      })
  return shell({
    title: 'Sign in',
    body: split({
      intro,
      body: card({
        title: 'Your account',
        body: form(
          { action: '/sign-in', csrf, ...(asked && { hidden: { request: asked.query } }), label: 'Sign in' },
          html`${failed && notice({ kind: 'danger', title: 'That did not work', body: failed.sentence })}
${textField({ name: 'email', label: 'E-mail address', type: 'email', autocomplete: 'username', required: true, maxlength: 254, ...(failed && { value: failed.email }) })}
${textField({ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password', required: true, maxlength: 1024 })}
${equalActions(button({ label: 'Sign in', kind: 'primary' }))}`,
        ),
      }),
    }),
  })
}
