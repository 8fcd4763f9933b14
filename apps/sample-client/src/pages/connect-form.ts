import { actions, button, form, type Html, html, notice, radioCards } from '@grantlog/ui'
import { scopeChoices } from '../flow/authorization-client.js'

/** What a page needs to know for the form that asks for access from the server. */
export interface ConfidentialForm {
  readonly csrf: string
  /** Whether the authorization server answers: only then is it known where the form's redirect ends. */
  readonly reachable: boolean
}

export function connectLedgerly({ csrf, reachable }: ConfidentialForm): Html {
  if (!reachable) {
    return notice({
      kind: 'danger',
      title: 'The authorization server does not answer',
      body: html`Nothing can be asked of it now. <a href="">Try again</a>.`,
    })
  }
  return form(
    { action: '/confidential/connect', csrf, label: 'Ledgerly' },
    html`${scopes}${actions(button({ label: 'Connect Ledgerly', kind: 'primary' }))}`,
  )
}

/** Without a script it leads to the page that says that it needs one. */
export function connectPocketLedger(): Html {
  return form(
    { action: '/public', method: 'get', label: 'Pocket Ledger' },
    html`${scopes}${actions(button({ label: 'Connect Pocket Ledger', kind: 'primary' }))}`,
  )
}

const scopes = radioCards({
  legend: 'What should it ask for?',
  name: 'scope',
  options: [
    { value: scopeChoices[0], title: 'To read', description: scopeChoices[0], checked: true },
    { value: scopeChoices[1], title: 'To read and write', description: scopeChoices[1] },
  ],
})
