import { errorPage, type HtmlValue, page } from '@grantlog/ui'

const service = 'Consent'

/** Who is signed in, and what her button to sign out carries. */
export interface SignedIn {
  readonly name: string
  readonly signOutCsrf: string
}

/** The frame of this service's pages. */
export function shell(options: {
  title: string
  user?: SignedIn | undefined
  current?: '/grants'
  body: HtmlValue
}): string {
  const { title, user, current, body } = options
  return page({
    title,
    service,
    body,
    ...(user && {
      user: { name: user.name, signOut: { action: '/sign-out', csrf: user.signOutCsrf } },
      nav: [{ label: 'Your grants', href: '/grants', current: current === '/grants' }],
    }),
  })
}

/** What could not be done, in one sentence. */
export function refusalPage(refusal: {
  title: string
  sentence: string
  reference: string | undefined
}): string {
  return errorPage({
    service,
    title: refusal.title,
    message: refusal.sentence,
    hint: 'Nothing was changed. Go back to the application you came from, and try again from there.',
    ...(refusal.reference !== undefined && { reference: refusal.reference }),
  })
}
