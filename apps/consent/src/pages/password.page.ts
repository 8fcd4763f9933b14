import { button, card, equalActions, form, heading, html, notice, split, textField } from '@grantlog/ui'
import { type SignedIn, shell } from './shell.js'

export interface PasswordPage {
  readonly csrf: string
  readonly user: SignedIn
  /** Whether what was granted ends with the old password. */
  readonly revokes: boolean
  /** Why what was tried before did not work. */
  readonly wrong?: string | undefined
}

export function passwordPage({ csrf, user, revokes, wrong }: PasswordPage): string {
  return shell({
    title: 'Change your password',
    user,
    body: split({
      intro: heading({
        title: 'Change your password',
        lede: revokes
          ? 'You are signed out everywhere else, and every application that you allowed something has to ask you again.'
          : 'You are signed out everywhere else. Applications that you allowed something keep it: see your grants.',
      }),
      body: card({
        title: 'Your account',
        body: form(
          { action: '/sign-in/password', csrf, label: 'Change your password' },
          html`${wrong && notice({ kind: 'danger', title: 'That did not work', body: wrong })}
${textField({ name: 'current', label: 'Current password', type: 'password', autocomplete: 'current-password', required: true, maxlength: 1024 })}
${textField({ name: 'next', label: 'New password', type: 'password', hint: 'At least 15 characters: several words are easy to remember.', autocomplete: 'new-password', required: true, maxlength: 1024 })}
${equalActions(button({ label: 'Change it', kind: 'primary' }))}`,
        ),
      }),
    }),
  })
}
