import { button, card, equalActions, form, heading, html, notice, split, textField } from '@grantlog/ui'
import { type SignedIn, shell } from './shell.js'

export interface DevicePage {
  readonly csrf: string
  readonly user: SignedIn
  /** The code of the link or the picture that led here; it is still to be compared. */
  readonly userCode?: string | undefined
  /** What was typed before, and why it was no good. */
  readonly typed?: string | undefined
  readonly wrong?: string | undefined
}

/** Asks for the code that a device shows. One that came with the link is never taken without a look at the device (RFC 8628 §3.3.1, §5.4). */
export function devicePage({ csrf, user, userCode, typed, wrong }: DevicePage): string {
  const value = typed ?? userCode
  return shell({
    title: 'Connect a device',
    user,
    body: split({
      intro: heading({
        title: 'Connect a device',
        lede: 'A television, a printer or a command line shows a code. Then you see what it asks for, and decide.',
      }),
      body: card({
        title: userCode === undefined ? 'The code of your device' : 'Is this the code of your device?',
        body: form(
          { action: '/device', csrf, label: 'The code of your device' },
          html`${
            userCode !== undefined &&
            notice({
              kind: 'info',
              title: 'Compare it with your device',
              body: 'Go on only if your own device shows this very code, now. If somebody sent you the link, close this page.',
            })
          }
${textField({
  name: 'user_code',
  label: 'Code',
  hint: 'Eight letters. Small letters will do, and the hyphen may be left out.',
  autocomplete: 'off',
  required: true,
  maxlength: 20,
  ...(value !== undefined && { value }),
  ...(wrong !== undefined && { error: wrong }),
})}
${equalActions(button({ label: userCode === undefined ? 'Continue' : 'My device shows it: continue', kind: 'primary' }))}`,
        ),
      }),
    }),
  })
}

/** What is left to do: nothing here. */
export function deviceAnsweredPage({
  answer,
  user,
}: {
  answer: 'allowed' | 'denied'
  user: SignedIn | undefined
}): string {
  const allowed = answer === 'allowed'
  return shell({
    title: allowed ? 'Your device is connected' : 'Your device gets no access',
    user,
    body: split({
      intro: heading({
        title: allowed ? 'Your device is connected' : 'Your device gets no access',
        lede: 'You can go back to your device now, and close this page.',
      }),
      body: card({
        title: allowed ? 'It will notice in a moment' : 'It will be told in a moment',
        body: allowed
          ? html`<p>What you allowed stands under <a href="/grants">your grants</a>. You can take it back there at any time.</p>`
          : html`<p>You denied it, and nothing was shared.</p>`,
      }),
    }),
  })
}
