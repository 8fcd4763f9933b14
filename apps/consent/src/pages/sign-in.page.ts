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
  /** She came to answer a device; with its code, where the link had it. */
  readonly device?: { readonly userCode: string | undefined } | undefined
  /** What was tried before, and why it did not work. */
  readonly failed?: { readonly email: string; readonly sentence: string } | undefined
}

export function signInPage(options: SignInPage): string {
  const { csrf, asked, device, failed } = options
  const intro = asked
    ? html`${connection({ client: asked.client, api: asked.api })}${heading({
        title: `Sign in to answer ${asked.client}`,
        lede: `${asked.client} asks for access. You will see exactly to what, before anything is shared. It never sees your password.`,
      })}`
    : heading(device ? toDevice : toGrants)
  return shell({
    title: 'Sign in',
    body: split({
      intro,
      body: card({
        title: 'Your account',
        body: form(
          { action: '/sign-in', csrf, hidden: carried(options), label: 'Sign in' },
          html`${failed && notice({ kind: 'danger', title: 'That did not work', body: failed.sentence })}
${textField({ name: 'email', label: 'E-mail address', type: 'email', autocomplete: 'username', required: true, maxlength: 254, ...(failed && { value: failed.email }) })}
${textField({ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password', required: true, maxlength: 1024 })}
${equalActions(button({ label: 'Sign in', kind: 'primary' }))}`,
        ),
      }),
    }),
  })
}

const toGrants = {
  title: 'Sign in',
  lede: 'See which applications may use your data, and end what you no longer want.',
}
const toDevice = {
  title: 'Sign in to connect a device',
  lede: 'You will see exactly what it asks for, before anything is shared. It never sees your password.',
}

function carried({ asked, device }: SignInPage): Record<string, string> {
  if (asked) return { request: asked.query }
  if (device) return { to: 'device', ...(device.userCode !== undefined && { user_code: device.userCode }) }
  return {}
}
